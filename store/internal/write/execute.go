package write

import (
	"context"
	"errors"
	"sync"

	"github.com/nacre-store/nacre/store/internal/conn"
)

// An Executor sends ops.
type Executor struct {
	Conn *conn.Conn
	late sync.WaitGroup
}

// A Batch is what one call writes. Without Atomic, each op is a step of its
// own and all of them share a round trip; with it, all ops are one step that is
// taken only if the checks hold.
type Batch struct {
	Ops    []Op
	Atomic bool
	Checks []Check
}

// Do carries out the batch. The results stand in the order of the ops; those
// of an atomic batch have one error. What was surely not applied has been
// tried again until the bound on retries, and so has what was sent and not
// answered, as far as a second application cannot do anything: an append knows
// its elements by their ids, and an atomic step fails its own checks.
func (x *Executor) Do(ctx context.Context, b Batch) []Result {
	rs := make([]Result, len(b.Ops))
	var one [1]int
	todo := one[:0]
	for i := range b.Ops {
		todo = append(todo, i)
	}
	var sent []bool // of an earlier try no reply came
	_ = conn.Retry(ctx, func() error {
		if err := conn.Alive(ctx); err != nil {
			for _, i := range todo {
				if rs[i].Err == nil {
					rs[i].Err = err
				}
			}
			return nil
		}
		x.once(ctx, b, todo, rs)
		again := todo[:0]
		var last error
		for _, i := range todo {
			switch conn.Classify(rs[i].Err) {
			case conn.NotApplied:
				again, last = append(again, i), rs[i].Err
			case conn.Unknown:
				if ctx.Err() == nil && x.again(b, i) {
					if sent == nil {
						sent = make([]bool, len(b.Ops))
					}
					sent[i] = true
					again, last = append(again, i), conn.NotSent(rs[i].Err)
				}
			}
		}
		todo = again
		return last
	})
	for i, sent := range sent {
		// A conflict is no proof: it may be with what this very op has written.
		if err := rs[i].Err; sent && err != nil && (b.Atomic || !errors.Is(err, ErrConflict)) {
			rs[i].Err = conn.MaybeSent(err)
		}
	}
	x.leave(ctx, departures(nil, b.Ops, rs))
	return rs
}

// again tells whether an op that got no reply may be sent again. Without the
// fence the first sending might still arrive behind the second.
func (x *Executor) again(b Batch, i int) bool {
	if !x.Conn.Fenced() {
		return false
	}
	if b.Atomic {
		return shows(b.Checks, b.Ops)
	}
	return b.Ops[i].Kind == Append && len(b.Ops[i].Elems) > 0
}

// Try takes steps, each of its own, once and in one round trip. No two of them
// may be about the same row. The caller looks after what has not worked.
func (x *Executor) Try(ctx context.Context, steps []Batch) [][]Result {
	all := make([][]Result, len(steps))
	var puts, rows, series []exchange
	for i, b := range steps {
		all[i] = make([]Result, len(b.Ops))
		switch e := newExchange(b, all[i]); e.form {
		case bare:
			series = append(series, e)
		case queued:
			puts = append(puts, e)
		default:
			rows = append(rows, e)
		}
	}
	x.sendGroups(ctx, puts, rows)
	x.send(ctx, series)
	var ds []departure
	for i, b := range steps {
		ds = departures(ds, b.Ops, all[i])
	}
	x.leave(ctx, ds)
	return all
}

// Check carries out checks without writing.
func (x *Executor) Check(ctx context.Context, checks []Check) error {
	return conn.Retry(ctx, func() error {
		if err := conn.Alive(ctx); err != nil {
			return err
		}
		e := [1]exchange{newExchange(Batch{Checks: checks, Atomic: true}, nil)}
		x.send(ctx, e[:])
		if err := e[0].err; conn.Classify(err) == conn.Unknown && ctx.Err() == nil {
			return conn.NotSent(err) // nothing was to be changed
		}
		return e[0].err
	})
}

// once tries the ops at the given places.
func (x *Executor) once(ctx context.Context, b Batch, todo []int, rs []Result) {
	if b.Atomic || len(b.Ops) == 1 {
		e := [1]exchange{newExchange(b, rs)}
		x.send(ctx, e[:])
		return
	}
	var rows, series []exchange
	seen := map[string]bool{}
	for _, i := range todo {
		e := newExchange(Batch{Ops: b.Ops[i : i+1]}, rs[i:i+1])
		if e.form == bare {
			series = append(series, e) // another slot on a cluster
			continue
		}
		if k := b.Ops[i].RowKey(); seen[k] {
			x.send(ctx, rows) // in order
			rows = rows[:0]
			clear(seen)
		} else {
			seen[k] = true
		}
		rows = append(rows, e)
	}
	x.send(ctx, rows)
	x.send(ctx, series)
}
