package write

import (
	"bytes"
	"context"
	"time"

	"github.com/redis/rueidis"
)

// A write adds its row to the sets that the new bytes name. What only the
// replaced bytes named is left here, afterwards and on condition: a set that
// still lists the row is harmless, a set that misses it is not.

// leaveScript takes a row's id out of sets, if the row still has the bytes that
// were written, so that a newer write wins; otherwise it returns the newer
// bytes. A row of which nobody is a keeper any more gets its expiry, whoever
// was the last.
// KEYS: row, then sets, then pairs of a held set and the kept row. ARGV: bytes
// or "" for absent, id, keeper, now in ms, number of sets, then for each pair
// the TTL of the kept row.
const leaveScript = `
local now = redis.call('GET', KEYS[1])
local same = (ARGV[1] == '' and not now) or (ARGV[1] ~= '' and now == ARGV[1])
local n = tonumber(ARGV[5])
if same then
	for i = 2, n + 1 do redis.call('ZREM', KEYS[i], ARGV[2]) end
end
local a = 6
for i = n + 2, #KEYS, 2 do
	if same then redis.call('SREM', KEYS[i], ARGV[3]) end
	if ARGV[a] ~= '0' and redis.call('SCARD', KEYS[i]) == 0 and redis.call('PTTL', KEYS[i+1]) == -1 then
		redis.call('PEXPIREAT', KEYS[i+1], ARGV[4] + ARGV[a])
	end
	a = a + 1
end
if same then return 1 end
return now`

// A departure is a row with what it said before and what it says now.
type departure struct {
	op  *Op // the last one on the row
	was []Facts
	now Facts
	row []byte // as it is now; nil is absent
}

// maxDepartures bounds how often a departure follows a row that others write at
// the same time.
const maxDepartures = 4

// departures are those of the rows that the ops of one batch have written.
func departures(ds []departure, ops []Op, rs []Result) []departure {
	var seen map[string]bool
	if len(ops) > 1 {
		seen = map[string]bool{}
	}
	for i := range ops {
		if !took(&ops[i], &rs[i]) || !ops[i].Table.leaves() {
			continue
		}
		if seen != nil {
			k := ops[i].RowKey()
			if seen[k] {
				continue
			}
			seen[k] = true
		}
		if d := leaving(ops[i:], rs[i:]); len(d.was) > 0 {
			ds = append(ds, d)
		}
	}
	return ds
}

// leave takes rows out of the sets that only their replaced bytes named. When
// it is lost, readers drop what it would have removed, and kept rows live
// longer than they need to.
func (x *Executor) leave(ctx context.Context, ds []departure) {
	all := ds
	for n := 0; n < maxDepartures && len(ds) > 0; n++ {
		ds = x.depart(ctx, ds)
	}
	if ctx.Err() != nil && len(all) > 0 { // the caller does not wait any more, but its rows are written
		for i := range all { // and uses its bytes again
			all[i].row = bytes.Clone(all[i].row)
		}
		x.late.Go(func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lateFor)
			defer cancel()
			for range maxDepartures {
				all = x.depart(ctx, all)
			}
		})
	}
}

// lateFor bounds departures for which nobody waits.
const lateFor = time.Second

// Wait waits for what goes on behind calls that have returned.
func (x *Executor) Wait() { x.late.Wait() }

// leaves tells whether a row of the table can have been in a set that a later
// one is not in.
func (t *Table) leaves() bool {
	for _, x := range t.Indexes {
		if x.Field {
			return true
		}
	}
	return t.Keeps
}

// took tells whether the op has written its row.
func took(o *Op, r *Result) bool { return r.Err == nil && !r.Duplicate && o.WritesRow() }

// leaving returns the departure of the row of the first op. Later ops may be on
// the same row: what counts is the bytes before the first of them and what
// stands there after the last. Where nothing is to be left, was is empty.
func leaving(ops []Op, rs []Result) departure {
	d := departure{op: &ops[0]}
	last := 0
	for i := range ops {
		if o := &ops[i]; i > 0 && took(o, &rs[i]) && o.Table == d.op.Table && o.ID == d.op.ID {
			last = i
		}
	}
	if o := &ops[last]; o.Kind != Delete {
		d.now, d.row = o.Facts, o.Row
	}
	if old := rs[0].Old; old != nil && (d.row == nil || string(old) != string(d.row)) {
		if f, err := d.op.Table.Facts(old); err == nil { // of an unreadable row, readers drop the members
			d.add(f)
		}
	}
	for i := range ops[:last] {
		if o := &ops[i]; o.Kind != Delete && took(o, &rs[i]) && o.Table == d.op.Table && o.ID == d.op.ID {
			d.add(o.Facts)
		}
	}
	d.op = &ops[last]
	return d
}

// add notes what the row has said before, if it does not say so any more.
func (d *departure) add(f Facts) {
	for i, p := range f.In {
		if d.leaves(i, p) {
			d.was = append(d.was, f)
			return
		}
	}
	for _, r := range f.Refs {
		if r.Active && !d.now.keeps(r) {
			d.was = append(d.was, f)
			return
		}
	}
}

// leaves tells whether the row is not any more in the set of the i-th index
// that it has been in.
func (d *departure) leaves(i int, was Place) bool {
	return d.op.Table.Indexes[i].Field && was.Value != "" && (d.row == nil || was.Value != d.now.In[i].Value)
}

// call returns what the script is run on; false where there is nothing to
// leave any more.
func (d *departure) call(now int64) (keys, args []string, ok bool) {
	o := d.op
	// The bytes are copied: nobody waits for this call, so that the caller may
	// use them again before it is sent.
	var a arena
	keys = []string{o.RowKey()}
	args = []string{string(d.row), o.ID, a.keeper(o), a.int(now), ""}
	for _, f := range d.was {
		for i, p := range f.In {
			if d.leaves(i, p) {
				keys = append(keys, a.index(o, o.Table.Indexes[i], p.Value))
			}
		}
	}
	args[4] = a.int(int64(len(keys) - 1))
	for _, f := range d.was {
		for _, r := range f.Refs {
			if r.Active && !d.now.keeps(r) {
				keys = append(keys, a.key(&o.NS, r.Table, Held, r.ID), a.key(&o.NS, r.Table, "", r.ID))
				args = append(args, a.int(r.TTL))
			}
		}
	}
	return keys, args, len(keys) > 1
}

func (f *Facts) keeps(r Ref) bool {
	for _, n := range f.Refs {
		if n.Active && n.Table == r.Table && n.ID == r.ID {
			return true
		}
	}
	return false
}

// depart runs the script for each departure in one round trip and returns
// those that others have overtaken, as they stand now.
func (x *Executor) depart(ctx context.Context, ds []departure) (again []departure) {
	if len(ds) == 0 {
		return nil
	}
	b := x.Conn.Client.B()
	var cmds []rueidis.Completed
	var of []*departure
	for i := range ds {
		keys, args, ok := ds[i].call(x.Conn.Now())
		if !ok {
			continue
		}
		cmds = append(cmds, leave.known(b, keys, args))
		of = append(of, &ds[i])
	}
	if len(cmds) == 0 {
		return nil
	}
	for i, r := range x.Conn.Client.DoMulti(ctx, cmds...) {
		d := of[i]
		if unknown(r) {
			keys, args, _ := d.call(x.Conn.Now())
			r = x.Conn.Client.Do(ctx, leave.whole(b, keys, args))
		}
		m, err := r.ToMessage()
		switch {
		case rueidis.IsRedisNil(err):
			d.row, d.now = nil, Facts{}
		case err != nil || m.IsInt64():
			continue
		default:
			if d.row = bytesOf(m); d.row == nil {
				continue
			}
			if d.now, err = d.op.Table.Facts(d.row); err != nil {
				continue
			}
		}
		again = append(again, *d)
	}
	return again
}
