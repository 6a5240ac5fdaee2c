-- Says that this process is present and returns what a decision needs.
-- KEYS: meta, present, the ids of each table. ARGV: this process, ms that a
-- process counts as present.
-- Returns {meta fields, processes present, whether each table has ids}.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local since = string.format('%.0f', now - tonumber(ARGV[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', '(' .. since)
redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[2], 2 * tonumber(ARGV[2]))
local rows = {}
for i = 3, #KEYS do rows[#rows + 1] = redis.call('EXISTS', KEYS[i]) end
return {redis.call('HGETALL', KEYS[1]), redis.call('ZRANGE', KEYS[2], 0, -1), rows}
