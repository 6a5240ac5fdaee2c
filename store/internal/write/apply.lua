-- Checks, appends and commands in one atomic step.
-- ARGV: number of checks, the checks; number of appends, the appends; then the
-- commands to the end. Keys are given as indexes into KEYS.
-- Returns {'OK', old row values...}, {'DUP'}, {'CONFLICT', key} or {'ABSENT', key};
-- but for OK nothing was written.
local at = 0
local function take()
	at = at + 1
	return ARGV[at]
end
local function key() return KEYS[tonumber(take())] end

local checks = {}
for i = 1, tonumber(take()) do
	checks[i] = {take(), key(), take(), take()}
end

local appends, fresh, total = {}, 0, 0
for i = 1, tonumber(take()) do
	local a = {list = key(), seen = key(), capacity = tonumber(take()), expected = take(), ids = {}, values = {}}
	for j = 1, tonumber(take()) do
		local id, value = take(), take()
		total = total + 1
		if redis.call('HEXISTS', a.seen, id) == 0 then
			fresh = fresh + 1
			a.ids[#a.ids + 1] = id
			a.values[#a.values + 1] = value
		end
	end
	appends[i] = a
end
if total > 0 and fresh == 0 then return {'DUP'} end

for _, c in ipairs(checks) do
	local kind, k, x, y = c[1], c[2], c[3], c[4]
	if kind == 'row' then -- the row's bytes
		if redis.call('GET', k) ~= x then return {'CONFLICT', k} end
	elseif kind == 'absent' then
		if redis.call('EXISTS', k) == 1 then return {'CONFLICT', k} end
	elseif kind == 'exists' then
		if redis.call('EXISTS', k) == 0 then return {'ABSENT', k} end
	elseif kind == 'field' then -- a hash field's bytes
		if redis.call('HGET', k, x) ~= y then return {'CONFLICT', k} end
	elseif kind == 'nofield' then
		if redis.call('HEXISTS', k, x) == 1 then return {'CONFLICT', k} end
	elseif kind == 'fields' then -- how many fields a hash has
		if redis.call('HLEN', k) ~= tonumber(x) then return {'CONFLICT', k} end
	elseif kind == 'total' then -- elements ever appended to a list
		if (redis.call('HGET', k, '') or '0') ~= x then return {'CONFLICT', k} end
	end
end
for _, a in ipairs(appends) do
	if a.expected ~= '-1' and (redis.call('HGET', a.seen, '') or '0') ~= a.expected then
		return {'CONFLICT', a.list}
	end
end

local out = {'OK'}
while at < #ARGV do
	local n, name, k = tonumber(take()), take(), key()
	if name == 'KEPT' then -- a row without expiry while another row keeps it
		local held, value, expire = key(), take(), take()
		local old = redis.call('GET', k)
		if expire ~= '0' and redis.call('SCARD', held) == 0 then
			redis.call('SET', k, value, 'PXAT', expire)
		else
			redis.call('SET', k, value)
		end
		out[#out + 1] = old
	elseif name == 'APPEND' then
		local a = appends[tonumber(take())]
		local pos = tonumber(redis.call('HGET', a.seen, '') or '0')
		for i, id in ipairs(a.ids) do
			-- the same id twice in one call counts once
			if redis.call('HSETNX', a.seen, id, pos + 1) == 1 then
				pos = pos + 1
				redis.call('RPUSH', a.list, a.values[i])
				if a.capacity > 0 then
					redis.call('HSET', a.seen, '\0' .. pos, id)
					local gone = '\0' .. (pos - a.capacity)
					local old = redis.call('HGET', a.seen, gone)
					if old then redis.call('HDEL', a.seen, old, gone) end
				end
			end
		end
		redis.call('HSET', a.seen, '', pos)
		if a.capacity > 0 then redis.call('LTRIM', a.list, -a.capacity, -1) end
	elseif name == 'TTLOF' then -- a collection lives as long as its row
		local t = redis.call('PEXPIRETIME', key())
		if t > 0 then redis.call('PEXPIREAT', k, t) else redis.call('PERSIST', k) end
	else
		local args = {}
		for i = 1, n do args[i] = take() end
		local reply = redis.call(name, k, unpack(args))
		if name == 'SET' or name == 'GETDEL' then out[#out + 1] = reply end
	end
end
return out
