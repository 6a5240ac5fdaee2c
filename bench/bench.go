package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/probe"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

type hist = hdrhistogram.Histogram

// A session is one run of the bench.
type session struct {
	cfg     *config
	out     io.Writer
	prog    *progress
	sum     *report.Summary
	src     *dataset.Source
	servers []*server
	cells   []*cell
	sides   []*cell // Measured beside the claims.
	watch   *probe.Watch
	begin   time.Time // Of the first round.
	steps   int
}

// bench runs and reports. Its error is the one line that says why there is no verdict; partial results are
// written all the same.
func bench(ctx context.Context, cfg *config, stdout io.Writer) (code int, err error) {
	began := time.Now()
	pinned, release, err := cfg.pinClient()
	if err != nil {
		return verdict.ExitError, err
	}
	defer release()
	if cfg.out == "" {
		cfg.out = filepath.Join(cfg.root, "bench", "out", began.Format("2006-01-02T15-04-05"))
	}
	s := &session{cfg: cfg, out: stdout, prog: newProgress(stdout), sum: &report.Summary{
		Schema: report.SchemaVersion, Time: began.UTC(), Profile: cfg.profile, Exit: verdict.ExitError,
		Params: report.Params{
			Rate: cfg.rate, InFlight: cfg.inFlight, Arrival: string(cfg.arrival), Dist: cfg.dist, Transport: cfg.transport, AOF: cfg.aof,
			SLO: cfg.slo, Windows: cfg.windows, Slices: slicesPerWindow, Slice: cfg.slice, Seed: cfg.seed, Pacing: load.Pacing,
		},
		Environment: probe.Local(cfg.root),
	}}
	s.sum.Environment.Pinned = pinned
	defer load.Reserve(2)() // The pacer and the hiccup meter.
	s.sum.Environment.Command = strings.Join(append([]string{"bin/nacre-bench"}, cfg.args...), " ")
	s.steps = 5 + len(s.stages())
	// An output folder that can't be written is known now, not in two minutes.
	if err := os.MkdirAll(cfg.out, 0o755); err != nil {
		return verdict.ExitError, fmt.Errorf("output folder: %w", err)
	}
	s.sum.Partial = "the run did not end"
	if err := report.WriteSummary(cfg.out, s.sum); err != nil {
		return verdict.ExitError, fmt.Errorf("output folder: %w", err)
	}
	defer func() {
		for _, srv := range s.servers {
			if cerr := srv.close(); cerr != nil && err == nil {
				code, err = verdict.ExitError, fmt.Errorf("clean up: %w", cerr)
			}
		}
	}()
	s.sum.Partial = ""
	if err = s.measure(ctx); err != nil {
		if ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		s.sum.Partial = oneLine(err)
	}
	s.sum.Elapsed = time.Since(began)
	s.conclude()
	if werr := s.write(err == nil || len(s.cells) > 0 && len(s.cells[0].rounds) > 0); werr != nil {
		return verdict.ExitError, errors.Join(err, fmt.Errorf("write the report: %w", werr))
	}
	if err != nil {
		return verdict.ExitError, fmt.Errorf("%w (partial results: %s)", err, shortPath(cfg.out))
	}
	return s.sum.Exit, nil
}

// measure is everything up to the verdict.
func (s *session) measure(ctx context.Context) (err error) {
	if s.src, err = readSource(s.cfg); err != nil {
		return err
	}
	s.prog.step(1, s.steps, "start Redis and load")
	for _, k := range s.cfg.keys {
		if err := s.load(ctx, k); err != nil {
			return err
		}
	}
	s.src = nil // The collector need not mark it while the clock runs.
	s.sum.Warnings = s.sum.Environment.Warnings()
	s.header()
	s.prog.step(2, s.steps, "self-test: freeze the server")
	if s.sum.SelfTest, err = selfTest(ctx, s.cfg, s.servers[0]); err != nil {
		return err
	}
	st := s.sum.SelfTest
	s.prog.done("self   a freeze of %v: open loop p99 %s, seen; a closed loop would say %s", st.Freeze, verdict.Micros(st.OpenP99), verdict.Micros(st.ClosedP99))
	defer func() {
		for _, c := range s.cells {
			c.loop.close()
		}
	}()
	for _, srv := range s.servers {
		if err := s.addCells(ctx, srv); err != nil {
			return err
		}
	}
	s.watch = probe.NewWatch()
	defer s.watch.Close()
	s.keepBudget()
	if err := s.warmUp(ctx); err != nil {
		return err
	}
	if err := s.rounds(ctx, s.cfg.rounds); err != nil {
		return err
	}
	if s.cfg.extend && s.cfg.loop == "open" && s.undecided() {
		s.prog.done("       the rounds don't agree: %d more", s.cfg.rounds)
		if err := s.rounds(ctx, s.cfg.rounds); err != nil {
			return err
		}
	}
	return s.beside(ctx)
}

func readSource(cfg *config) (*dataset.Source, error) {
	return dataset.ReadSource(filepath.Join(cfg.root, "testdata", "market"))
}

// minSlice is how short a slice may become: shorter ones measure the start of a slice.
const minSlice = 20 * time.Millisecond

// keepBudget cuts the slices so that warm-up, all rounds and an extension fit into what loading left.
func (s *session) keepBudget() {
	if s.cfg.budget == 0 {
		return
	}
	left := s.cfg.budget - time.Since(s.sum.Time) - besideTime
	slices := len(s.cells) * slicesPerWindow * s.cfg.windows * s.cfg.rounds * 2
	s.cfg.slice = max(minSlice, min(s.cfg.slice, left*9/10/time.Duration(slices)))
	s.cfg.slice = s.cfg.slice.Truncate(time.Millisecond)
	s.sum.Params.Slice = s.cfg.slice
}

// load starts a server and fills it.
func (s *session) load(ctx context.Context, k keyspace) error {
	srv, err := openServer(ctx, s.cfg, k)
	if err != nil {
		return err
	}
	s.servers = append(s.servers, srv)
	if srv.kind == "embedded" && k.rows > 10_000 {
		return fmt.Errorf("%s keys need a Redis; the embedded server takes 10k (-keys 10k)", k.label)
	}
	begin := time.Now()
	plan := dataset.Plan{Rows: k.rows, Progress: func(n int) {
		done := float64(n) / float64(k.rows)
		left := time.Duration(float64(time.Since(begin)) * (1 - done) / max(done, 0.01))
		s.prog.show(done, left, k.label+" keys")
	}}
	if err := dataset.Load(ctx, srv.tables, s.src, srv.set, plan); err != nil {
		if gone := srv.alive(ctx); gone != nil && ctx.Err() == nil {
			return gone
		}
		return err
	}
	if err := verifyContracts(ctx, srv, s.src); err != nil {
		return err
	}
	d := srv.describe(ctx)
	s.sum.Environment.Servers = append(s.sum.Environment.Servers, d)
	l := report.Loaded{
		Keys: k.label, Rows: srv.set.Len(), ByTable: map[string]int{}, Elements: srv.set.Events, Bytes: srv.set.Bytes, Memory: d.Memory, Took: time.Since(begin),
	}
	for t, n := range srv.set.Count {
		l.ByTable[dataset.Table(t).String()] = n
	}
	s.sum.Loaded = append(s.sum.Loaded, l)
	return nil
}

// addCells makes the cells of a keyspace: each workload through the store, next to it through the raw client.
func (s *session) addCells(ctx context.Context, srv *server) error {
	for _, w := range s.cfg.workloads {
		if w.buffered { // The raw client has nothing like it.
			c, err := newBuffered(ctx, s.cfg, srv, w)
			if err != nil {
				return err
			}
			s.cells = append(s.cells, c)
			s.sum.Cells = append(s.sum.Cells, c.report)
			continue
		}
		c, err := newCell(s.cfg, srv, w, ours, func(m target.Mix, slots int) load.Target { return target.NewNacre(srv.tables, m, slots) })
		if err != nil {
			return err
		}
		c.control, err = newCell(s.cfg, srv, w, raw, func(m target.Mix, slots int) load.Target { return target.NewRaw(srv.raw, m, slots) })
		if err != nil {
			return err
		}
		s.cells = append(s.cells, c, c.control)
		s.sum.Cells = append(s.sum.Cells, c.report, c.control.report)
	}
	return nil
}

// turn runs one slice of every cell. The order rotates and turns back, so that no cell always follows the same.
func (s *session) turn(ctx context.Context, n int) error {
	for i := range s.cells {
		at := (i + n/2) % len(s.cells)
		if n%2 == 1 {
			at = len(s.cells) - 1 - at
		}
		c := s.cells[at]
		begin := time.Now()
		if err := c.slice(ctx, s.cfg.slice, s.watch); err != nil {
			return s.blame(ctx, c, err)
		}
		if time.Since(begin) > s.cfg.slice+time.Second { // Slow, or gone: don't wait for the window to end.
			if gone := c.srv.alive(ctx); gone != nil && ctx.Err() == nil {
				return gone
			}
		}
	}
	return nil
}

// blame turns a run that broke off into the line that says why.
func (s *session) blame(ctx context.Context, c *cell, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if gone := c.srv.alive(ctx); gone != nil {
		return gone
	}
	return fmt.Errorf("%s: %w", c.report.Name, err)
}

// warmUp measures and discards until each cell's last three slices agree within 20 %, or for long enough.
func (s *session) warmUp(ctx context.Context) error {
	s.prog.step(3, s.steps, "warm up")
	begin := time.Now()
	most := time.Duration(len(s.cells)) * s.cfg.slice * 12
	seen := make([][]float64, len(s.cells))
	for n := 0; time.Since(begin) < most; n++ {
		if err := s.turn(ctx, n); err != nil {
			return err
		}
		stable := true
		for i, c := range s.cells {
			h := c.latency(c.loop.collect())
			seen[i] = append(seen[i], float64(verdict.Quantile(h, 0.95)))
			stable = stable && steady(seen[i])
		}
		if stable {
			break
		}
		s.prog.show(float64(time.Since(begin))/float64(most), most-time.Since(begin), "")
	}
	for _, c := range s.cells {
		c.spent = report.Spent{}
	}
	s.watch.Lap()
	s.sum.WarmUp = time.Since(begin)
	return nil
}

// steady tells that the last three lie within 20 %.
func steady(v []float64) bool {
	if len(v) < 3 {
		return false
	}
	last := v[len(v)-3:]
	return slices.Max(last) <= 1.2*slices.Min(last)
}

// rounds runs n more rounds.
func (s *session) rounds(ctx context.Context, n int) error {
	if s.begin.IsZero() {
		s.begin = time.Now()
	}
	first := len(s.cells[0].rounds)
	begin, total := time.Now(), n*s.cfg.windows*slicesPerWindow
	turns := 0
	for r := first; r < first+n; r++ {
		s.prog.step(4, s.steps, fmt.Sprintf("round %d of %d", r+1, first+n))
		var noise []probe.Noise
		for w := range s.cfg.windows {
			for range slicesPerWindow {
				if err := s.turn(ctx, turns); err != nil {
					return err
				}
				turns++
				done := float64(turns) / float64(total)
				s.prog.show(done, time.Duration(float64(time.Since(begin))*(1-done)/done), s.sofar())
			}
			lap := s.watch.Lap()
			noise = append(noise, lap)
			for _, c := range s.cells {
				if got := c.endWindow(r, w, time.Since(s.begin), lap); got.Errors > 0 {
					if gone := c.srv.alive(ctx); gone != nil && ctx.Err() == nil {
						return gone
					}
				}
			}
		}
		for _, c := range s.cells {
			c.endRound(noise)
		}
		s.sum.Params.Rounds = r + 1
		if !s.prog.tty {
			s.prog.done("round  %d of %d: %s", r+1, first+n, s.sofar())
		}
	}
	return nil
}

// sofar is how the store's cells look: the last window's p95.
func (s *session) sofar() string {
	var parts []string
	var errs int64
	for _, c := range s.cells {
		errs += c.total.Errors + c.total.Mismatch + c.round.Errors + c.round.Mismatch
		if n := len(c.report.Windows); c.report.Client == ours && n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s p95 %s", c.work.name, c.report.Keys, verdict.Micros(c.report.Windows[n-1].P95)))
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("errors %d", errs)), " · ")
}

// undecided tells that some claim needs the second stage.
func (s *session) undecided() bool {
	for _, c := range s.cells {
		c.finish()
		if c.report.Client == ours && c.work.judged && verdict.NeedsExtension(c.rounds, s.cfg.slo) {
			return true
		}
	}
	return false
}

// middle is the median.
func middle(v []time.Duration) time.Duration {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// shortPath is relative to the working directory where that is shorter.
func shortPath(p string) string {
	if at, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(at, p); err == nil && len(rel) < len(p) {
			return rel
		}
	}
	return p
}
