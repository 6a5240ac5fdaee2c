package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// The self-test freezes the server for a fifth of a second. A harness that does not see that in its p99 counts
// from the wrong moment, and nothing that it says about a p95 can be believed.
const (
	freeze       = 200 * time.Millisecond
	selfTestRate = 5_000
	selfTestTime = 1500 * time.Millisecond
	mustSee      = 100 * time.Millisecond
)

func selfTest(ctx context.Context, cfg *config, s *server) (report.SelfTest, error) {
	out := report.SelfTest{Freeze: freeze, How: "SIGSTOP of the private server"}
	keys, err := target.ParseKeys("uniform", s.set.Len())
	if err != nil {
		return out, err
	}
	mix := target.Mix{Set: s.set, Keys: keys, Seed: cfg.seed}
	var stalled func(load.Target) load.Target
	pause := func() error {
		if err := s.proc.Pause(); err != nil {
			return err
		}
		time.Sleep(freeze)
		return s.proc.Resume()
	}
	if s.proc == nil { // Nobody else's server is frozen: the stall is made on the way to it.
		out.How = "requests held back in front of the server, which is not the bench's to freeze"
		gate := &sync.RWMutex{}
		stalled = func(t load.Target) load.Target { return gated{t, gate} }
		pause = func() error {
			gate.Lock()
			time.Sleep(freeze)
			gate.Unlock()
			return nil
		}
	}
	wrap := func(t load.Target) load.Target {
		if stalled != nil {
			return stalled(t)
		}
		return t
	}
	during := func(run func() error) error {
		failed := make(chan error, 1)
		go func() {
			time.Sleep(selfTestTime / 3)
			failed <- pause()
		}()
		err := run()
		if perr := <-failed; perr != nil {
			return fmt.Errorf("self-test: %w", perr)
		}
		return err
	}
	open := load.NewOpen(wrap(target.NewNacre(s.tables, mix, load.Slots)), cfg.inFlight, load.Fixed, cfg.seed)
	defer open.Close()
	if err := during(func() error { return open.Run(ctx, selfTestRate, selfTestTime) }); err != nil {
		return out, err
	}
	o := open.Collect()
	closed := load.NewClosed(wrap(target.NewNacre(s.tables, mix, 8)), 8)
	if err := during(func() error { return closed.Run(ctx, selfTestTime) }); err != nil {
		return out, err
	}
	c := closed.Collect()
	out.OpenP99 = verdict.Quantile(o.Response[load.Read], 0.99)
	out.ClosedP99 = verdict.Quantile(c.Service[load.Read], 0.99)
	out.Passed = out.OpenP99 >= mustSee && o.Done == o.Planned
	if n := o.Errors + o.Mismatch; n > 0 {
		return out, fmt.Errorf("self-test: %d of %d reads failed: %w", n, o.Done, o.First)
	}
	if !out.Passed {
		return out, fmt.Errorf("self-test: a freeze of %v shows as a p99 of %s only; the harness does not judge", freeze, verdict.Micros(out.OpenP99))
	}
	return out, nil
}

// gated is a target behind a gate that can be shut.
type gated struct {
	load.Target
	gate *sync.RWMutex
}

func (g gated) Do(ctx context.Context, slot int) error {
	g.gate.RLock()
	defer g.gate.RUnlock()
	return g.Target.Do(ctx, slot)
}
