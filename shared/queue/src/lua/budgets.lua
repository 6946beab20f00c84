-- All instances that have a budget.
--
-- KEYS: the hash of all instances
-- ARGV: microseconds since the epoch in place of the server's time, or nothing
-- Returns: microseconds since the epoch; instance, milliseconds since the epoch until when it is
--          closed, and so on
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
return { now, redis.call('HGETALL', KEYS[1]) }
