package buffer

import (
	"slices"
	"time"

	"github.com/nacre-store/nacre/store/internal/write"
)

// A queue is everything that is pending of one key, oldest first. While it is
// flying, its first generation is under way.
type queue struct {
	key    Key
	t      *Tenant
	gens   []*gen
	flying bool
	urgent bool
	due    time.Time // not before
	link   link      // in the list of its lane from which it will be sent; none while flying
	age    link      // in Buffer.oldest
}

// first is the generation that later ones wait for; last is the one that still
// takes writes, nil if that is under way.
func (q *queue) last() *gen {
	if n := len(q.gens); n > 1 || n == 1 && !q.flying {
		return q.gens[n-1]
	}
	return nil
}

// joins returns the unsent generation that the op may join, nil where there is
// none. An append passes by a generation that touches nothing but hashes: the
// row exists before and after.
func (q *queue) joins(op *write.Op) *gen {
	g := q.last()
	if g == nil || g.takes(op) {
		return g
	}
	if n := len(q.gens); op.Kind == write.Append && g.onlyHashes() && n > 1 && !(n == 2 && q.flying) && q.gens[n-2].takes(op) {
		return q.gens[n-2]
	}
	return nil
}

// saves returns what the op would take the place of.
func (q *queue) saves(op *write.Op) (c cost) {
	if op.Kind == write.Delete {
		for i, g := range q.gens {
			if i > 0 || !q.flying {
				c.add(g.cost)
			}
		}
	} else if g := q.joins(op); g != nil {
		c = g.frees(op)
	}
	return c
}

// add takes the op in. It returns by how much the queue has grown and whether
// the op took the place of another one.
func (q *queue) add(op *write.Op, now time.Time) (grown cost, replaced bool) {
	if op.Kind == write.Delete {
		return q.wipe(op, now)
	}
	if g := q.joins(op); g != nil {
		return g.join(op)
	}
	var g *gen
	if n := len(q.gens); cap(q.gens) > n {
		g = q.gens[:n+1][n] // one that was acknowledged
	}
	if g == nil {
		g = &gen{}
	}
	g.start(op, now)
	q.gens = append(q.gens, g)
	return g.cost, false
}

// wipe puts a Delete in the place of everything that is not under way.
func (q *queue) wipe(op *write.Op, now time.Time) (grown cost, replaced bool) {
	keep := 0
	if q.flying {
		keep = 1
	}
	g, since := &gen{}, now
	var waiters []*waiter
	for i, old := range q.gens[keep:] {
		if i == 0 {
			since = old.since // its age is that of the oldest
		}
		grown.sub(old.cost)
		waiters = append(waiters, old.waiters...)
		replaced = true
	}
	g.start(op, since)
	g.waiters = waiters
	clear(q.gens[keep:])
	q.gens = append(q.gens[:keep], g)
	grown.add(g.cost)
	return grown, replaced
}

// pop takes the first generation out. Its place is kept for another one, with
// the room that its ops have, unless somebody may still look at them.
func (q *queue) pop(keep bool) {
	g, n := q.gens[0], len(q.gens)-1
	copy(q.gens, q.gens[1:])
	q.gens[n] = nil
	q.gens = q.gens[:n]
	if !keep {
		return
	}
	for i := range g.ops {
		o := &g.ops[i]
		in, refs := o.Facts.In, o.Facts.Refs
		clear(in)
		clear(refs)
		*o = write.Op{}
		o.Facts.In, o.Facts.Refs = in, refs
	}
	*g = gen{ops: g.ops[:0]}
	q.gens[:n+1][n] = g
}

// split puts a generation for each op in the place of the first one, of which
// nothing was done.
func (q *queue) split() {
	g := q.gens[0]
	parts := make([]*gen, len(g.ops))
	for i := range g.ops {
		parts[i] = &gen{ops: g.ops[i : i+1 : i+1], since: g.since, cost: costOf(&g.ops[i]), tries: g.tries, unknown: g.unknown}
	}
	parts[len(parts)-1].waiters = g.waiters
	q.gens = slices.Replace(slices.Clip(q.gens), 0, 1, parts...)
}

// awaited tells whether somebody waits for any of it.
func (q *queue) awaited() bool {
	for _, g := range q.gens {
		if len(g.waiters) > 0 {
			return true
		}
	}
	return false
}

// row returns the row as it will be; see [gen.row].
func (q *queue) row() (raw []byte, ok bool) {
	for i := len(q.gens) - 1; i >= 0; i-- {
		if raw, ok := q.gens[i].row(); ok {
			return raw, true
		}
	}
	return nil, false
}

// A list of queues, linked in themselves.
type list struct {
	front, back *queue
	at          func(*queue) *link
}

type link struct {
	in         *list
	prev, next *queue
}

func (l *list) link(q *queue) *link {
	if l.at != nil {
		return l.at(q)
	}
	return &q.link
}

func (l *list) pushBack(q *queue) {
	*l.link(q) = link{in: l, prev: l.back}
	if l.back != nil {
		l.link(l.back).next = q
	} else {
		l.front = q
	}
	l.back = q
}

func (l *list) pushFront(q *queue) {
	*l.link(q) = link{in: l, next: l.front}
	if l.front != nil {
		l.link(l.front).prev = q
	} else {
		l.back = q
	}
	l.front = q
}

// remove takes q out of the list; it must be in it.
func (l *list) remove(q *queue) {
	k := l.link(q)
	if k.prev != nil {
		l.link(k.prev).next = k.next
	} else {
		l.front = k.next
	}
	if k.next != nil {
		l.link(k.next).prev = k.prev
	} else {
		l.back = k.prev
	}
	*k = link{}
}
