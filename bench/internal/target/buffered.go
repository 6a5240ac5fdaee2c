package target

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// Buffered is the typed store with a write buffer: a Put returns when the write
// is accepted. How much later Redis has acknowledged it is measured on rows
// that are kept apart: one of them is not written again before its write is
// durable, so that no later write is taken for it.
type Buffered struct {
	*Nacre
	st      *store.Store
	free    chan int     // Watched rows that nobody writes.
	sent    chan durable // Accepted, and watched.
	mine    []durable    // Of each slot; the row is -1 when it is not a watched one.
	stop    chan struct{}
	stopped chan struct{}

	mu      sync.Mutex
	hist    *hdrhistogram.Histogram
	waiting int
	late    error
}

// durable is a write of a watched row.
type durable struct {
	row      int
	accepted time.Time
}

// watched rows are as many as can be asked after every millisecond without being a load themselves.
const watched = 256

// NewBuffered measures a store that writes behind. Its keys must not be read by another client while requests
// are under way: before Drain, Redis may still have the row before.
func NewBuffered(s *store.Store, mix Mix, slots int) *Buffered {
	step := max(1, mix.Set.Len()/watched)
	mix.Keys = unwatched{mix.Keys, step}
	b := &Buffered{
		Nacre: NewNacre(trading.New(s), mix, slots), st: s, free: make(chan int, watched+1), sent: make(chan durable, watched+1),
		mine: make([]durable, slots), stop: make(chan struct{}), stopped: make(chan struct{}), hist: load.NewHist(),
	}
	for row := 0; row < mix.Set.Len() && len(b.free) < watched; row += step {
		b.free <- row
	}
	go b.watch()
	return b
}

// unwatched draws every row that is not a watched one.
type unwatched struct {
	Keys
	step int
}

func (u unwatched) next(rng *rand.Rand) int {
	for {
		if i := u.Keys.next(rng); i%u.step != 0 {
			return i
		}
	}
}

// Prepare takes a watched row where one is free.
func (b *Buffered) Prepare(slot int) load.Kind {
	kind := b.Nacre.Prepare(slot)
	b.mine[slot].row = -1
	if kind == load.Write {
		select {
		case row := <-b.free:
			b.mine[slot].row = row
			b.take(slot, row)
		default:
		}
	}
	return kind
}

// Do is one Get, or one Put until it is accepted.
func (b *Buffered) Do(ctx context.Context, slot int) error {
	err := b.Nacre.Do(ctx, slot)
	if s := &b.mine[slot]; s.row >= 0 {
		s.accepted = time.Now()
		if err != nil {
			b.free <- s.row
			s.row = -1
		}
	}
	return err
}

// Check has the write of a watched row waited for.
func (b *Buffered) Check(slot int) error {
	if s := b.mine[slot]; s.row >= 0 {
		b.mu.Lock()
		b.waiting++
		b.mu.Unlock()
		b.sent <- s
	}
	return b.Nacre.Check(slot)
}

// watch asks after every watched write, each millisecond, until none is pending: what it measures is at most
// that much too long.
func (b *Buffered) watch() {
	defer close(b.stopped)
	var waiting []durable
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case w := <-b.sent:
			waiting = append(waiting, w)
			continue
		case <-b.stop:
			return
		case <-tick.C:
		}
		left := waiting[:0]
		for _, w := range waiting {
			set := b.mix.Set
			if pending(b.tables, set.Table(w.row), set.ID(w.row)) {
				left = append(left, w)
				continue
			}
			b.mu.Lock()
			_ = b.hist.RecordValue(int64(max(1, time.Since(w.accepted)))) // Beyond a minute Drain has failed.
			b.waiting--
			b.mu.Unlock()
			b.free <- w.row
		}
		waiting = left
	}
}

// Drain waits until everything that was accepted is in Redis, without hurrying it as Flush would, so that the
// next stretch begins with an empty buffer. A write that failed after it was accepted is an error of Collect.
func (b *Buffered) Drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		b.mu.Lock()
		waiting := b.waiting
		b.mu.Unlock()
		depth := b.st.Stats().Buffer.Entries
		if waiting == 0 && depth == 0 {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d accepted writes are not acknowledged: %w", depth, context.Cause(ctx))
		case <-time.After(time.Millisecond):
		}
	}
	b.late = errors.Join(b.late, b.st.Flush(ctx))
	return nil
}

// Collect adds to a sample what became of the accepted writes since the last Collect. No stretch may be under way.
func (b *Buffered) Collect(s *load.Sample) *load.Sample {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Durable, b.hist = b.hist, load.NewHist()
	if b.late != nil {
		s.Errors++
		if s.First == nil {
			s.First = b.late
		}
		b.late = nil
	}
	return s
}

// Close ends the watching. The store stays open.
func (b *Buffered) Close() {
	close(b.stop)
	<-b.stopped
}

func pending(t trading.Tables, table dataset.Table, id string) bool {
	switch table {
	case dataset.Order:
		return t.Orders.Rows.Pending(trading.ClientOrderID(id)) // Orders.Pending is the index of that name.
	case dataset.Position:
		return t.Positions.Pending(trading.PositionID(id))
	case dataset.Account:
		return t.Accounts.Pending(trading.AccountID(id))
	}
	return t.Instruments.Pending(trading.InstrumentID(id))
}
