package write

import "strconv"

// A command is one Redis command: its name, its key and its other arguments.
type command struct {
	name, key string
	args      []string
}

// kept is the command of the apply script that stores a row which others may
// keep: without expiry while they do. Whoever is first, row or reference, the
// row is safe. It is no command of Redis.
const kept = "KEPT"

// A sequence is the commands of one op, in order, without MULTI and EXEC.
type sequence struct{ commands []command }

func (s *sequence) add(name, key string, args ...string) {
	s.commands = append(s.commands, command{name, key, args})
}

// commands are those of every kind but Append, whose list the script writes.
func (o *Op) commands() sequence {
	var s sequence
	switch o.Kind {
	case Put:
		o.rowCommands(&s)
	case Delete:
		o.deleteCommands(&s)
	case Clear:
		o.clearCommands(&s)
	case HashPut, HashDelete:
		o.hashCommands(&s)
	case SeriesAppend:
		o.seriesCommands(&s)
	}
	return s
}

// rowCommands stores the row with everything that follows it: indexes,
// the expiry of its collections, what it keeps. The first reply is the row's
// old value.
func (o *Op) rowCommands(s *sequence) {
	row, at := o.RowKey(), strconv.FormatInt(o.Expire, 10)
	score := at
	if o.Expire == 0 || o.Table.Kept {
		score = "+inf" // a kept row outlives its expiry, so no sweep may drop it
	}
	switch {
	case o.Table.Kept:
		s.add(kept, row, text(o.Row), at)
	case o.Expire != 0:
		s.add("SET", row, text(o.Row), "PXAT", at, "GET")
	default:
		s.add("SET", row, text(o.Row), "GET")
	}
	for i, x := range o.Table.Indexes {
		p := o.Facts.In[i]
		switch {
		case x.Field && p.Value == "":
		case p.Listed:
			s.add("ZADD", o.indexKey(x, p.Value), score, o.ID)
		default:
			s.add("ZREM", o.indexKey(x, p.Value), o.ID)
		}
	}
	s.add("ZADD", o.NS.Name(o.Table.Name, IDs), score, o.ID)
	for _, c := range o.Table.Collections {
		for _, k := range c.keys(o) {
			if o.Expire != 0 && !o.Table.Kept {
				s.add("PEXPIREAT", k, at)
			} else {
				s.add("PERSIST", k)
			}
		}
	}
	for _, r := range o.Facts.Refs {
		held := o.NS.Base(r.Table, Held) + r.ID
		if r.Active {
			s.add("SADD", held, o.keeper())
			s.add("PERSIST", o.NS.Base(r.Table, "")+r.ID)
		} else {
			s.add("SREM", held, o.keeper())
		}
	}
}

func (o *Op) deleteCommands(s *sequence) {
	s.add("GETDEL", o.RowKey())
	for _, c := range o.Table.Collections {
		for _, k := range c.keys(o) {
			s.add("DEL", k)
		}
	}
	for _, x := range o.Table.Indexes {
		if !x.Field {
			s.add("ZREM", o.indexKey(x, ""), o.ID)
		}
	}
	s.add("ZREM", o.NS.Name(o.Table.Name, IDs), o.ID)
}

func (o *Op) clearCommands(s *sequence) {
	s.add("DEL", o.partKey(o.Part))
	s.add("DEL", o.partKey(Seen(o.Part)))
}

func (o *Op) hashCommands(s *sequence) {
	k := o.partKey(o.Part)
	args := make([]string, 0, 2*len(o.Elems))
	for _, e := range o.Elems {
		args = append(args, e.ID)
		if o.Kind == HashPut {
			args = append(args, text(e.Value))
		}
	}
	if o.Kind == HashPut {
		s.add("HSET", k, args...)
	} else {
		s.add("HDEL", k, args...)
	}
}

func (o *Op) seriesCommands(s *sequence) {
	k := o.NS.Series(o.Table.Name) + o.ID
	args := make([]string, len(o.Elems))
	for i, e := range o.Elems {
		args[i] = text(e.Value)
	}
	s.add("RPUSH", k, args...)
	if o.Capacity > 0 {
		s.add("LTRIM", k, strconv.FormatInt(-o.Capacity, 10), "-1")
	}
}

// keys are the Redis keys of a collection: the list with the ids it has seen,
// or the hash.
func (c Collection) keys(o *Op) []string {
	if c.List {
		return []string{o.partKey(c.Name), o.partKey(Seen(c.Name))}
	}
	return []string{o.partKey(c.Name)}
}

func (o *Op) indexKey(x Index, value string) string {
	if x.Field {
		return o.NS.Base(o.Table.Name, x.Name) + value
	}
	return o.NS.Name(o.Table.Name, x.Name)
}

// keeper names this row in the held set of another one.
func (o *Op) keeper() string { return o.Table.Name + ":" + o.ID }

// leaveScript takes a row's id out of sets that only its old bytes named, if
// the row still has the bytes that were written, so that a newer write wins.
// A row of which nobody is a keeper any more gets its expiry.
// KEYS: row, then sets, held sets and kept rows. ARGV: bytes or "" for absent,
// id, keeper, now in ms, number of index keys, then for each held pair its TTL.
const leaveScript = `
local now = redis.call('GET', KEYS[1])
if (ARGV[1] == '' and now) or (ARGV[1] ~= '' and now ~= ARGV[1]) then return 0 end
local n = tonumber(ARGV[5])
for i = 2, n + 1 do redis.call('ZREM', KEYS[i], ARGV[2]) end
local a = 6
for i = n + 2, #KEYS, 2 do
	redis.call('SREM', KEYS[i], ARGV[3])
	if ARGV[a] ~= '0' and redis.call('SCARD', KEYS[i]) == 0 and redis.call('PTTL', KEYS[i+1]) == -1 then
		redis.call('PEXPIREAT', KEYS[i+1], ARGV[4] + ARGV[a])
	end
	a = a + 1
end
return 1`

// leaving returns the keys of sets that the old bytes named and the new ones
// do not, and the refs that the row no longer keeps.
func (o *Op) leaving(old []byte) (sets []string, refs []Ref) {
	var was Facts
	if old != nil && string(old) != string(o.Row) {
		f, err := o.Table.Facts(old)
		if err == nil { // an unreadable old row leaves dangling members, which readers drop
			was = f
		}
	}
	for i, x := range o.Table.Indexes {
		if !x.Field || len(was.In) == 0 || was.In[i].Value == "" {
			continue
		}
		if o.Kind == Delete || was.In[i].Value != o.Facts.In[i].Value {
			sets = append(sets, o.indexKey(x, was.In[i].Value))
		}
	}
	for _, r := range was.Refs {
		if r.Active && !o.keeps(r) {
			refs = append(refs, r)
		}
	}
	return sets, refs
}

func (o *Op) keeps(r Ref) bool {
	for _, n := range o.Facts.Refs {
		if n.Active && n.Table == r.Table && n.ID == r.ID {
			return true
		}
	}
	return false
}
