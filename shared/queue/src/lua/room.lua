-- How many tickets wait.
--
-- KEYS: waiting, generation
-- ARGV: a random number
-- Returns: how many, the generation
redis.call('SET', KEYS[2], ARGV[1], 'NX')
return { redis.call('LLEN', KEYS[1]), redis.call('GET', KEYS[2]) }
