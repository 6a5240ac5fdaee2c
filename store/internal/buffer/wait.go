package buffer

import (
	"context"
	"fmt"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/write"
)

// A waiter waits for generations. All its methods but the channel belong to the
// holder of the buffer's lock.
type waiter struct {
	n    int
	done chan struct{}
}

func (w *waiter) left() {
	if w.n--; w.n == 0 && w.done != nil {
		close(w.done)
	}
}

// on waits for everything that is now pending of a key.
func (w *waiter) on(q *queue) {
	if w.done == nil {
		w.done = make(chan struct{})
	}
	g := q.gens[len(q.gens)-1]
	g.waiters = append(g.waiters, w)
	w.n++
}

// await makes w wait for everything of the tenant, which is sent at once.
func (t *Tenant) await(w *waiter) {
	for _, q := range t.queues {
		w.on(q)
		t.hurry(q)
	}
}

func (t *Tenant) hurry(q *queue) { t.lane(&q.gens[0].ops[0]).hurry(q) }

// Settle sends what is pending of the keys at once and waits until it is
// acknowledged or has failed. A failure is reported like all of the buffer's.
// The error says that the wait has ended before, and why.
func (t *Tenant) Settle(ctx context.Context, keys ...Key) error {
	b := t.b
	var w waiter
	b.mu.Lock()
	for _, k := range keys {
		if q := t.queues[k]; q != nil {
			w.on(q)
			t.hurry(q)
		}
	}
	b.mu.Unlock()
	return b.wait(ctx, &w)
}

// Drain is Settle for everything of the tenant.
func (t *Tenant) Drain(ctx context.Context) error {
	b := t.b
	var w waiter
	b.mu.Lock()
	t.await(&w)
	b.mu.Unlock()
	return b.wait(ctx, &w)
}

func (b *Buffer) wait(ctx context.Context, w *waiter) error {
	if w.done == nil {
		return nil
	}
	b.poke()
	select {
	case <-w.done:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last != nil {
		return conn.NotSent(fmt.Errorf("%w, waiting for buffered writes: %v", ctx.Err(), b.last))
	}
	return conn.NotSent(fmt.Errorf("%w, waiting for buffered writes", ctx.Err()))
}

// Hold keeps what is accepted for the keys from now on, for so long at most.
// It is a courtesy to one who compares what stands in Redis, and nothing
// depends on it.
func (t *Tenant) Hold(keys []Key, d time.Duration) {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	now := time.Now()
	if t.held == nil {
		t.held = map[Key]time.Time{}
	}
	for k, until := range t.held {
		if now.After(until) {
			delete(t.held, k)
		}
	}
	for _, k := range keys {
		t.held[k] = now.Add(d)
	}
}

// Free takes a Hold back.
func (t *Tenant) Free(keys []Key) {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	for _, k := range keys {
		delete(t.held, k)
	}
}

// Left is what a tenant has pending, for an error that names it.
type Left struct {
	Steps   int
	Example []*write.Op // some of them
	Err     error       // of the last batch
}

// Left returns what is pending.
func (t *Tenant) Left(examples int) Left {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	l := Left{Err: t.b.last}
	for _, q := range t.queues {
		l.Steps += len(q.gens)
		if len(l.Example) < examples {
			op := q.gens[0].ops[0]
			l.Example = append(l.Example, &write.Op{Kind: op.Kind, NS: op.NS, Table: op.Table, ID: op.ID, Part: op.Part})
		}
	}
	return l
}
