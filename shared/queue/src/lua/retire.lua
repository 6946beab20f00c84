-- A worker has ended: forgets it, and returns the tickets that it had taken and not acknowledged.
--
-- KEYS: workers, data, notes, taken by this worker, notes about it, its sign of life
-- ARGV: its name
local ids = redis.call('SMEMBERS', KEYS[4])
for _, id in ipairs(ids) do
  redis.call('HDEL', KEYS[2], id)
  redis.call('HDEL', KEYS[3] .. ':result', id)
  redis.call('DEL', KEYS[3] .. ':' .. id)
end
redis.call('DEL', KEYS[4], KEYS[5], KEYS[6])
-- apalis leaves under the second name what it means to remove.
redis.call('ZREM', KEYS[1], ARGV[1], KEYS[4])
return ids
