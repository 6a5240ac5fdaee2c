-- Checks, appends and commands in one atomic step.
-- ARGV: number of checks, the checks; number of appends, the appends; then the
-- commands to the end. Keys are given as indexes into KEYS.
-- Returns {'OK', old row values...}, {'DUP'}, {'CONFLICT', key}, {'ABSENT', key}
-- or {'PART', key, error, ...}. Unless it is OK or PART, nothing was written.
-- In place of an old value, 0 stands for a row that an append has left alone:
-- all elements that came with it were in their list already, or the row of a
-- later append of this step is the one that was written.
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

-- An append is a repetition when every id is known. One whose list is emptied
-- earlier in this step starts from nothing.
local appends, lists, latest, fresh, total = {}, {}, {}, 0, 0
for i = 1, tonumber(take()) do
	local name, seen, row = key(), key(), key()
	local a = {row = row, list = name, capacity = tonumber(take()), count = tonumber(take()), ids = {}, values = {}}
	local l = lists[name]
	if take() == '1' then
		l = {total = 0, own = {}, emptied = true}
	elseif not l then
		l = {total = tonumber(redis.call('HGET', seen, '') or '0'), own = {}}
	end
	lists[name] = l
	for j = 1, tonumber(take()) do
		local id, value = take(), take()
		total = total + 1
		if not l.own[id] and (l.emptied or redis.call('HEXISTS', seen, id) == 0) then
			l.own[id] = true
			fresh = fresh + 1
			a.ids[#a.ids + 1] = id
			a.values[#a.values + 1] = value
		end
	end
	a.first = l.total
	l.total = l.total + #a.ids
	a.total = l.total
	appends[i] = a
	if #a.ids > 0 then latest[row] = a end
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
	elseif kind == 'last' then -- the newest element of a list, in case it was emptied and filled again
		if (redis.call('LINDEX', k, -1) or '') ~= x then return {'CONFLICT', k} end
	end
end
-- How many elements a list has then had in all is what the row says. Elements
-- that are known already do not count twice.
for _, a in ipairs(appends) do
	if a.count >= 0 and #a.ids > 0 and a.total ~= a.count then return {'CONFLICT', a.list} end
end

-- An error of the first write ends the step with nothing done. Later on there
-- is no way back: the rest is done and the error reported.
local out, part, wrote, skip = {'OK'}, {'PART'}, false, 0
local function call(name, k, ...)
	local reply = redis.pcall(name, k, ...)
	if type(reply) == 'table' and reply.err then
		if not wrote then error(reply) end
		part[#part + 1] = k
		part[#part + 1] = reply.err
		return false
	end
	wrote = true
	return reply
end
while at < #ARGV do
	local n, name, k = tonumber(take()), take(), key()
	local args = {}
	for i = 1, n do args[i] = take() end
	if skip > 0 then
		skip = skip - 1
	elseif name == 'KEPT' then -- a row without expiry while another row keeps it
		if args[3] ~= '0' and redis.call('SCARD', KEYS[tonumber(args[1])]) == 0 then
			out[#out + 1] = call('SET', k, args[2], 'PXAT', args[3], 'GET')
		else
			out[#out + 1] = call('SET', k, args[2], 'GET')
		end
	elseif name == 'APPEND' then -- followed by the given number of commands about its row
		local a, seen = appends[tonumber(args[1])], KEYS[tonumber(args[2])]
		if latest[a.row] ~= a then -- it brings nothing new, or a later one brings a newer row
			skip = tonumber(args[3])
			out[#out + 1] = 0
		end
		for i, id in ipairs(a.ids) do
			local pos = a.first + i
			call('HSET', seen, id, pos)
			call('RPUSH', k, a.values[i])
			if a.capacity > 0 then -- what is trimmed is forgotten
				call('HSET', seen, '\0' .. pos, id)
				local gone = '\0' .. (pos - a.capacity)
				local old = redis.call('HGET', seen, gone)
				if old then call('HDEL', seen, old, gone) end
			end
		end
		if #a.ids > 0 then
			call('HSET', seen, '', a.total)
			if a.capacity > 0 then call('LTRIM', k, -a.capacity, -1) end
		end
	elseif name == 'TTLOF' then -- a collection lives as long as its row
		local t = redis.call('PEXPIRETIME', KEYS[tonumber(args[1])])
		if t > 0 then call('PEXPIREAT', k, t) else call('PERSIST', k) end
	else
		local reply = call(name, k, unpack(args))
		if name == 'SET' or name == 'GETDEL' then out[#out + 1] = reply end
	end
end
if #part > 1 then return part end
return out
