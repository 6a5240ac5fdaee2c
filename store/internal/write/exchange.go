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
	x.receive(ctx, es, x.round(ctx, x.commands(make([]rueidis.Completed, 0, 18*len(es)), es)))
}

// commands adds those of the steps.
func (x *Executor) commands(cmds []rueidis.Completed, es []exchange) []rueidis.Completed {
	s := steps.Get().(*step)
	defer steps.Put(s)
	b := x.Conn.Client.B()
	for i := range es {
		before := len(cmds)
		cmds = es[i].commands(cmds, b, s)
		es[i].n = len(cmds) - before
	}
	return cmds
}

// round makes one round trip.
func (x *Executor) round(ctx context.Context, cmds []rueidis.Completed) []rueidis.RedisResult {
	switch len(cmds) {
	case 0:
		return nil
	case 1:
		return []rueidis.RedisResult{x.Conn.Client.Do(ctx, cmds[0])}
	}
	return x.Conn.Client.DoMulti(ctx, cmds...)
}

// receive takes the replies to the commands of the steps.
func (x *Executor) receive(ctx context.Context, es []exchange, replies []rueidis.RedisResult) {
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
				s := steps.Get().(*step)
				_ = s.fill(e.Ops, e.Checks)
				r = x.Conn.Client.Do(ctx, applyScript.whole(x.Conn.Client.B(), s.keys, s.argv))
				steps.Put(s)
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

// transaction reads the replies of MULTI, the queued commands and EXEC.
func (e *exchange) transaction(group []rueidis.RedisResult) {
	values, err := executed(group, e.Ops[0].RowKey())
	if err != nil {
		e.fail(err)
		return
	}
	e.rs[0] = Result{}
	if len(values) > 0 {
		e.rs[0].Old = bytesOf(values[0])
	}
}

// executed returns the replies of EXEC. A refusal while queueing aborts the
// whole; an error inside EXEC leaves the other commands applied, whose replies
// are then returned beside the error, which names what was to be written.
func executed(group []rueidis.RedisResult, what string) ([]rueidis.RedisMessage, error) {
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
			err = fmt.Errorf("%w: %s: %v", ErrPartial, what, err)
		}
		return nil, err
	}
	if refused != nil {
		return nil, refused // whether EXEC said so or its answer was lost
	}
	values, err := exec.ToArray()
	if err != nil {
		return nil, err
	}
	var failed error
	for i := range values {
		if err := values[i].Error(); err != nil && !rueidis.IsRedisNil(err) {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		return values, fmt.Errorf("%w: %s: %s", ErrPartial, what, strings.ReplaceAll(failed.Error(), "\n", "; "))
	}
	return values, nil
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
