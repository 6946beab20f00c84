-- Forgets tickets that were acknowledged: apalis-redis keeps them for ever.
--
-- KEYS: done, data, notes
-- ARGV: how many at most, so that nobody waits long for this
-- Returns: how many
local ids = redis.call('SPOP', KEYS[1], ARGV[1])
for _, id in ipairs(ids) do
  redis.call('HDEL', KEYS[2], id)
  redis.call('HDEL', KEYS[3] .. ':result', id)
  redis.call('DEL', KEYS[3] .. ':' .. id)
end
return #ids
