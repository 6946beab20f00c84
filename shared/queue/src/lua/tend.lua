-- Says that a worker lives, and takes up what dead ones left behind.
--
-- KEYS: workers, waiting, data, notes
-- ARGV: what keys of the living begin with, what keys of taken tickets begin with,
--       what keys of workers' notes begin with, milliseconds to live, channel, name
-- Returns: tickets that wait again, tickets dropped
--
-- apalis-redis does this too, by the workers' own clocks: one whose clock is ahead takes all others
-- for dead. Its rescue is switched off, and this one goes by the server's clock alone.
redis.call('SET', ARGV[1] .. ':' .. ARGV[6], 1, 'PX', ARGV[4])
local again, dropped = 0, 0
for _, worker in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if redis.call('EXISTS', ARGV[1] .. ':' .. worker) == 0 then
    local taken = ARGV[2] .. ':' .. worker
    for _, id in ipairs(redis.call('SMEMBERS', taken)) do
      local notes = KEYS[4] .. ':' .. id
      -- What cannot be fetched, or has been taken by the dead three times, would end every worker:
      -- the record owes it again when its lease runs out.
      local whole = redis.call('HEXISTS', KEYS[3], id) == 1
        and redis.call('HEXISTS', notes, 'attempts') == 1
        and redis.call('HEXISTS', notes, 'max_attempts') == 1
        and redis.call('HEXISTS', notes, 'status') == 1
      if whole and redis.call('HINCRBY', notes, 'rescued', 1) <= 3 then
        redis.call('HSET', notes, 'status', 'Pending')
        redis.call('RPUSH', KEYS[2], id)
        again = again + 1
      else
        redis.call('HDEL', KEYS[3], id)
        redis.call('HDEL', KEYS[4] .. ':result', id)
        redis.call('DEL', notes)
        dropped = dropped + 1
      end
    end
    redis.call('DEL', taken, ARGV[3] .. ':' .. worker)
    redis.call('ZREM', KEYS[1], worker)
  end
end
if again > 0 then
  redis.call('PUBLISH', ARGV[5], again)
end
return { again, dropped }
