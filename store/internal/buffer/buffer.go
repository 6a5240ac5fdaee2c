// Package buffer holds writes that were accepted and not yet acknowledged.
//
// Every key has a queue of generations. A generation is one atomic step, and
// sending it twice does what sending it once does: a row is written whole, a
// delete deletes, an append knows its elements by their ids. Later writes join
// the last generation as long as that stays so, and otherwise begin another
// one, which is sent when the one before it is acknowledged. So one key is
// never in two batches under way, and no order is lost; rows that nobody has
// seen in Redis give way to newer ones, history never does.
package buffer

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/nacre-store/nacre/store/internal/write"
)

// Errors of Accept.
var (
	// ErrFull: the bounds are reached, also after waiting.
	ErrFull = errors.New("no room within the bounds")
	// ErrDirect: there is no room; the caller shall write without the buffer.
	ErrDirect = errors.New("no room: write directly")
	// ErrTooLarge: the write alone is more than the bounds allow.
	ErrTooLarge = errors.New("larger than the whole buffer")
	// ErrClosed: nothing is accepted any more.
	ErrClosed = errors.New("closed")
)

// Full says what happens to a write for which there is no room.
type Full int

// The policies.
const (
	Block  Full = iota // wait up to MaxBlock, then ErrFull
	Fail               // ErrFull
	Direct             // ErrDirect
)

// Options of a buffer.
type Options struct {
	Interval time.Duration // How long a write may wait for others.
	Entries  int
	Bytes    int64
	Full     Full
	MaxBlock time.Duration
	// Send sends steps once, in one round trip. The results stand in the order
	// of the steps; what is true of a step is true of all its ops.
	Send func(ctx context.Context, steps []write.Batch) [][]write.Result
	// Landed tells whether the elements of an append to a series, of which no
	// answer came, are stored.
	Landed func(ctx context.Context, op *write.Op) (bool, error)
	// Describe makes an error of an op the one that is reported.
	Describe func(op *write.Op, err error) error
	// OnError is told what failed; nil for nobody.
	OnError func(error)
	Log     *slog.Logger
}

// A Buffer is shared by all tenants of one connection.
type Buffer struct {
	o       Options
	ctx     context.Context // of sending
	cancel  context.CancelFunc
	wake    chan struct{}
	stopped chan struct{} // closed when run has ended
	senders sync.WaitGroup
	reports reporter

	mu       sync.Mutex
	tenants  []*Tenant
	active   []*lane // lanes with something to send
	turn     int     // where in active the next round begins
	used     cost
	freed    chan struct{} // closed and replaced when room is made while somebody waits
	blocked  int
	flying   int // batches under way
	failures int // in a row, of the connection
	pause    time.Time
	oldest   list     // all queues, by the age of their first generation
	spare    []*queue // for other keys
	closing  bool     // everything is due, nothing is accepted
	ended    bool
	last     error // of a batch
	counts   Stats
}

// Stats are counters and the present state.
type Stats struct {
	Entries   int           // Writes that wait or are under way.
	Bytes     int64         // Their memory, by estimate.
	Oldest    time.Duration // Age of the oldest of them.
	Accepted  int64
	Coalesced int64 // Accepted writes that took the place of one that was not sent.
	Acked     int64
	Resent    int64 // Steps that were sent again.
	Failed    int64 // Steps that will not be sent any more and are not acknowledged.
	LastError error // Of the last batch that failed; nil when a later one did not.
}

// New returns a buffer that sends until it is closed.
func New(o Options) *Buffer {
	b := &Buffer{o: o, wake: make(chan struct{}, 1), stopped: make(chan struct{}), freed: make(chan struct{})}
	b.oldest.at = func(q *queue) *link { return &q.age }
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.reports = reporter{to: o.OnError, log: o.Log}
	go b.run()
	return b
}

// A Tenant is one namespace's part of a buffer.
type Tenant struct {
	b      *Buffer
	queues map[Key]*queue
	held   map[Key]time.Time // not to be sent before
	rows   lane
	series lane
	errs   []error // failures that no Flush has returned
	more   int     // and how many beyond those
}

// A Key names a row with all its collections, or a series.
type Key struct{ Base, ID string }

func keyOf(op *write.Op) Key { return Key{op.Table.Base, op.ID} }

// Tenant returns a new part of the buffer.
func (b *Buffer) Tenant() *Tenant {
	t := &Tenant{b: b, queues: map[Key]*queue{}}
	t.rows.tenant, t.series.tenant = t, t
	t.rows.limit, t.series.limit = maxBatch, maxBatch
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tenants = append(b.tenants, t)
	return t
}

// Stats returns the state of the whole buffer.
func (b *Buffer) Stats() Stats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.counts
	s.Entries, s.Bytes, s.LastError = b.used.entries, b.used.bytes, b.last
	if q := b.oldest.front; q != nil {
		s.Oldest = time.Since(q.gens[0].since)
	}
	return s
}

// Close accepts nothing more, sends everything at once and waits until it is
// acknowledged. When the context ends before, what is left is given up: each
// generation is reported as surely not applied or as unknown. Close returns
// every failure that no Flush has returned.
func (b *Buffer) Close(ctx context.Context) []error {
	b.mu.Lock()
	if b.ended {
		b.mu.Unlock()
		return nil
	}
	b.closing = true
	b.makeRoom()
	var w waiter
	for _, t := range b.tenants {
		t.await(&w)
	}
	b.pause = time.Time{}
	b.mu.Unlock()
	b.poke()
	if w.done != nil {
		select {
		case <-w.done:
		case <-ctx.Done():
		}
	}
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.poke()
	b.cancel()
	<-b.stopped
	b.senders.Wait()
	b.mu.Lock()
	var errs []error
	for _, t := range b.tenants {
		for _, q := range t.queues {
			for _, g := range q.gens {
				b.giveUp(t, q, g, ctx.Err())
			}
		}
		clear(t.queues)
		errs = append(errs, t.takeErrors()...)
	}
	b.mu.Unlock()
	return append(errs, b.reports.wait(ctx)...)
}
