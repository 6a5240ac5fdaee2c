package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/probe"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// The clients of the headline.
const (
	ours = "nacre"
	raw  = "raw rueidis"
)

// A cell is one workload on one keyspace through one client, measured a slice at a time.
type cell struct {
	report  *report.Cell
	work    workload
	srv     *server
	rate    float64
	loop    loop
	round   *load.Sample
	total   *load.Sample
	spent   report.Spent
	control *cell // The raw client's cell of the same workload and keyspace.
	rounds  []verdict.Round
}

// A loop is an open or a closed one.
type loop struct {
	run     func(context.Context, time.Duration) error
	collect func() *load.Sample
	close   func()
	slow    func() int64 // Of the open loop's responses; no client of a closed one sees a stall.
	open    bool
}

func newLoop(cfg *config, t func(slots int) load.Target, rate float64) loop {
	if cfg.loop == "closed" {
		c := load.NewClosed(t(cfg.inFlight), cfg.inFlight)
		return loop{run: c.Run, collect: c.Collect, close: func() {}, slow: func() int64 { return 0 }}
	}
	o := load.NewOpen(t(load.Slots), cfg.inFlight, cfg.arrival, cfg.seed)
	return loop{
		run:     func(ctx context.Context, d time.Duration) error { return o.Run(ctx, rate, d) },
		collect: o.Collect, close: o.Close, slow: o.Slow, open: true,
	}
}

func newCell(cfg *config, s *server, w workload, client string, t func(mix target.Mix, slots int) load.Target) (*cell, error) {
	keys, err := target.ParseKeys(cfg.dist, s.set.Len())
	if err != nil {
		return nil, err
	}
	mix := target.Mix{Set: s.set, Keys: keys, Writes: w.writes, Seed: cfg.seed}
	c := &cell{work: w, srv: s, rate: cfg.rate, round: load.NewSample(), total: load.NewSample()}
	c.loop = newLoop(cfg, func(slots int) load.Target { return t(mix, slots) }, cfg.rate)
	c.report = &report.Cell{
		Name:   fmt.Sprintf("%s %s %s", client, w.name, s.keys.label),
		Client: client, Workload: w.name, Keys: s.keys.label, Loop: cfg.loop,
	}
	if c.loop.open {
		c.report.Rate = cfg.rate
	}
	return c, nil
}

// newBuffered is the cell of a workload whose writes return when they are accepted. What it writes is in Redis
// when its run returns.
func newBuffered(ctx context.Context, cfg *config, s *server, w workload) (*cell, error) {
	st, err := s.openSpec(ctx, cfg.root)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.name, err)
	}
	var b *target.Buffered
	c, err := newCell(cfg, s, w, ours, func(m target.Mix, slots int) load.Target {
		b = target.NewBuffered(st, m, slots)
		return b
	})
	if err != nil {
		return nil, errors.Join(err, st.Close(ctx))
	}
	l := c.loop
	c.loop.run = func(ctx context.Context, d time.Duration) error {
		if err := l.run(ctx, d); err != nil {
			return err
		}
		return b.Drain(ctx)
	}
	c.loop.collect = func() *load.Sample { return b.Collect(l.collect()) }
	c.loop.close = func() {
		l.close()
		b.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = st.Close(ctx) // Empty after Drain; where that failed, the run did.
	}
	return c, nil
}

// slice measures for d and takes down what that used. watch may be nil.
func (c *cell) slice(ctx context.Context, d time.Duration, watch *probe.Watch) error {
	if watch == nil {
		return c.loop.run(ctx, d)
	}
	watch.Peak()
	c.srv.meter.Begin()
	before := c.loop.slow()
	if err := c.loop.run(ctx, d); err != nil {
		return err // Requests may still be under way: nothing of the loop is read.
	}
	c.spent.Add(c.srv.meter.End(), c.loop.slow()-before, watch.Peak())
	return nil
}

// latency is the distribution that is judged: the response times, reads and writes together.
func (c *cell) latency(s *load.Sample) *hist {
	from := s.Service
	if c.loop.open {
		from = s.Response
	}
	h := load.NewHist()
	for _, k := range from {
		if k.TotalCount() > 0 {
			h.Merge(k)
		}
	}
	return h
}

// endWindow files what the window's slices gave.
func (c *cell) endWindow(round, window int, at time.Duration, n probe.Noise) *load.Sample {
	s := c.loop.collect()
	h := c.latency(s)
	c.report.Windows = append(c.report.Windows, report.Window{
		Cell: c.report.Name, Round: round, Window: window, At: at, N: h.TotalCount(),
		P50: verdict.Quantile(h, 0.5), P95: verdict.Quantile(h, 0.95), P99: verdict.Quantile(h, 0.99), Noise: n,
	})
	c.round.Merge(s)
	return s
}

// endRound turns the round's windows into what the verdict counts.
func (c *cell) endRound(noise []probe.Noise) {
	h := c.latency(c.round)
	r := verdict.Round{
		N: h.TotalCount(), Achieved: 1, LagP95: verdict.Quantile(c.round.Lag, 0.95), Errors: c.round.Errors, Mismatch: c.round.Mismatch,
	}
	r.P95, r.Upper = verdict.P95(h)
	if c.loop.open {
		r.Achieved = c.round.Achieved(c.rate)
	}
	hiccups := make([]time.Duration, 0, len(noise))
	for _, n := range noise {
		r.Steal += n.Steal / float64(len(noise))
		hiccups = append(hiccups, n.Hiccup)
	}
	r.Hiccup = middle(hiccups)
	c.rounds = append(c.rounds, r)
	c.total.Merge(c.round)
	c.round = load.NewSample()
}

// finish writes the cell's part of the summary.
func (c *cell) finish() {
	r, s := c.report, c.total
	for i := range c.rounds {
		if c.control != nil && i < len(c.control.rounds) {
			c.rounds[i].Control = c.control.rounds[i].P95
		}
		r.Upper = max(r.Upper, c.rounds[i].Upper)
	}
	r.Rounds, r.Spent = c.rounds, c.spent
	r.Hist = c.latency(s)
	service := load.NewHist()
	for _, k := range s.Service {
		if k.TotalCount() > 0 {
			service.Merge(k)
		}
	}
	r.Response, r.Service, r.Lag = report.LatencyOf(r.Hist), report.LatencyOf(service), report.LatencyOf(s.Lag)
	if s.Durable != nil && s.Durable.TotalCount() > 0 {
		l := report.LatencyOf(s.Durable)
		r.Durable, r.DurableHist = &l, s.Durable
	}
	r.Achieved, r.PerSec = 1, s.PerSecond()
	if c.loop.open {
		r.Achieved = s.Achieved(c.rate)
	}
	r.Late, r.Backlog, r.Errors, r.Mismatch, r.Outside = s.Late, s.Backlog, s.Errors, s.Mismatch, s.Outside
	if s.First != nil {
		r.First = oneLine(s.First)
	}
}

// p95s are the windows' p95s, for ratios.
func (c *cell) p95s() []float64 {
	var out []float64
	for _, w := range c.report.Windows {
		out = append(out, float64(w.P95))
	}
	return out
}
