-- Drops lists and hashes whose row does not exist. KEYS: row and its part, again
-- and again. ARGV: '1' to mend. Returns the places of such parts, from 1.
local out = {}
for i = 1, #KEYS, 2 do
	if redis.call('EXISTS', KEYS[i]) == 0 and redis.call('EXISTS', KEYS[i + 1]) == 1 then
		if ARGV[1] == '1' then redis.call('UNLINK', KEYS[i + 1]) end
		out[#out + 1] = (i + 1) / 2
	end
end
return out
