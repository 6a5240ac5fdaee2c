-- Takes ids out of an index if their rows still are as they were read; absent
-- ones were given as ''. KEYS: index, rows. ARGV: '1' to mend, then id and bytes
-- of each row. Returns the places of those that are dangling, from 1.
local out = {}
for i = 2, #KEYS do
	local id, bytes = ARGV[2 * i - 2], ARGV[2 * i - 1]
	local row = redis.call('GET', KEYS[i])
	if (row or '') == bytes and redis.call('ZSCORE', KEYS[1], id) then
		if ARGV[1] == '1' then redis.call('ZREM', KEYS[1], id) end
		out[#out + 1] = i - 1
	end
end
return out
