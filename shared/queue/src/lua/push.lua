-- Hands over tickets, as far as the window has room, and wakes the workers.
--
-- KEYS: waiting, data, notes, generation
-- ARGV: window, a random number, channel; then an id and its ticket, again and again
-- Returns: how many were taken, how many wait now, the generation
--
-- apalis-redis' own push always goes by way of the scheduled set, with the sender's clock against
-- the worker's: on hosts whose clocks differ tickets would wait for the difference. So they are
-- put where its workers fetch from.
local window = tonumber(ARGV[1])
redis.call('SET', KEYS[4], ARGV[2], 'NX')
local waiting = redis.call('LLEN', KEYS[1])
local taken = 0
for i = 4, #ARGV, 2 do
  if waiting >= window then
    break
  end
  -- The same ticket a second time is one ticket.
  if redis.call('HSETNX', KEYS[2], ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('HSET', KEYS[3] .. ':' .. ARGV[i],
      'attempts', 0, 'max_attempts', 1, 'status', 'Pending')
    waiting = redis.call('RPUSH', KEYS[1], ARGV[i])
  end
  taken = taken + 1
end
if taken > 0 then
  redis.call('PUBLISH', ARGV[3], taken)
end
return { taken, waiting, redis.call('GET', KEYS[4]) }
