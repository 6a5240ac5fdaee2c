package docs

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
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

// TestSpecManyKeys counts what one operation costs Redis beside 100 rows and
// beside 20,000: as many commands, round trips and bytes.
func TestSpecManyKeys(t *testing.T) {
	const ops = 500
	type cost struct{ commands, trips, received, sent int }
	costs := map[string][]cost{}
	for _, rows := range []int{100, 20_000} {
		tr := openTrader(t, store.Config{Cache: "off"})
		ctx, p := t.Context(), position
		id := func(i int) trading.PositionID { return trading.PositionID(fmt.Sprintf("P-%06d", i)) }
		put(t, tr.Positions.PutMany(ctx, func(yield func(trading.Position) bool) {
			for i := range rows {
				if p.PositionID = id(i); !yield(p) {
					return
				}
			}
		}))
		if n, err := tr.Positions.Open().Count(ctx); n != rows || err != nil {
			t.Fatalf("%d rows, want %d; %v", n, rows, err)
		}
		for name, op := range map[string]func(p trading.Position) error{
			"Put": func(p trading.Position) error { return tr.Positions.Put(ctx, p) },
			"Get": func(p trading.Position) error {
				got, err := tr.Positions.Get(ctx, p.PositionID)
				if err == nil && got.PositionID != p.PositionID {
					err = fmt.Errorf("got %s", got.PositionID)
				}
				return err
			},
		} {
			counters := func() (c cost) {
				for line := range strings.Lines(tr.do("INFO", "stats")) {
					for name, to := range map[string]*int{
						"total_commands_processed": &c.commands, "total_reads_processed": &c.trips,
						"total_net_input_bytes": &c.received, "total_net_output_bytes": &c.sent,
					} {
						if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
							*to, _ = strconv.Atoi(value)
						}
					}
				}
				return c
			}
			before := counters()
			for i := range ops {
				p.PositionID = id(i * 7 % rows)
				put(t, op(p))
			}
			after := counters()
			costs[name] = append(costs[name], cost{
				(after.commands - before.commands) / ops, (after.trips - before.trips) / ops,
				(after.received - before.received) / ops, (after.sent - before.sent) / ops,
			})
		}
	}
	for name, c := range costs {
		t.Logf("%s: %+v", name, c)
		few, many := c[0], c[1]
		if few.commands == 0 || many.commands > few.commands || many.trips > few.trips || many.received > few.received+few.received/50 || many.sent > few.sent+few.sent/50 {
			t.Errorf("%s beside 100 rows and beside 20,000: %+v", name, c)
		}
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
