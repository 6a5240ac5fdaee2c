package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/nacre-store/nacre/bench/binance"
	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/verdict"
	"github.com/nacre-store/nacre/gen/trading"
)

// conclude turns what was measured into claims and their outcomes. A run that broke off claims nothing.
func (s *session) conclude() {
	for _, c := range s.cells {
		c.finish()
	}
	if s.watch != nil {
		s.sum.Noise = s.watch.Total()
	}
	s.scale()
	s.sum.Goals = report.Goals(s.sum)
	if s.sum.Partial != "" {
		s.sum.Exit = verdict.ExitError
		return
	}
	for _, c := range s.cells {
		if c.report.Client == ours && c.work.judged {
			claim := fmt.Sprintf("%s p95 < %s, %s keys", c.work.name, verdict.Micros(s.cfg.slo), c.report.Keys)
			s.claim(verdict.Latency(claim, c.rounds, s.cfg.slo))
		}
	}
	for _, sc := range s.sum.Scaling {
		if sc.Client == ours && s.judged(sc.Workload) && sc.Keys == s.cfg.keys[len(s.cfg.keys)-1].label {
			claim := fmt.Sprintf("%s p95 at %s keys ≤ %.2f × %s keys", sc.Workload, sc.Keys, verdict.GateRatio, sc.Base)
			s.claim(verdict.Degradation(claim, sc.Ratio, s.scaling(raw, sc.Workload, sc.Keys), s.roundsOf(sc.Workload)))
		}
	}
	s.sum.Judgements = append(s.sum.Judgements, s.correct()) // True or not on any server, at any speed.
	var outcomes []verdict.Outcome
	for _, j := range s.sum.Judgements {
		outcomes = append(outcomes, j.Outcome)
	}
	s.sum.Outcome = verdict.Worst(outcomes...)
	s.sum.Exit = s.sum.Outcome.Exit()
}

// judged tells that claims are made for a workload.
func (s *session) judged(workload string) bool {
	for _, w := range s.cfg.workloads {
		if w.name == workload {
			return w.judged
		}
	}
	return false
}

// claim files a judgement; where the set-up can't prove anything, success and breach are both taken back.
func (s *session) claim(j verdict.Judgement) {
	unfit := ""
	switch {
	case s.cfg.loop == "closed":
		unfit = "a closed loop does not measure response time"
	case s.servers[0].kind == "embedded":
		unfit = "the embedded server is no Redis"
	case s.sum.Environment.Race:
		unfit = "the race detector is on"
	}
	if unfit != "" && j.Outcome != verdict.Inconclusive {
		j.Outcome, j.Reason = verdict.Inconclusive, unfit
	}
	s.sum.Judgements = append(s.sum.Judgements, j)
}

// correct is the claim that comes before all latency: no error, and every read was what had been written.
func (s *session) correct() verdict.Judgement {
	j := verdict.Judgement{Claim: "every read is what was written", Outcome: verdict.Pass}
	var n, errs, mism int64
	for _, c := range s.sum.Cells {
		n, errs, mism = n+c.Response.N, errs+c.Errors, mism+c.Mismatch
		if j.Reason == "" && c.First != "" {
			j.Reason = c.Name + ": " + c.First
		}
	}
	for _, p := range s.sum.Peers {
		errs, mism = errs+p.Errors, mism+p.Mismatch
	}
	j.Figure = fmt.Sprintf("%d errors, %d mismatches", errs, mism)
	if errs+mism > 0 {
		j.Outcome = verdict.Fail
	} else {
		j.Reason = fmt.Sprintf("%d requests", n)
	}
	return j
}

// scale compares every keyspace with the smallest one, window by window.
func (s *session) scale() {
	for _, big := range s.cells {
		if big.report.Keys == s.cfg.keys[0].label {
			continue
		}
		for _, small := range s.cells {
			if small.report.Keys == s.cfg.keys[0].label && small.report.Client == big.report.Client && small.work == big.work {
				r := verdict.Ratio(big.p95s(), small.p95s())
				if r.N >= verdict.Rounds { // Fewer say nothing, not even in a run that broke off.
					s.sum.Scaling = append(s.sum.Scaling, report.Scaling{
						Workload: big.work.name, Client: big.report.Client, Keys: big.report.Keys, Base: small.report.Keys, Ratio: r,
					})
				}
			}
		}
	}
}

// roundsOf are the store's rounds of a workload on all keyspaces.
func (s *session) roundsOf(workload string) []verdict.Round {
	var out []verdict.Round
	for _, c := range s.cells {
		if c.report.Client == ours && c.work.name == workload {
			out = append(out, c.rounds...)
		}
	}
	return out
}

func (s *session) scaling(client, workload, keys string) verdict.Interval {
	for _, sc := range s.sum.Scaling {
		if sc.Client == client && sc.Workload == workload && sc.Keys == keys {
			return sc.Ratio
		}
	}
	return verdict.Ratio(nil, nil)
}

// header says what is measured, before it is.
func (s *session) header() {
	e := s.sum.Environment
	dirty := ""
	if e.Dirty {
		dirty = ", changed"
	}
	s.prog.done("nacre-bench %s · commit %s%s · seed %d", s.cfg.profile, e.Commit, dirty, s.cfg.seed)
	s.prog.done("host   %d × %s · linux %s · %s GOMAXPROCS=%d · load %s", e.Cores, e.CPU, e.Kernel, e.Go, e.MaxProcs, e.Load)
	if e.Pinned != "" {
		s.prog.done("pin    %s", e.Pinned)
	}
	for i, l := range s.sum.Loaded {
		srv := e.Servers[i]
		s.prog.done("redis  %s %s · %s · %d rows and %d elements in %.1f s · %d MB · PING %s", srv.Version, srv.Kind, s.cfg.transport,
			l.Rows, l.Elements, l.Took.Seconds(), l.Memory>>20, verdict.Micros(srv.PingP50))
	}
	s.prog.done("data   155 contracts JSON → rows → Redis → rows → JSON: equal, byte for byte")
	for _, w := range s.sum.Warnings {
		s.prog.done("warn   %s", w)
	}
}

// write puts the report into the output folder and the table on the terminal.
func (s *session) write(complete bool) error {
	s.prog.step(s.steps, s.steps, "write the report")
	if complete {
		if err := report.Write(s.cfg.out, s.sum); err != nil {
			return err
		}
		s.prog.clear()
		report.Table(s.out, s.sum, shortPath(s.cfg.out))
		return nil
	}
	s.prog.clear()
	return report.WriteSummary(s.cfg.out, s.sum)
}

// verifyContracts reads back what the market's rows became in Redis and compares the exchange information
// made from them with the file, byte for byte.
func verifyContracts(ctx context.Context, srv *server, src *dataset.Source) error {
	back := binance.Rows{}
	var err error
	if back.Venue, err = srv.tables.Venues.Get(ctx, src.Rows.Venue.VenueCode); err != nil {
		return err
	}
	var codes []trading.CurrencyCode
	for _, c := range src.Rows.Currencies {
		codes = append(codes, c.CurrencyCode)
	}
	for c, err := range srv.tables.Currencies.GetMany(ctx, codes...) {
		if err != nil {
			return err
		}
		back.Currencies = append(back.Currencies, c)
	}
	var ids []trading.InstrumentID
	for _, r := range src.Rows.Instruments {
		ids = append(ids, r.InstrumentID)
	}
	for r, err := range srv.tables.Instruments.GetMany(ctx, ids...) {
		if err != nil {
			return err
		}
		back.Instruments = append(back.Instruments, r)
	}
	got, err := binance.FromRows(back).Bytes()
	if err != nil {
		return err
	}
	want, err := os.ReadFile(filepath.Join(src.Dir, dataset.ContractsFile))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("contracts: what comes back from Redis is not what was loaded (%d bytes, %d in the file)", len(got), len(want))
	}
	return nil
}
