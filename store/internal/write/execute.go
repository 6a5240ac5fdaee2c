package write

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/conn"
)

// An Executor sends ops.
type Executor struct {
	Conn *conn.Conn
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
// tried again until the bound on retries.
func (x *Executor) Do(ctx context.Context, b Batch) []Result {
	rs := make([]Result, len(b.Ops))
	todo := make([]int, len(b.Ops))
	for i := range todo {
		todo[i] = i
	}
	_ = conn.Retry(ctx, func() error {
		if err := conn.Alive(ctx); err != nil {
			for _, i := range todo {
				if rs[i].Err == nil {
					rs[i].Err = err
				}
			}
			return nil
		}
		if b.Atomic {
			x.one(ctx, b.Checks, b.Ops, rs)
		} else {
			x.send(ctx, b.Ops, todo, rs)
		}
		var again []int
		var last error
		for _, i := range todo {
			if conn.Classify(rs[i].Err) == conn.NotApplied {
				again, last = append(again, i), rs[i].Err
			}
		}
		todo = again
		return last
	})
	x.leave(ctx, b.Ops, rs)
	return rs
}

// Check carries out checks without writing.
func (x *Executor) Check(ctx context.Context, checks []Check) error {
	return conn.Retry(ctx, func() error {
		if err := conn.Alive(ctx); err != nil {
			return err
		}
		_, err := x.apply(ctx, checks, nil)
		return err
	})
}

// one takes the ops as one atomic step and writes its results to rs.
func (x *Executor) one(ctx context.Context, checks []Check, ops []Op, rs []Result) {
	got, err := x.apply(ctx, checks, ops)
	for i := range rs {
		if rs[i] = (Result{Err: err}); err == nil {
			rs[i] = got[i]
		}
	}
}

// send tries the ops at the given places once.
func (x *Executor) send(ctx context.Context, ops []Op, todo []int, rs []Result) {
	var plain, series []int
	for _, i := range todo {
		rs[i] = Result{}
		switch o := &ops[i]; {
		case o.Kind == SeriesAppend:
			series = append(series, i) // another slot on a cluster
		case o.Kind == Append, o.Kind == HashPut, o.Kind == Put && o.Table.Kept:
			x.one(ctx, nil, ops[i:i+1], rs[i:i+1])
		default:
			plain = append(plain, i)
		}
	}
	x.pipeline(ctx, ops, plain, rs, true)
	x.pipeline(ctx, ops, series, rs, false)
}

// pipeline sends the commands of several ops together, each op in a
// transaction of its own where tx says so.
func (x *Executor) pipeline(ctx context.Context, ops []Op, todo []int, rs []Result, tx bool) {
	if len(todo) == 0 {
		return
	}
	b := x.Conn.Client.B()
	var cmds []rueidis.Completed
	lens := make([]int, len(todo))
	for n, i := range todo {
		s := ops[i].commands()
		lens[n] = len(s.commands)
		if tx {
			cmds = append(cmds, b.Multi().Build())
		}
		for _, c := range s.commands {
			cmds = append(cmds, b.Arbitrary(c.name).Keys(c.key).Args(c.args...).Build())
		}
		if tx {
			cmds = append(cmds, b.Exec().Build())
		}
	}
	replies := x.Conn.Client.DoMulti(ctx, cmds...)
	at := 0
	for n, i := range todo {
		if tx {
			group := replies[at : at+lens[n]+2]
			at += len(group)
			rs[i] = transaction(&ops[i], group)
			continue
		}
		for _, r := range replies[at : at+lens[n]] {
			rs[i].Err = errors.Join(rs[i].Err, r.Error())
		}
		at += lens[n]
	}
}

// transaction reads the replies of MULTI, the queued commands and EXEC. A
// refusal while queueing aborts the whole; an error inside EXEC leaves the
// other commands applied.
func transaction(o *Op, group []rueidis.RedisResult) Result {
	exec := group[len(group)-1]
	if err := exec.Error(); err != nil {
		if exec.NonRedisError() == nil {
			// EXECABORT: the queueing error says why, and the class of retry.
			for _, r := range group[:len(group)-1] {
				if q := r.Error(); q != nil {
					return Result{Err: q}
				}
			}
		}
		return Result{Err: err}
	}
	replies, err := exec.ToArray()
	if err != nil {
		return Result{Err: err}
	}
	var failed error
	for i := range replies {
		if err := replies[i].Error(); err != nil && !rueidis.IsRedisNil(err) {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		return Result{Err: fmt.Errorf("%w: %s: %w", ErrPartial, o.RowKey(), failed)}
	}
	if o.Kind == Put || o.Kind == Delete {
		return Result{Old: bytesOf(replies[0])}
	}
	return Result{}
}

// leave takes rows out of the sets that only their replaced bytes named. When
// it is lost, readers drop what it would have removed.
func (x *Executor) leave(ctx context.Context, ops []Op, rs []Result) {
	for i := range ops {
		o := &ops[i]
		if rs[i].Err != nil || rs[i].Duplicate || o.Kind != Put && o.Kind != Append && o.Kind != Delete {
			continue
		}
		sets, refs := o.leaving(rs[i].Old)
		if len(sets) == 0 && len(refs) == 0 {
			continue
		}
		keys := append([]string{o.RowKey()}, sets...)
		bytes := ""
		if o.Kind != Delete {
			bytes = text(o.Row)
		}
		args := []string{bytes, o.ID, o.keeper(), strconv.FormatInt(x.Conn.Now(), 10), strconv.Itoa(len(sets))}
		for _, r := range refs {
			keys = append(keys, o.NS.Base(r.Table, Held)+r.ID, o.NS.Base(r.Table, "")+r.ID)
			args = append(args, strconv.FormatInt(r.TTL, 10))
		}
		_ = x.run(ctx, leave, keys, args)
	}
}
