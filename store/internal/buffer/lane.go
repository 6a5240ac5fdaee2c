package buffer

import "time"

// How much one batch holds, and how many of one lane and of all are under way
// at once: while one is carried out, the next is on its way.
const (
	maxBatch      = 256
	maxBatchBytes = 1 << 20
	maxFlying     = 2
	maxFlyingAll  = 8
)

// A lane sends the keys of a tenant that are in one place.
type lane struct {
	tenant *Tenant
	active bool // in Buffer.active
	line   list // by age
	rush   list // at once, first come first served
	later  []*queue
	flying int
	limit  int // of a batch; less after one that got no answer
	acked  int64
}

// queue lists a key that is not under way.
func (l *lane) queue(q *queue, now time.Time) {
	b := l.tenant.b
	if !l.active {
		l.active = true
		b.active = append(b.active, l)
	}
	if q.urgent {
		l.rush.pushBack(q)
		b.poke()
		return
	}
	q.due = q.gens[0].since.Add(b.o.Interval)
	first := l.line.front == nil
	l.line.pushBack(q)
	if first || b.crowded() {
		b.poke()
	}
}

// postpone lists a key that must not be sent before the moment.
func (l *lane) postpone(q *queue, until time.Time) {
	q.due = until
	l.later = append(l.later, q)
}

// hurry moves a key to the front, unless it is under way or postponed.
func (l *lane) hurry(q *queue) {
	if q.urgent = true; q.link.in == &l.line {
		l.line.remove(q)
		l.rush.pushBack(q)
	}
}

// take returns the keys of the next batch, and when there will be some if there
// are none.
func (l *lane) take(now time.Time) (batch []ride, due time.Time) {
	b := l.tenant.b
	due = now.Add(idle)
	kept := l.later[:0]
	for _, q := range l.later {
		if q.due.After(now) && !b.closing {
			kept = append(kept, q)
			due = earlier(due, q.due)
		} else {
			l.rush.pushBack(q)
		}
	}
	clear(l.later[len(kept):])
	l.later = kept
	size := 0
	crowded := b.crowded()
	for len(batch) < l.limit && size < maxBatchBytes {
		from := &l.rush
		if from.front == nil {
			from = &l.line
		}
		q := from.front
		if q == nil {
			break
		}
		if from == &l.line && q.due.After(now) && !crowded {
			due = earlier(due, q.due)
			break
		}
		single := q.gens[0].alone > 0 // it may break the connection of others
		if single && len(batch) > 0 {
			break
		}
		from.remove(q)
		if until, held := l.tenant.held[q.key]; held && until.After(now) && !b.closing {
			l.postpone(q, until)
			due = earlier(due, until)
			continue
		}
		q.flying, q.urgent = true, false
		size += int(q.gens[0].cost.bytes)
		batch = append(batch, ride{q: q, g: q.gens[0]})
		if single {
			break
		}
	}
	return batch, due
}

// empty tells whether the lane has nothing to send.
func (l *lane) empty() bool {
	return l.line.front == nil && l.rush.front == nil && len(l.later) == 0 && l.flying == 0
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
