package buffer

import (
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/write"
)

// idle is how long run sleeps when there is nothing to do.
const idle = time.Hour

// poke makes run look again.
func (b *Buffer) poke() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// run starts batches when they are due.
func (b *Buffer) run() {
	defer close(b.stopped)
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		b.mu.Lock()
		wait := b.start(time.Now())
		ended := b.ended
		b.mu.Unlock()
		if ended {
			return
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-b.wake:
		}
	}
}

// start sends what is due, one batch of each lane after the other, and returns
// when to look again.
func (b *Buffer) start(now time.Time) time.Duration {
	if b.ended {
		return idle
	}
	if now.Before(b.pause) {
		return b.pause.Sub(now)
	}
	next := now.Add(idle)
	for progress := true; progress; {
		progress = false
		for i := 0; i < len(b.active); i++ {
			l := b.active[(b.turn+i)%len(b.active)]
			if b.flying == maxFlyingAll || b.failures > 0 && b.flying > 0 {
				return next.Sub(now) // a batch that returns looks again
			}
			if l.flying == maxFlying || l.limit < maxBatch && l.flying > 0 {
				continue
			}
			batch, due := l.take(now)
			if len(batch) == 0 {
				next = earlier(next, due)
				continue
			}
			progress = true
			l.flying++
			b.flying++
			b.senders.Go(func() { b.send(l, batch) })
		}
		b.turn++
	}
	active := b.active[:0]
	for _, l := range b.active {
		if l.active = !l.empty(); l.active {
			active = append(active, l)
		}
	}
	clear(b.active[len(active):])
	b.active = active
	return next.Sub(now)
}

// A ride is a generation under way.
type ride struct {
	q   *queue
	g   *gen
	err error
}

// send carries one batch out.
func (b *Buffer) send(l *lane, batch []ride) {
	steps := make([]write.Batch, 0, len(batch))
	at := make([]int, 0, len(batch))
	for i := range batch {
		r := &batch[i]
		if r.g.unknown > 0 && r.g.ops[0].Kind == write.SeriesAppend {
			// Its elements have no ids: whether they are there decides.
			landed, err := b.o.Landed(b.ctx, &r.g.ops[0])
			if r.err = err; landed || err != nil {
				continue
			}
		}
		steps, at = append(steps, write.Batch{Ops: r.g.ops, Atomic: len(r.g.ops) > 1}), append(at, i)
	}
	if len(steps) > 0 {
		for i, rs := range b.o.Send(b.ctx, steps) {
			batch[at[i]].err = rs[0].Err
		}
	}
	b.mu.Lock()
	b.finish(l, batch, time.Now())
	b.mu.Unlock()
	b.poke()
}

// finish takes the answers to a batch in.
func (b *Buffer) finish(l *lane, batch []ride, now time.Time) {
	l.flying--
	b.flying--
	b.last = nil
	trouble, unknown := false, false
	for _, r := range slices.Backward(batch) { // those to be sent again keep their order
		q, g := r.q, r.g
		q.flying = false
		g.tries++
		if g.err = r.err; r.err != nil {
			b.last = r.err
		}
		v := b.judge(l, g, r.err, len(batch) == 1)
		if v == failed && len(g.ops) > 1 && errors.Is(r.err, write.ErrConflict) {
			q.split() // only one of them has to fail
			l.rush.pushFront(q)
			continue
		}
		switch v {
		case acked:
			l.acked++
			b.counts.Acked++
			b.done(l, q, g, now)
			continue
		case failed:
			b.fail(q.t, &g.ops[len(g.ops)-1], r.err)
			b.done(l, q, g, now)
			continue
		case again:
			l.rush.pushFront(q)
		case behind:
			l.rush.pushBack(q)
		case slowly:
			l.postpone(q, now.Add(20*time.Millisecond<<min(g.alone, 3)))
		}
		b.counts.Resent++
		trouble = trouble || v != slowly
		unknown = unknown || conn.Classify(r.err) == conn.Unknown
	}
	switch {
	case unknown:
		l.limit = max(1, len(batch)/2)
	case !trouble:
		l.limit = min(maxBatch, 4*l.limit)
	}
	b.backOff(trouble, unknown, now)
	b.makeRoom()
}

// done takes a generation out that is acknowledged or has failed.
func (b *Buffer) done(l *lane, q *queue, g *gen, now time.Time) {
	b.used.sub(g.cost)
	for _, w := range g.waiters {
		w.left()
	}
	q.pop(b.ctx.Err() == nil)
	if len(q.gens) == 0 {
		b.release(q)
		return
	}
	b.oldest.remove(q)
	b.oldest.pushBack(q)
	// What has had to wait for another batch does not wait for its interval too.
	q.urgent = q.awaited() || !q.gens[0].since.Add(b.o.Interval).After(now)
	l.queue(q, now)
}

// A verdict says what becomes of a step.
type verdict int

const (
	acked verdict = iota
	failed
	again  // at once, or when the connection is back
	behind // behind the others: the server does not want it now
	slowly // on its own: it breaks the connection, perhaps
)

// maxAlone is how often a step that never gets an answer is sent again, alone,
// while others between do: it breaks the connection, and would for ever.
const maxAlone = 8

func (b *Buffer) judge(l *lane, g *gen, err error, alone bool) verdict {
	switch class := conn.Classify(err); {
	case class == conn.OK:
		return acked
	case class == conn.Unknown:
		if g.unknown++; !alone {
			return again
		}
		// It is suspect as often as others got through since the last time.
		if g.alone == 0 || l.acked > g.acked {
			g.alone, g.acked = g.alone+1, l.acked
		}
		if g.alone > maxAlone {
			return failed
		}
		return slowly
	case class == conn.NotApplied:
		if errors.As(err, new(*conn.DialError)) {
			return again
		}
		return behind
	case class == conn.Closed:
		return again
	case conn.Denied(err) && errors.As(err, new(*conn.DialError)):
		return again // of nobody: there is no connection
	}
	return failed
}

// backOff makes sure that a server in trouble is asked seldom, and one that is
// back is found soon.
func (b *Buffer) backOff(trouble, unknown bool, now time.Time) {
	if !trouble {
		b.failures, b.pause = 0, time.Time{}
		return
	}
	most := 250 * time.Millisecond
	if unknown {
		most = 40 * time.Millisecond // there is a server
	}
	d := min(5*time.Millisecond<<min(b.failures, 6), most)
	if b.failures++; conn.Denied(b.last) {
		d = 250 * time.Millisecond
	}
	b.pause = now.Add(d/2 + rand.N(d/2+1))
}
