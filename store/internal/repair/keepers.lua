-- Takes keepers out of a held set if their rows still are as they were read;
-- absent ones were given as ''. The last one to go starts the expiry of the row.
-- KEYS: held set, the kept row, rows. ARGV: '1' to mend, ms to live once nobody
-- keeps it, then keeper and bytes of each row. Returns the places of those that
-- keep for no reason, from 1.
local out = {}
for i = 3, #KEYS do
	local keeper, bytes = ARGV[2 * i - 3], ARGV[2 * i - 2]
	if (redis.call('GET', KEYS[i]) or '') == bytes and redis.call('SISMEMBER', KEYS[1], keeper) == 1 then
		if ARGV[1] == '1' then redis.call('SREM', KEYS[1], keeper) end
		out[#out + 1] = i - 2
	end
end
if ARGV[1] == '1' and #out > 0 and ARGV[2] ~= '0' and redis.call('SCARD', KEYS[1]) == 0 and redis.call('PTTL', KEYS[2]) == -1 then
	local t = redis.call('TIME')
	redis.call('PEXPIREAT', KEYS[2], string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000) + ARGV[2]))
end
return out
