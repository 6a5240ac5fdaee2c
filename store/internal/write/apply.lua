-- Checks, appends and commands in one atomic step.
-- KEYS are taken in the order in which the step names them; a key can come
-- several times. ARGV: number of checks, the checks; number of appends, the
-- appends; then the commands to the end, each as the number of its keys, the
-- number of its arguments, its name, the arguments. One with several keys is
-- carried out on each.
-- Returns {'OK', old row values...}, {'DUP'}, {'CONFLICT', key}, {'ABSENT', key}
-- or {'PART', key, error, ...}. Unless it is OK or PART, nothing was written.
-- In place of an old value, 0 stands for a row that an append has left alone:
-- all elements that came with it were in their list already, or the row of a
-- later append of this step is the one that was written.
local argv, keys, last = ARGV, KEYS, #ARGV
local checks = tonumber(argv[1])
local at, k = 2 + 3 * checks, checks -- the next argument, and keys taken

-- An append is a repetition when every id is known. One whose list is emptied
-- earlier in this step starts from nothing.
local appends, latest = {}, {}
local n = tonumber(argv[at])
at = at + 1
if n > 0 then
	local lists, fresh, total = {}, 0, 0
	for i = 1, n do
		local name, seen, row = keys[k + 1], keys[k + 2], keys[k + 3]
		local a = {row = row, list = name, capacity = tonumber(argv[at]), count = tonumber(argv[at + 1]), ids = {}, values = {}}
		local l = lists[name]
		if argv[at + 2] == '1' then
			l = {total = 0, own = {}, emptied = true}
		elseif not l then
			l = {total = tonumber(redis.call('HGET', seen, '') or '0'), own = {}}
		end
		lists[name] = l
		local elems = tonumber(argv[at + 3])
		k, at = k + 3, at + 4
		for j = 1, elems do
			local id = argv[at]
			if not l.own[id] and (l.emptied or redis.call('HEXISTS', seen, id) == 0) then
				l.own[id] = true
				fresh = fresh + 1
				a.ids[#a.ids + 1] = id
				a.values[#a.values + 1] = argv[at + 1]
			end
			at = at + 2
		end
		total = total + elems
		a.first = l.total
		l.total = l.total + #a.ids
		a.total = l.total
		appends[i] = a
		if #a.ids > 0 then latest[row] = a end
	end
	if total > 0 and fresh == 0 then return {'DUP'} end
end

for i = 1, checks do
	local kind, key, x, y = argv[3 * i - 1], keys[i], argv[3 * i], argv[3 * i + 1]
	if kind == 'row' then -- the row's bytes
		if redis.call('GET', key) ~= x then return {'CONFLICT', key} end
	elseif kind == 'absent' then
		if redis.call('EXISTS', key) == 1 then return {'CONFLICT', key} end
	elseif kind == 'exists' then
		if redis.call('EXISTS', key) == 0 then return {'ABSENT', key} end
	elseif kind == 'field' then -- a hash field's bytes
		if redis.call('HGET', key, x) ~= y then return {'CONFLICT', key} end
	elseif kind == 'nofield' then
		if redis.call('HEXISTS', key, x) == 1 then return {'CONFLICT', key} end
	elseif kind == 'fields' then -- how many fields a hash has
		if redis.call('HLEN', key) ~= tonumber(x) then return {'CONFLICT', key} end
	elseif kind == 'total' then -- elements ever appended to a list
		if (redis.call('HGET', key, '') or '0') ~= x then return {'CONFLICT', key} end
	elseif kind == 'last' then -- the newest element of a list, in case it was emptied and filled again
		if (redis.call('LINDEX', key, -1) or '') ~= x then return {'CONFLICT', key} end
	end
end
-- How many elements a list has then had in all is what the row says. Elements
-- that are known already do not count twice.
for _, a in ipairs(appends) do
	if a.count >= 0 and #a.ids > 0 and a.total ~= a.count then return {'CONFLICT', a.list} end
end

-- An error of the first write ends the step with nothing done. Later on there
-- is no way back: the rest is done and the error reported.
local out, part, wrote, skip = {'OK'}, nil, false, 0
local function call(name, key, ...)
	local reply = redis.pcall(name, key, ...)
	if type(reply) == 'table' and reply.err then
		if not wrote then error(reply) end
		part = part or {'PART'}
		part[#part + 1] = key
		part[#part + 1] = reply.err
		return false
	end
	wrote = true
	return reply
end
while at < last do
	local from, name, first, to = k + 1, argv[at + 2], at + 3, at + 2 + argv[at + 1]
	k, at = k + argv[at], to + 1
	local key = keys[from]
	if skip > 0 then
		skip = skip - 1
	elseif name == 'SET' or name == 'GETDEL' then
		out[#out + 1] = call(name, key, unpack(argv, first, to))
	elseif name == 'KEPT' then -- a row without expiry while another row keeps it
		if argv[to] ~= '0' and redis.call('SCARD', keys[k]) == 0 then
			out[#out + 1] = call('SET', key, argv[first], 'PXAT', argv[to], 'GET')
		else
			out[#out + 1] = call('SET', key, argv[first], 'GET')
		end
	elseif name == 'APPEND' then -- followed by the given number of commands about its row
		local a, seen = appends[tonumber(argv[first])], keys[k]
		if latest[a.row] ~= a then -- it brings nothing new, or a later one brings a newer row
			skip = tonumber(argv[to])
			out[#out + 1] = 0
		end
		for i, id in ipairs(a.ids) do
			local pos = a.first + i
			call('HSET', seen, id, pos)
			call('RPUSH', key, a.values[i])
			if a.capacity > 0 then -- what is trimmed is forgotten
				call('HSET', seen, '\0' .. pos, id)
				local gone = '\0' .. (pos - a.capacity)
				local old = redis.call('HGET', seen, gone)
				if old then call('HDEL', seen, old, gone) end
			end
		end
		if #a.ids > 0 then
			call('HSET', seen, '', a.total)
			if a.capacity > 0 then call('LTRIM', key, -a.capacity, -1) end
		end
	elseif name == 'TTLOF' then -- a collection lives as long as its row
		local t = redis.call('PEXPIRETIME', keys[k])
		if t > 0 then call('PEXPIREAT', key, t) else call('PERSIST', key) end
	else
		for i = from, k do call(name, keys[i], unpack(argv, first, to)) end
	end
end
return part or out
