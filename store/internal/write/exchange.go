package write

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/rueidis"
)

// A form is how a step is sent.
type form uint8

const (
	// scripted: the apply script. What deletes passes as one when Redis has no
	// memory, which lets nothing into a transaction then.
	scripted form = iota
	// queued: a Put's commands between MULTI and EXEC. They take Redis less time
	// than the script, and come with no push for the near-cache.
	queued
	// bare: commands of a series, which take no part in anything.
	bare
)

// An exchange is a step with its results.
type exchange struct {
	Batch
	form form
	rs   []Result // of the ops
	err  error
	n    int // commands that it was sent as
}

func newExchange(b Batch, rs []Result) exchange {
	e := exchange{Batch: b, rs: rs}
	switch {
	case b.Atomic:
	case b.Ops[0].Kind == SeriesAppend:
		e.form = bare
	case b.Ops[0].Kind == Put && !b.Ops[0].Table.Kept:
		e.form = queued
	}
	return e
}

func (e *exchange) fail(err error) {
	e.err = err
	for i := range e.rs {
		e.rs[i] = Result{Err: err}
	}
}

var steps = sync.Pool{New: func() any { return new(step) }}

// send takes the steps, in one round trip.
func (x *Executor) send(ctx context.Context, es []exchange) {
	s := steps.Get().(*step)
	defer steps.Put(s)
	b := x.Conn.Client.B()
	cmds := make([]rueidis.Completed, 0, 18*len(es))
	for i := range es {
		before := len(cmds)
		cmds = es[i].commands(cmds, b, s)
		es[i].n = len(cmds) - before
	}
	var one [1]rueidis.RedisResult
	replies := one[:0]
	switch len(cmds) {
	case 0:
	case 1:
		one[0] = x.Conn.Client.Do(ctx, cmds[0])
		replies = one[:]
	default:
		replies = x.Conn.Client.DoMulti(ctx, cmds...)
	}
	for i := range es {
		e := &es[i]
		mine := replies[:e.n]
		replies = replies[e.n:]
		switch {
		case e.n == 0: // failed before
		case e.form == queued:
			e.transaction(mine)
		case e.form == bare:
			e.fail(mine[0].Error())
		default:
			r := mine[0]
			if unknown(r) {
				_ = s.fill(e.Ops, e.Checks)
				r = x.Conn.Client.Do(ctx, applyScript.whole(b, s.keys, s.argv))
			}
			e.answer(r)
		}
	}
}

// commands adds what the step is sent as.
func (e *exchange) commands(cmds []rueidis.Completed, b rueidis.Builder, s *step) []rueidis.Completed {
	if e.form == bare {
		return e.Ops[0].seriesCommands(cmds, b)
	}
	if err := s.fill(e.Ops, e.Checks); err != nil {
		e.fail(err)
		return cmds
	}
	if e.form == scripted {
		return append(cmds, applyScript.known(b, s.keys, s.argv))
	}
	cmds = append(cmds, b.Multi().Build())
	first := true
	s.each(func(name, key string, args []string) {
		c := b.Arbitrary(name)
		if first {
			c = c.Keys(key)
		} else { // in the slot of the first, which costs something to find
			c = c.Args(key)
		}
		first = false
		cmds = append(cmds, c.Args(args...).Build())
	})
	return append(cmds, b.Exec().Build())
}

// transaction reads the replies of MULTI, the queued commands and EXEC. A
// refusal while queueing aborts the whole; an error inside EXEC leaves the
// other commands applied.
func (e *exchange) transaction(group []rueidis.RedisResult) {
	o := &e.Ops[0]
	exec, between := group[len(group)-1], group[1:len(group)-1]
	var refused error
	naked := false // without MULTI a command is carried out at once
	for _, r := range between {
		if err := r.Error(); err == nil {
			text, _ := r.ToString()
			naked = naked || text != "QUEUED"
		} else if _, ok := rueidis.IsRedisErr(err); ok && refused == nil {
			refused = err
		}
	}
	if err := group[0].Error(); err != nil {
		if naked {
			err = fmt.Errorf("%w: %s: %v", ErrPartial, o.RowKey(), err)
		}
		e.fail(err)
		return
	}
	if refused != nil {
		e.fail(refused) // whether EXEC said so or its answer was lost
		return
	}
	replies, err := exec.ToArray()
	if err != nil {
		e.fail(err)
		return
	}
	var failed error
	for i := range replies {
		if err := replies[i].Error(); err != nil && !rueidis.IsRedisNil(err) {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		e.fail(fmt.Errorf("%w: %s: %s", ErrPartial, o.RowKey(), strings.ReplaceAll(failed.Error(), "\n", "; ")))
		return
	}
	e.rs[0] = Result{}
	if len(replies) > 0 {
		e.rs[0].Old = bytesOf(replies[0])
	}
}

// answer reads the reply of the apply script.
func (e *exchange) answer(r rueidis.RedisResult) {
	reply, err := r.ToArray()
	if err == nil {
		err = results(reply, e.Ops, e.rs)
	}
	if err != nil {
		e.fail(err)
	}
}
