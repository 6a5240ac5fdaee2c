package write

import (
	"iter"
	"slices"
	"strconv"

	"github.com/redis/rueidis"
)

// commands adds those of the op, but for what an Append does to its list.
func (o *Op) commands(s *step) {
	switch o.Kind {
	case Put, Append:
		o.rowCommands(s)
	case Delete:
		o.deleteCommands(s)
	case Clear:
		s.add("DEL", s.part(o, o.Part))
		s.add("DEL", s.part(o, Seen(o.Part)))
	case HashPut, HashDelete:
		o.hashCommands(s)
	}
}

// rowCommands stores the row with everything that follows it: indexes,
// the expiry of its collections, what it keeps. The first reply is the row's
// old value.
func (o *Op) rowCommands(s *step) {
	row, at := s.join(o.Table.Base, o.ID), s.int(o.Expire)
	score := at
	if o.Expire == 0 || o.Table.Kept {
		score = "+inf" // a kept row outlives its expiry, so no sweep may drop it
	}
	switch {
	case o.Table.Kept:
		s.on(keptSet, []string{text(o.Row), at}, row, s.part(o, Held))
	case o.Expire != 0:
		s.on("SET", []string{text(o.Row), "PXAT", at, "GET"}, row)
	default:
		s.on("SET", []string{text(o.Row), "GET"}, row)
	}
	s.add("ZADD", s.key(&o.NS, o.Table.Name, IDs, ""), score, o.ID)
	for i, x := range o.Table.Indexes {
		if p := o.Facts.In[i]; p.Listed {
			s.add("ZADD", s.index(o, x, p.Value), score, o.ID)
		}
	}
	for i, x := range o.Table.Indexes {
		if p := o.Facts.In[i]; !p.Listed && (!x.Field || p.Value != "") {
			s.add("ZREM", s.index(o, x, p.Value), o.ID)
		}
	}
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
func (s *step) collections(o *Op) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, c := range o.Table.Collections {
			if !yield(s.part(o, c.Name)) || c.List && !yield(s.part(o, s.join(seen, c.Name))) {
				return
			}
		}
	}
}

func (o *Op) deleteCommands(s *step) {
	s.on("GETDEL", nil, o.RowKey())
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

// maxArgs is how many fields one command changes: Lua unpacks only so many.
const maxArgs = 1000

func (o *Op) hashCommands(s *step) {
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
			s.on("HSET", args, k)
		} else {
			s.on("HDEL", args, k)
		}
	}
	if o.Kind == HashPut {
		s.on(ttlOf, nil, k, o.RowKey())
	}
}

// seriesCommands appends to a series and trims it. The first reply alone
// decides: what a lost LTRIM leaves, the next one trims.
func (o *Op) seriesCommands(cmds []rueidis.Completed, b rueidis.Builder) []rueidis.Completed {
	push := b.Arbitrary("RPUSH").Keys(o.RowKey())
	for _, e := range o.Elems {
		push = push.Args(text(e.Value))
	}
	cmds = append(cmds, push.Build())
	if o.Capacity > 0 {
		cmds = append(cmds, b.Arbitrary("LTRIM").Keys(o.RowKey()).Args(strconv.FormatInt(-o.Capacity, 10), "-1").Build())
	}
	return cmds
}
