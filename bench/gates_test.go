package main

import (
	"context"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/probe"
	"github.com/nacre-store/nacre/bench/internal/target"
	"go.uber.org/goleak"
)

// The gates are what does not depend on how busy the machine is. A figure here is what an operation may cost at
// most: who lowers the cost lowers the gate.
var gates = map[load.Kind]struct {
	allocs, commands, roundTrips, sent float64
}{
	load.Read:  {allocs: 7, commands: 1, roundTrips: 1, sent: 100},
	load.Write: {allocs: 33, commands: 16, roundTrips: 1, sent: 2400},
}

// TestGates counts what one Get and one Put of real rows cost: allocations here, commands, reads of the socket
// and bytes on Redis's side.
func TestGates(t *testing.T) {
	t.Setenv("NACRE_REDIS_URL", "")
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cfg, err := parse(short, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := loadedServer(t, cfg)
	defer func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}()
	keys, err := target.ParseKeys("uniform", s.set.Len())
	if err != nil {
		t.Fatal(err)
	}
	for kind, gate := range gates {
		one := target.NewNacre(s.tables, target.Mix{Set: s.set, Keys: keys, Writes: 100 * int(kind), Seed: 1}, 1)
		do := func() {
			one.Prepare(0)
			if err := one.Do(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			if err := one.Check(0); err != nil {
				t.Fatal(err)
			}
		}
		for range 500 {
			do()
		}
		const n = 2000
		begin, before := time.Now(), s.counters(t)
		for range n {
			do()
		}
		after := s.counters(t)
		per := func(name string) float64 { return float64(after[name]-before[name]) / n }
		commands, trips, sent := per("total_commands_processed"), per("total_reads_processed"), per("total_net_input_bytes")
		t.Logf("%s: %.2f commands, %.2f round trips, %.0f bytes sent, %.0f received", kind, commands, trips, sent, per("total_net_output_bytes"))
		// What the connection sends by itself meanwhile, a few commands a second, and this test's INFO.
		beside := (10 + 5*time.Since(begin).Seconds()) / n
		if commands > gate.commands+beside || trips > gate.roundTrips+beside || sent > gate.sent {
			t.Errorf("%s: at most %v commands, %v round trips and %v bytes", kind, gate.commands, gate.roundTrips, gate.sent)
		}
		if probe.Local(".").Race {
			continue // The race detector allocates too.
		}
		if got := allocs(t.Context(), one); got > gate.allocs {
			t.Errorf("%s: %.1f allocations, at most %v", kind, got, gate.allocs)
		} else {
			t.Logf("%s: %.1f allocations", kind, got)
		}
	}
}

func loadedServer(t *testing.T, cfg *config) *server {
	t.Helper()
	src, err := readSource(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openServer(t.Context(), cfg, cfg.keys[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := dataset.Load(t.Context(), s.tables, src, s.set, dataset.Plan{Rows: s.keys.rows}); err != nil {
		t.Fatal(err)
	}
	return s
}

var counterLine = regexp.MustCompile(`(?m)^(total_\w+):(\d+)`)

// counters are Redis's totals. Asking costs a command and a round trip of its own, on another connection.
func (s *server) counters(t *testing.T) map[string]int64 {
	t.Helper()
	info, err := s.proc.Do("INFO", "stats")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int64{}
	for _, m := range counterLine.FindAllStringSubmatch(info, -1) {
		out[m[1]], _ = strconv.ParseInt(m[2], 10, 64)
	}
	return out
}

// After a run, its loops leave no goroutine, and the embedded server none either.
func TestNothingIsLeft(t *testing.T) {
	t.Setenv("NACRE_REDIS_URL", "")
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	cfg, err := parse(short, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := openServer(t.Context(), cfg, cfg.keys[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := s.alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := load.NewOpen(idle{}, 4, load.Poisson, 1)
	if err := o.Run(t.Context(), 1000, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	o.Close()
	w := probe.NewWatch()
	w.Close()
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

type idle struct{}

func (idle) Prepare(int) load.Kind             { return load.Read }
func (idle) Do(_ context.Context, _ int) error { return nil }
func (idle) Check(int) error                   { return nil }
