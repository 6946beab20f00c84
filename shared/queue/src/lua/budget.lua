-- Reads an instance's budget, or writes it if nobody else has meanwhile.
--
-- KEYS: the budget's hash, the hash of all instances
-- ARGV: microseconds since the epoch in place of the server's time, or nothing; the version known;
--       to write also: version, text, instance, milliseconds since the epoch until when it is
--       closed, milliseconds to keep it
-- Returns: 1 if written, else 0; microseconds since the epoch; the version; the text if its version
--          is another than the one known
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local version = redis.call('HGET', KEYS[1], 'version') or ''
if version ~= ARGV[2] then
  return { 0, now, version, redis.call('HGET', KEYS[1], 'text') }
end
if not ARGV[3] then
  return { 0, now, version, false }
end
redis.call('HSET', KEYS[1], 'version', ARGV[3], 'text', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[7])
redis.call('HSET', KEYS[2], ARGV[5], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[7])
return { 1, now, ARGV[3], false }
