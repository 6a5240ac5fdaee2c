package write

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/redis/rueidis"
)

// A form is how a step is sent.
type form uint8

const (
	queued   form = iota // commands between MULTI and EXEC
	scripted             // the apply script
	bare                 // commands of a series, which take no part in anything
)

// An exchange is a step with its commands and replies.
type exchange struct {
	Batch
	form form
	rs   []Result // of the ops
	err  error
	n    int // commands
	args arguments
}

func newExchange(b Batch, rs []Result) exchange {
	e := exchange{Batch: b, rs: rs}
	switch {
	case b.Atomic:
		e.form = scripted
	case b.Ops[0].Kind == SeriesAppend:
		e.form = bare
	case b.Ops[0].Kind == Delete: // without memory, Redis lets nothing into a transaction
		e.form = scripted
	case b.Ops[0].Kind == Append, b.Ops[0].Kind == HashPut, b.Ops[0].Kind == Put && b.Ops[0].Table.Kept:
		e.form = scripted
	}
	return e
}

func (e *exchange) fail(err error) {
	e.err = err
	for i := range e.rs {
		e.rs[i] = Result{Err: err}
	}
}

var sequences = sync.Pool{New: func() any { return new(sequence) }}

// send takes the steps, in one round trip.
func (x *Executor) send(ctx context.Context, es []exchange) {
	s := sequences.Get().(*sequence)
	defer sequences.Put(s)
	if len(es) == 1 && es[0].form == scripted {
		e := &es[0]
		if err := e.script(s); err != nil {
			e.fail(err)
		} else {
			e.answer(x.run(ctx, applyScript, e.args.keys, e.args.argv))
		}
		return
	}
	b := x.Conn.Client.B()
	cmds := make([]rueidis.Completed, 0, 18*len(es))
	for i := range es {
		cmds = es[i].commands(cmds, b, s)
	}
	if len(cmds) == 0 {
		return
	}
	replies := x.Conn.Client.DoMulti(ctx, cmds...)
	for i := range es {
		e := &es[i]
		mine := replies[:e.n]
		replies = replies[e.n:]
		switch {
		case e.n == 0: // failed before
		case e.form == queued:
			e.transaction(mine)
		case e.form == bare:
			// RPUSH alone decides: what a lost LTRIM leaves, the next one trims.
			e.fail(mine[0].Error())
		default:
			if re, ok := rueidis.IsRedisErr(mine[0].Error()); ok && re.IsNoScript() {
				mine[0] = x.run(ctx, applyScript, e.args.keys, e.args.argv)
			}
			e.answer(mine[0])
		}
	}
}

// commands adds what the step is sent as.
func (e *exchange) commands(cmds []rueidis.Completed, b rueidis.Builder, s *sequence) []rueidis.Completed {
	before := len(cmds)
	if e.form == scripted {
		if err := e.script(s); err != nil {
			e.fail(err)
			return cmds
		}
		e.n = 1
		return append(cmds, b.Evalsha().Sha1(applyScript.sha).Numkeys(int64(len(e.args.keys))).Key(e.args.keys...).Arg(e.args.argv...).Build())
	}
	if e.form == queued {
		cmds = append(cmds, b.Multi().Build())
	}
	s.reset()
	for i := range e.Ops {
		e.Ops[i].commands(s)
	}
	first := true
	s.each(func(c command, args []string) {
		if cmd := b.Arbitrary(c.name); e.form == bare || first {
			cmds = append(cmds, cmd.Keys(c.key).Args(args...).Build())
		} else { // its slot is that of the first: it need not be computed
			cmds = append(cmds, cmd.Args(c.key).Args(args...).Build())
		}
		first = false
	})
	if e.form == queued {
		cmds = append(cmds, b.Exec().Build())
	}
	e.n = len(cmds) - before
	return cmds
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
	if (o.Kind == Put || o.Kind == Delete) && len(replies) > 0 {
		e.rs[0].Old = bytesOf(replies[0])
	}
}

// script prepares the arguments of the apply script.
func (e *exchange) script(s *sequence) error {
	guards, err := existing(e.Ops)
	if err != nil {
		return err
	}
	a := &e.args
	a.put(strconv.Itoa(len(guards) + len(e.Checks)))
	for _, checks := range [][]Check{guards, e.Checks} {
		for _, c := range checks {
			a.put(c.kind, a.key(c.key), c.a, c.b)
		}
	}
	a.appends(e.Ops)
	n := 0
	for i := range e.Ops {
		o := &e.Ops[i]
		s.reset()
		if o.Kind == Append {
			o.rowCommands(s)
		} else {
			o.commands(s)
		}
		if o.Kind == Append && len(o.Elems) > 0 { // before the row, whose commands carry the TTL over
			n++
			a.put("3", "APPEND", a.key(o.partKey(o.Part)), strconv.Itoa(n), a.key(o.partKey(Seen(o.Part))), strconv.Itoa(len(s.commands)))
		}
		s.each(func(c command, args []string) {
			if c.name == kept {
				a.put("3", kept, a.key(c.key), a.key(o.partKey(Held)))
			} else {
				a.put(strconv.Itoa(c.n), c.name, a.key(c.key))
			}
			a.put(args...)
		})
		if o.Kind == HashPut {
			a.put("1", "TTLOF", a.key(o.partKey(o.Part)), a.key(o.RowKey()))
		}
	}
	return nil
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
