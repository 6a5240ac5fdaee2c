package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// The fault suite: what becomes of writes when something breaks. Each test
// writes rows whose versions count up, one writer to a row, keeps a tally of
// what it was told, and then compares what is stored with the tally.

// A tally is what the writers of rows were told.
type tally struct {
	mu   sync.Mutex
	rows map[string]*told
}

// told is what is known of one row's versions.
type told struct {
	last    int64          // submitted
	acked   int64          // the newest that was acknowledged; 0 is none
	when    time.Time      // of that
	unknown []int64        // without an answer, behind acked
	failed  map[int64]bool // surely not applied
}

func newTally() *tally { return &tally{rows: map[string]*told{}} }

func (l *tally) of(id string) *told {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rows[id] == nil {
		l.rows[id] = &told{failed: map[int64]bool{}}
	}
	return l.rows[id]
}

func versioned(id string, version int64) trading.Position {
	p := position(id, trading.PositionSideLong)
	p.FillCount = store.Some(version)
	return p
}

// put writes the next version of a row and notes the outcome.
func (l *tally) put(ctx context.Context, t testing.TB, d *desk, id string) error {
	k := l.of(id) // one writer to a row: no lock
	k.last++
	err := d.Positions.Put(ctx, versioned(id, k.last))
	switch {
	case err == nil:
		k.acked, k.when, k.unknown = k.last, time.Now(), nil
	case errors.Is(err, store.ErrUnknownOutcome):
		k.unknown = append(k.unknown, k.last)
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrClosed), errors.Is(err, store.ErrBufferFull):
		k.failed[k.last] = true
	default:
		t.Errorf("%s version %d: %v", id, k.last, err)
	}
	return err
}

// hammer lets workers write rows of their own until the context ends or, with
// untilError, each has met an error. An operation has at most so much time.
func (l *tally) hammer(ctx context.Context, t testing.TB, d *desk, timeout time.Duration, untilError bool) {
	const workers, each = 4, 8
	var wg sync.WaitGroup
	for w := range workers {
		r := rand.New(rand.NewPCG(1, uint64(w)))
		wg.Go(func() {
			for ctx.Err() == nil {
				op, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
				err := l.put(op, t, d, fmt.Sprintf("P-%d-%d", w, r.IntN(each)))
				cancel()
				if err != nil && untilError {
					return
				}
			}
		})
	}
	wg.Wait()
}

// check compares with what is stored. It returns how many rows have lost
// acknowledged versions, and when the oldest of those was acknowledged.
func (l *tally) check(t testing.TB, d *desk) (lost int, oldest time.Time) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, k := range l.rows {
		var got int64
		p, err := d.Positions.Get(t.Context(), trading.PositionID(id), store.Strong)
		switch {
		case err == nil:
			got = p.FillCount.Value
		case !errors.Is(err, store.ErrNotFound):
			t.Errorf("%s: %v", id, err)
			continue
		}
		switch {
		case got == k.acked, slices.Contains(k.unknown, got):
		case k.failed[got]:
			t.Errorf("%s is at version %d, which was surely not applied", id, got)
		case got > k.last:
			t.Errorf("%s is at version %d, which nobody wrote", id, got)
		case got > k.acked:
			t.Errorf("%s is at version %d behind an acknowledged %d", id, got, k.acked)
		default:
			lost++
			if oldest.IsZero() || k.when.Before(oldest) {
				oldest = k.when
			}
		}
		k.acked, k.unknown = got, nil // what comes next counts from here
		clear(k.failed)
	}
	return lost, oldest
}

// rows is how many versions were acknowledged of how many.
func (l *tally) sum() (acked, submitted int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.rows {
		acked += k.acked
		submitted += k.last
	}
	return acked, submitted
}

// limit bounds what takes time: strictly in the long form, and so that nothing
// else on a busy machine breaks it in the short one.
func limit(strict, busy time.Duration) time.Duration {
	if long() {
		return strict
	}
	return busy
}

// resumed waits until a write succeeds and returns how long that took.
func resumed(t testing.TB, d *desk) time.Duration {
	t.Helper()
	start := time.Now()
	var err error
	for time.Since(start) < 10*time.Second {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err = d.Positions.Put(ctx, position("P-resumed", trading.PositionSideLong))
		cancel()
		if err == nil {
			return time.Since(start)
		}
	}
	t.Fatalf("writes do not go on: %v", err)
	return 0
}
