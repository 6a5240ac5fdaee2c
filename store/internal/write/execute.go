package write

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/rueidis"

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
	todo := make([]int, len(b.Ops))
	for i := range todo {
		todo[i] = i
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
	x.leave(ctx, b.Ops, rs)
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

// Try is Do without a second try: the caller looks after the rest.
func (x *Executor) Try(ctx context.Context, b Batch) []Result {
	rs := make([]Result, len(b.Ops))
	todo := make([]int, len(b.Ops))
	for i := range todo {
		todo[i] = i
	}
	x.once(ctx, b, todo, rs)
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
		if conn.Classify(err) == conn.Unknown && ctx.Err() == nil {
			err = conn.NotSent(err) // nothing was to be changed
		}
		return err
	})
}

// once tries the ops at the given places.
func (x *Executor) once(ctx context.Context, b Batch, todo []int, rs []Result) {
	if b.Atomic {
		x.one(ctx, b.Checks, b.Ops, rs)
		return
	}
	var plain, series []int
	for _, i := range todo {
		rs[i] = Result{}
		switch o := &b.Ops[i]; {
		case o.Kind == SeriesAppend:
			series = append(series, i) // another slot on a cluster
		case o.Kind == Append, o.Kind == HashPut, o.Kind == Put && o.Table.Kept:
			x.one(ctx, nil, b.Ops[i:i+1], rs[i:i+1])
		default:
			plain = append(plain, i)
		}
	}
	x.pipeline(ctx, b.Ops, plain, rs, true)
	x.pipeline(ctx, b.Ops, series, rs, false)
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

var sequences = sync.Pool{New: func() any { return new(sequence) }}

// pipeline sends the commands of several ops together, each op in a
// transaction of its own where tx says so.
func (x *Executor) pipeline(ctx context.Context, ops []Op, todo []int, rs []Result, tx bool) {
	if len(todo) == 0 {
		return
	}
	b := x.Conn.Client.B()
	s := sequences.Get().(*sequence)
	defer sequences.Put(s)
	var cmds []rueidis.Completed
	lens := make([]int, len(todo))
	for n, i := range todo {
		s.reset()
		ops[i].commands(s)
		lens[n] = len(s.commands)
		if tx {
			cmds = append(cmds, b.Multi().Build())
		}
		s.each(func(c command, args []string) {
			cmds = append(cmds, b.Arbitrary(c.name).Keys(c.key).Args(args...).Build())
		})
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
		// RPUSH alone decides: what a lost LTRIM leaves, the next one trims.
		rs[i].Err = replies[at].Error()
		at += lens[n]
	}
}

// transaction reads the replies of MULTI, the queued commands and EXEC. A
// refusal while queueing aborts the whole; an error inside EXEC leaves the
// other commands applied.
func transaction(o *Op, group []rueidis.RedisResult) Result {
	exec, queued := group[len(group)-1], group[1:len(group)-1]
	var refused error
	bare := false // without MULTI a command is carried out at once
	for _, r := range queued {
		if err := r.Error(); err == nil {
			text, _ := r.ToString()
			bare = bare || text != "QUEUED"
		} else if _, ok := rueidis.IsRedisErr(err); ok && refused == nil {
			refused = err
		}
	}
	if err := group[0].Error(); err != nil {
		if bare {
			return Result{Err: fmt.Errorf("%w: %s: %v", ErrPartial, o.RowKey(), err)}
		}
		return Result{Err: err}
	}
	if refused != nil {
		return Result{Err: refused} // whether EXEC said so or its answer was lost
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
		return Result{Err: fmt.Errorf("%w: %s: %s", ErrPartial, o.RowKey(), strings.ReplaceAll(failed.Error(), "\n", "; "))}
	}
	if o.Kind == Put || o.Kind == Delete {
		return Result{Old: bytesOf(replies[0])}
	}
	return Result{}
}
