-- Changes the meta key. KEYS: meta, present, the ids of tables. ARGV: ms that a
-- process counts as present; number of fields to drop, the fields; number of
-- fields to set, each with its value; then the markers to set: field, value,
-- index of the ids in KEYS or 0, package, line, field and value that must
-- stand. A marker is set only if no present process has the package without
-- the line, if the table has no ids where they are given, and if the field
-- stands where one is given.
-- Returns for each marker '' or why it was not set.
local at = 0
local function take()
	at = at + 1
	return ARGV[at]
end

local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local since = string.format('%.0f', now - tonumber(take()))
local present = redis.call('ZRANGEBYSCORE', KEYS[2], since, '+inf')

-- unaware returns a present process that writes the package's tables and does
-- not know the line of its schema.
local function unaware(package, line)
	for _, process in ipairs(present) do
		local _, stop = string.find(process, ' ' .. package .. ':', 1, true)
		if stop then
			local fingerprint = string.match(process, '^%S+', stop + 1)
			local lines = redis.call('HGET', KEYS[1], 'schema:' .. package .. ':' .. fingerprint)
			if not lines or not string.find(lines, '\n' .. line .. '\n', 1, true) then return process end
		end
	end
end

for _ = 1, tonumber(take()) do redis.call('HDEL', KEYS[1], take()) end
for _ = 1, tonumber(take()) do
	local field = take()
	redis.call('HSET', KEYS[1], field, take())
end
local out = {}
while at < #ARGV do
	local field, value, ids, package, line = take(), take(), tonumber(take()), take(), take()
	local stands, as = take(), take()
	local process = unaware(package, line)
	if process then
		out[#out + 1] = 'the process ' .. process .. ' writes the table and does not know the index'
	elseif ids > 0 and redis.call('EXISTS', KEYS[ids]) == 1 then
		out[#out + 1] = 'rows are stored'
	elseif stands ~= '' and redis.call('HGET', KEYS[1], stands) ~= as then
		out[#out + 1] = 'a process that does not know the index has written meanwhile, or another Verify has taken over'
	else
		redis.call('HSET', KEYS[1], field, value)
		if stands ~= '' then redis.call('HDEL', KEYS[1], stands) end
		out[#out + 1] = ''
	end
end
return out
