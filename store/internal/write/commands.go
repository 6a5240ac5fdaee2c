package write

import (
	"iter"
	"slices"
	"strconv"
)

// A command is one Redis command: its name, its key and the number of its
// other arguments.
type command struct {
	name, key string
	n         int
}

// kept is the command of the apply script that stores a row which others may
// keep: without expiry while they do. Whoever is first, row or reference, the
// row is safe. It is no command of Redis.
const kept = "KEPT"

// A sequence is the commands of one op, in order, without MULTI and EXEC, and
// the arguments of all of them.
type sequence struct {
	commands []command
	args     []string
	arena
}

func (s *sequence) add(name, key string, args ...string) {
	s.commands = append(s.commands, command{name, key, len(args)})
	s.args = append(s.args, args...)
}

// each calls f with the commands and their arguments.
func (s *sequence) each(f func(c command, args []string)) {
	args := s.args
	for _, c := range s.commands {
		f(c, args[:c.n])
		args = args[c.n:]
	}
}

func (s *sequence) reset() { s.commands, s.args = s.commands[:0], s.args[:0] }

// commands adds those of every kind but Append, whose list the script writes.
func (o *Op) commands(s *sequence) {
	switch o.Kind {
	case Put:
		o.rowCommands(s)
	case Delete:
		o.deleteCommands(s)
	case Clear:
		o.clearCommands(s)
	case HashPut, HashDelete:
		o.hashCommands(s)
	case SeriesAppend:
		o.seriesCommands(s)
	}
}

// rowCommands stores the row with everything that follows it: indexes,
// the expiry of its collections, what it keeps. The first reply is the row's
// old value.
func (o *Op) rowCommands(s *sequence) {
	row, at := s.join(o.Table.Base, o.ID), s.int(o.Expire)
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
			s.add("ZADD", s.index(o, x, p.Value), score, o.ID)
		default:
			s.add("ZREM", s.index(o, x, p.Value), o.ID)
		}
	}
	s.add("ZADD", s.key(&o.NS, o.Table.Name, IDs, ""), score, o.ID)
	for k := range s.collections(o) {
		if o.Expire != 0 && !o.Table.Kept {
			s.add("PEXPIREAT", k, at)
		} else {
			s.add("PERSIST", k)
		}
	}
	for _, r := range o.Facts.Refs {
		held, keeper := s.key(&o.NS, r.Table, Held, r.ID), s.keeper(o)
		if r.Active {
			s.add("SADD", held, keeper)
			s.add("PERSIST", s.key(&o.NS, r.Table, "", r.ID))
		} else {
			s.add("SREM", held, keeper)
		}
	}
}

// collections are the keys of the collections of the op's row: lists with the
// ids they have seen, and hashes.
func (s *sequence) collections(o *Op) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, c := range o.Table.Collections {
			if !yield(s.part(o, c.Name)) || c.List && !yield(s.part(o, s.join(seen, c.Name))) {
				return
			}
		}
	}
}

func (o *Op) deleteCommands(s *sequence) {
	s.add("GETDEL", o.RowKey())
	for k := range s.collections(o) {
		s.add("DEL", k)
	}
	for _, x := range o.Table.Indexes {
		if !x.Field {
			s.add("ZREM", s.index(o, x, ""), o.ID)
		}
	}
	s.add("ZREM", s.key(&o.NS, o.Table.Name, IDs, ""), o.ID)
}

func (o *Op) clearCommands(s *sequence) {
	s.add("DEL", s.part(o, o.Part))
	s.add("DEL", s.part(o, Seen(o.Part)))
}

// maxArgs is how many fields one command changes: Lua unpacks only so many.
const maxArgs = 1000

func (o *Op) hashCommands(s *sequence) {
	k := s.part(o, o.Part)
	for elems := range slices.Chunk(o.Elems, maxArgs) {
		args := make([]string, 0, 2*len(elems))
		for _, e := range elems {
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
}

func (o *Op) seriesCommands(s *sequence) {
	k := o.RowKey()
	args := make([]string, len(o.Elems))
	for i, e := range o.Elems {
		args[i] = text(e.Value)
	}
	s.add("RPUSH", k, args...)
	if o.Capacity > 0 {
		s.add("LTRIM", k, strconv.FormatInt(-o.Capacity, 10), "-1")
	}
}
