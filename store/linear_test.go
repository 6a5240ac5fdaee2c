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

	"github.com/anishathalye/porcupine"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// Two rows as a register of two texts. An operation reads some of them and
// writes the same new text into some.
type pair [2]string

type step struct {
	reads, writes [2]bool
	text          string // written
}

type seen struct {
	rows    [][2]string // what each run of the function read; the last one counts
	outcome error       // nil, or the class of the error
}

// registers is what an operation may do: one that is acknowledged did what it
// did on what it last read, one that failed did nothing, and one whose outcome
// is unknown did it on what any of its runs had read, or nothing.
var registers = porcupine.NondeterministicModel{
	Init: func() []any { return []any{pair{"0", "0"}} },
	Step: func(state, in, out any) []any {
		was, do, got := state.(pair), in.(step), out.(seen)
		on := func(rows [2]string) (pair, bool) {
			next := was
			for i := range was {
				if do.reads[i] && rows[i] != was[i] {
					return was, false
				}
				if do.writes[i] {
					next[i] = do.text
				}
			}
			return next, true
		}
		switch {
		case got.outcome == nil:
			if next, ok := on(got.rows[len(got.rows)-1]); ok {
				return []any{next}
			}
			return nil
		case errors.Is(got.outcome, store.ErrUnknownOutcome):
			states := []any{was}
			for _, rows := range got.rows {
				if next, ok := on(rows); ok && next != was {
					return append(states, next)
				}
			}
			return states
		}
		return []any{was}
	},
	Equal:             func(a, b any) bool { return a.(pair) == b.(pair) },
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}

var pairIDs = [2]trading.PositionID{"P-0", "P-1"}

// carryOut does one operation and tells what it saw.
func carryOut(ctx context.Context, d *desk, do step) (got seen) {
	note := func(rows [2]string) { got.rows = append(got.rows, rows) }
	switch {
	case do.reads == [2]bool{true, false} && do.writes == do.reads, do.reads == [2]bool{false, true} && do.writes == do.reads:
		i := slices.Index(do.reads[:], true)
		_, got.outcome = d.Positions.Update(ctx, pairIDs[i], func(p *trading.Position) error {
			var rows [2]string
			rows[i] = p.VenuePositionID
			note(rows)
			p.VenuePositionID = do.text
			return nil
		})
	default:
		got.outcome = d.Commit(ctx, func(tx *store.Tx) error {
			var rows [2]string
			tt := trading.New(tx)
			for i, id := range pairIDs {
				if !do.reads[i] && !do.writes[i] {
					continue
				}
				p := position(string(id), trading.PositionSideLong)
				if do.reads[i] {
					var err error
					if p, err = tt.Positions.Get(ctx, id); err != nil {
						return err
					}
					rows[i] = p.VenuePositionID
				}
				if p.VenuePositionID = do.text; do.writes[i] {
					if err := tt.Positions.Put(ctx, p); err != nil {
						return err
					}
				}
			}
			note(rows)
			return nil
		})
	}
	return got
}

// history lets clients of two stores work on two rows while the links break,
// and returns what was called and seen.
func history(t *testing.T, srv *redistest.Server, s uint64, clients, each int) []porcupine.Operation {
	t.Helper()
	var ds []*desk
	var proxies []*faultproxy.Proxy
	tenant := fmt.Sprint("T", s)
	for range 2 {
		p := faultproxy.Run(t, srv.Addr())
		proxies = append(proxies, p)
		ds = append(ds, openOn(t, srv, func(c *store.Config) { c.Database.Port, c.TraderID = p.Port(), tenant }))
	}
	for _, id := range pairIDs {
		p := position(string(id), trading.PositionSideLong)
		p.VenuePositionID = "0"
		must(t, ds[0].Positions.Put(t.Context(), p))
	}
	var mu sync.Mutex
	var ops []porcupine.Operation
	var work, chaos sync.WaitGroup
	start := time.Now()
	stop := make(chan struct{})
	chaos.Go(func() {
		r := rand.New(rand.NewPCG(s, 99))
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(r.IntN(12)) * time.Millisecond):
			}
			p := proxies[r.IntN(2)]
			switch r.IntN(4) {
			case 0:
				p.Cut()
			case 1:
				p.CutAfter(faultproxy.Up, r.IntN(2000))
			case 2:
				p.CutAfter(faultproxy.Down, r.IntN(500))
			default:
				_, _ = srv.Do("CLIENT", "KILL", "TYPE", "normal")
			}
		}
	})
	for client := range clients {
		r := rand.New(rand.NewPCG(s, uint64(client)))
		work.Go(func() {
			for n := range each {
				do := step{text: fmt.Sprintf("%d-%d", client, n)}
				for do.reads == [2]bool{} && do.writes == [2]bool{} {
					for i := range 2 {
						do.reads[i], do.writes[i] = r.IntN(3) > 0, r.IntN(2) > 0
					}
				}
				call := time.Since(start)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				got := carryOut(ctx, ds[client%2], do)
				cancel()
				op := porcupine.Operation{ClientId: client, Input: do, Call: int64(call), Output: got, Return: int64(time.Since(start))}
				if errors.Is(got.outcome, store.ErrUnknownOutcome) {
					op.Return = int64(time.Hour) // it may take effect at any time
				}
				mu.Lock()
				ops = append(ops, op)
				mu.Unlock()
			}
		})
	}
	work.Wait()
	close(stop)
	chaos.Wait()
	return ops
}

// Update and Commit are linearizable, also where connections break and
// outcomes are unknown.
func TestLinearizable(t *testing.T) {
	histories, clients, each := 6, 5, 30
	if long() {
		histories, clients, each = 200, 8, 100
	}
	srv := redistest.New(t)
	first := seed(t)
	counts := map[string]int{}
	for n := range histories {
		s := first + uint64(n)
		ops := history(t, srv, s, clients, each)
		for _, op := range ops {
			err := op.Output.(seen).outcome
			switch {
			case err == nil:
				counts["acknowledged"]++
			case errors.Is(err, store.ErrUnknownOutcome):
				counts["unknown"]++
			case errors.Is(err, store.ErrConflict):
				counts["conflict"]++
			case errors.Is(err, store.ErrUnavailable):
				counts["unavailable"]++
			default:
				t.Errorf("%+v: %v", op.Input, err)
			}
		}
		if got := porcupine.CheckOperationsTimeout(registers.ToModel(), ops, time.Minute); got != porcupine.Ok {
			t.Errorf("history %d is not linearizable: %s; repeat with NACRE_SEED=%d", n, got, s)
		}
	}
	t.Logf("%v", counts)
	if counts["unknown"] == 0 || counts["acknowledged"] < histories*clients*each/2 {
		t.Errorf("outcomes %v: the faults did not do their part", counts)
	}
}
