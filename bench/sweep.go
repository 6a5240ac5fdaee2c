package main

import (
	"context"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// The sweep offers ever higher rates of 80 % reads until the p95 breaks the SLO twice running.
var sweepRates = []float64{5_000, 10_000, 20_000, 40_000, 60_000, 80_000, 100_000, 120_000, 160_000, 200_000, 250_000}

const (
	sweepInFlight = 64
	sweepTurns    = 10
)

// sweep looks for the knee on the smallest and the largest keyspace.
func (s *session) sweep(ctx context.Context) error {
	servers := []*server{s.servers[0]}
	if last := s.servers[len(s.servers)-1]; last != servers[0] {
		servers = append(servers, last)
	}
	for at, srv := range servers {
		broken := 0
		for i, rate := range sweepRates {
			s.prog.show((float64(at)+float64(i)/float64(len(sweepRates)))/float64(len(servers)), 0, srv.keys.label+" keys, "+report.Thousands(int(rate))+"/s")
			step, err := s.step(ctx, srv, rate)
			if err != nil {
				return err
			}
			s.sum.Sweep = append(s.sum.Sweep, step)
			if broken++; step.P95 < s.cfg.slo && step.Achieved >= verdict.NeedAchieved {
				broken = 0
			}
			if broken == 2 {
				break
			}
		}
	}
	return nil
}

func (s *session) step(ctx context.Context, srv *server, rate float64) (report.Step, error) {
	cfg := *s.cfg
	cfg.rate, cfg.inFlight, cfg.loop = rate, sweepInFlight, "open"
	w := workload{name: "sweep", writes: 20}
	ourCell, err := newCell(&cfg, srv, w, ours, func(m target.Mix, slots int) load.Target { return target.NewNacre(srv.tables, m, slots) })
	if err != nil {
		return report.Step{}, err
	}
	rawCell, err := newCell(&cfg, srv, w, raw, func(m target.Mix, slots int) load.Target { return target.NewRaw(srv.raw, m, slots) })
	if err != nil {
		return report.Step{}, err
	}
	defer ourCell.loop.close()
	defer rawCell.loop.close()
	begin := time.Now()
	for range sweepTurns {
		for _, c := range []*cell{ourCell, rawCell} {
			if err := c.slice(ctx, cfg.slice, s.watch); err != nil {
				return report.Step{}, s.blame(ctx, c, err)
			}
		}
		if time.Since(begin) > 6*2*sweepTurns*cfg.slice { // Far beyond the knee: no need to see it through.
			break
		}
	}
	got, rawGot := ourCell.loop.collect(), rawCell.loop.collect()
	l := report.LatencyOf(ourCell.latency(got))
	return report.Step{
		Keys: srv.keys.label, Rate: rate, Achieved: got.Achieved(rate), P50: l.P50, P95: l.P95, P99: l.P99, P999: l.P999,
		LagP95: verdict.Quantile(got.Lag, 0.95), Late: got.Late, Backlog: got.Backlog, Errors: got.Errors + got.Mismatch + rawGot.Errors + rawGot.Mismatch,
		Raw: verdict.Quantile(rawCell.latency(rawGot), 0.95), Client: ourCell.spent.ClientBusy(), Server: ourCell.spent.ServerBusy(),
	}, nil
}
