package docs

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// This file shows the specification's goals and metrics that a test can show
// on any machine. Latencies are figures of the bench.

// TestSpecFastRecovery restarts on 10,000 open positions: a store that is new
// has all of them in less than a second. A busy machine may need several tries.
func TestSpecFastRecovery(t *testing.T) {
	const rows = 10_000
	redis := storetest.Run(t, storetest.ServerOptions{})
	before := openOn(t, redis, store.Config{})
	put(t, before.Positions.PutMany(t.Context(), func(yield func(trading.Position) bool) {
		p := position
		for i := range rows {
			if p.PositionID = trading.PositionID(fmt.Sprintf("P-%d", i)); !yield(p) {
				return
			}
		}
	}))
	put(t, before.Close(t.Context()))
	best := time.Hour
	for range 10 {
		begin := time.Now()
		after := openOn(t, redis, store.Config{})
		n := 0
		for _, err := range after.Positions.Open().All(t.Context()) {
			put(t, err)
			n++
		}
		best = min(best, time.Since(begin))
		put(t, after.Close(t.Context()))
		if n != rows {
			t.Fatalf("%d rows came back, want %d", n, rows)
		}
		if best < time.Second {
			break
		}
	}
	t.Logf("Open and all %d rows in %v", rows, best)
	if best >= time.Second {
		t.Errorf("the best of 10 recoveries took %v", best)
	}
}

// TestSpecConnections opens 1,000 stores, eight at a time, and uses each: at
// most one in a thousand may fail.
func TestSpecConnections(t *testing.T) {
	const stores = 1000
	redis := storetest.Run(t, storetest.ServerOptions{})
	var next, failed atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for next.Add(1) <= stores {
				s, err := store.Open(t.Context(), store.Config{
					Database: store.DatabaseConfig{Host: "127.0.0.1", Port: redis.Port(), Timeout: 5},
					Schemas:  []store.Schema{trading.Schema}, Logger: slog.New(slog.DiscardHandler),
				})
				if err == nil {
					_, err = trading.New(s).Positions.Count(t.Context())
					if cerr := s.Close(t.Context()); err == nil {
						err = cerr
					}
				}
				if err != nil {
					failed.Add(1)
					t.Log(err)
				}
			}
		})
	}
	all.Wait()
	if n := failed.Load(); n > stores/1000 {
		t.Errorf("%d of %d failed", n, stores)
	}
}
