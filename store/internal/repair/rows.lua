-- Checks what must follow from rows, and mends it while they still are as they
-- were read. ARGV: '1' to mend; '1' if others keep these rows; then rows: key,
-- bytes, id, keeper, ms to live once nobody keeps it (0 is for ever); number of
-- index keys, the keys; of collection keys, the keys; of rows that it keeps, for
-- each its held set and its key; the row's own held set, or 0. Keys are given as
-- indexes into KEYS. Returns for each fault: row, fault, place; from 1.
local UNLISTED, EARLY, EXPIRY, UNHELD, RELEASE, KEEP = 1, 2, 3, 4, 5, 6
local at = 0
local function take()
	at = at + 1
	return ARGV[at]
end
local function key() return KEYS[tonumber(take())] end
local function keys(each)
	local all = {}
	for i = 1, tonumber(take()) * each do all[i] = key() end
	return all
end

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local mend, kept = take() == '1', take() == '1'
local out, row = {}, 0
local function fault(kind, place)
	out[#out + 1] = row
	out[#out + 1] = kind
	out[#out + 1] = place
	return mend
end

while at < #ARGV do
	row = row + 1
	local k, bytes, id, keeper, ttl = key(), take(), take(), take(), tonumber(take())
	local indexes, collections, holds, held = keys(1), keys(1), keys(2), KEYS[tonumber(take())]
	if redis.call('GET', k) == bytes then
		local dies = redis.call('PEXPIRETIME', k)
		local score = '+inf'
		if dies >= 0 and not kept then score = string.format('%.0f', dies) end
		for i, index in ipairs(indexes) do
			local s = redis.call('ZSCORE', index, id)
			local kind
			if not s then
				kind = UNLISTED
			elseif s ~= 'inf' and (score == '+inf' or tonumber(s) < dies) then
				kind = EARLY -- a sweep would take out a row that lives
			end
			if kind and fault(kind, i) then redis.call('ZADD', index, score, id) end
		end
		for i, c in ipairs(collections) do
			local e = redis.call('PEXPIRETIME', c)
			if not kept and e ~= -2 and e ~= dies and fault(EXPIRY, i) then
				if dies < 0 then redis.call('PERSIST', c) else redis.call('PEXPIREAT', c, score) end
			end
		end
		for i = 1, #holds, 2 do
			if redis.call('SISMEMBER', holds[i], keeper) == 0 and fault(UNHELD, (i + 1) / 2) then
				redis.call('SADD', holds[i], keeper)
				redis.call('PERSIST', holds[i + 1])
			end
		end
		if kept then
			local keepers = redis.call('SCARD', held)
			if keepers == 0 and dies == -1 and ttl > 0 then
				if fault(RELEASE, 1) then redis.call('PEXPIREAT', k, string.format('%.0f', now + ttl)) end
			elseif keepers > 0 and dies >= 0 then
				if fault(KEEP, 1) then redis.call('PERSIST', k) end
			end
		end
	end
end
return out
