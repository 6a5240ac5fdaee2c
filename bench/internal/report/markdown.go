package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// Markdown writes results.md: the run's figures as the section "Results" of docs/performance.md has them.
func Markdown(w io.Writer, s *Summary) error {
	m := &markdown{w: w}
	e := s.Environment
	redis := "no Redis"
	if len(e.Servers) > 0 {
		redis = "Redis " + e.Servers[0].Version
	}
	m.text("`%s`, %s, commit %s: %d × %s, Linux %s, %s, %s; %s; steal %.1f %%, processor pressure %.0f %%, a 1 ms sleep late by %s at p95. **%s**.",
		e.Command, s.Time.Format("2 January 2006"), e.Commit, e.Cores, e.CPU, e.Kernel, e.Go, redis, e.Placement(),
		100*s.Noise.Steal, 100*s.Noise.PSI, verdict.Micros(s.Noise.Hiccup), s.outcome())
	m.claims(s)
	m.latency(s)
	m.scaling(s)
	m.sweep(s)
	m.peers(s)
	m.codecs(s)
	if len(s.Goals) > 0 {
		m.text("**Goals** beyond the claim:")
		m.row("goal", "", "measured", "what stood in the way")
		for _, g := range s.Goals {
			m.row(g.Name+": "+g.Want, g.Word(), g.Got, g.Limit)
		}
	}
	return m.err
}

// outcome is the verdict, or that there is none.
func (s *Summary) outcome() string {
	if s.Partial != "" {
		return "PARTIAL: " + s.Partial
	}
	return string(s.Outcome)
}

type markdown struct {
	w    io.Writer
	err  error
	cols int // Of the table that is being written; 0 = none.
}

func (m *markdown) print(s string) {
	if m.err == nil {
		_, m.err = io.WriteString(m.w, s)
	}
}

func (m *markdown) text(format string, args ...any) {
	if m.cols > 0 {
		m.print("\n")
	}
	m.cols = 0
	m.print(fmt.Sprintf(format, args...) + "\n\n")
}

// row writes a row; the first one of a table is its head.
func (m *markdown) row(cells ...string) {
	m.print("| " + strings.ReplaceAll(strings.Join(cells, " | "), "\n", " ") + " |\n")
	if m.cols == 0 {
		m.cols = len(cells)
		m.print(strings.Repeat("|---", m.cols) + "|\n")
	}
}

func (m *markdown) claims(s *Summary) {
	m.row("claim", "", "measured", "reason")
	for _, j := range s.Judgements {
		m.row(j.Claim, string(j.Outcome), j.Figure, j.Reason)
	}
}

func (m *markdown) latency(s *Summary) {
	m.text("**Latency**, %s, %d in flight, section LATENCY. Busy: processors' worth of client and Redis.", loadOf(s), s.Params.InFlight)
	m.row("workload", "rate", "p50", "p95", "p99", "p99.9", "busy", "requests")
	for _, c := range s.Cells {
		rate := "closed"
		if c.Rate > 0 {
			rate = Thousands(int(c.Rate)) + "/s"
		}
		l := c.Response
		m.row(c.Name, rate, verdict.Micros(l.P50), bold(l.P95, s.Params.SLO), verdict.Micros(l.P99), verdict.Micros(l.P999),
			fmt.Sprintf("%.2f + %.2f", c.Spent.ClientBusy(), c.Spent.ServerBusy()), Thousands(l.N))
		if d := c.Durable; d != nil {
			m.row("└ durable in Redis", "", verdict.Micros(d.P50), verdict.Micros(d.P95), verdict.Micros(d.P99), verdict.Micros(d.P999), "", Thousands(d.N))
		}
	}
}

// bold marks a figure that is not below its limit.
func bold(d, limit time.Duration) string {
	if d < limit {
		return verdict.Micros(d)
	}
	return "**" + verdict.Micros(d) + "**"
}

func (m *markdown) scaling(s *Summary) {
	if len(s.Scaling) == 0 {
		return
	}
	m.text("**Many keys**, p95 against %s rows, window by window, section KEYS. Gate %.2f, goal %.2f.", s.Scaling[0].Base, verdict.GateRatio, verdict.GoalRatio)
	m.row("workload", "keys", "client", "ratio")
	for _, sc := range s.Scaling {
		m.row(sc.Workload, sc.Keys, sc.Client, sc.Ratio.String())
	}
}

func (m *markdown) sweep(s *Summary) {
	for i, l := range s.Loaded {
		steps := stepsOf(s, l.Keys)
		if len(steps) == 0 {
			continue
		}
		if i == 0 {
			m.text("**The knee**, 80 %% reads, one connection, section SWEEP.")
			m.row("keys", "")
		}
		m.row(l.Keys, Knee(steps, s.Params.SLO))
	}
}

func (m *markdown) peers(s *Summary) {
	if len(s.Peers) > 0 {
		m.text("**Peers**, orders, closed loop, %d clients, section PEERS.", s.Peers[0].Clients)
		m.row("", "requests/s against raw rueidis", "p95 against raw rueidis", "p95", "allocations")
	}
	for _, p := range s.Peers {
		m.row(p.Workload+": "+p.Name, p.OpsRatio.String(), p.P95Ratio.String(), verdict.Micros(time.Duration(p.P95.Mid)), fmt.Sprintf("%.1f", p.Allocs))
	}
	if len(s.Ceiling) > 0 {
		m.text("**Ceiling**, redis-benchmark, section CEILING: a range over its runs, no part of any ratio.")
		m.row("", "requests/s")
	}
	for _, c := range s.Ceiling {
		m.row(fmt.Sprintf("%s, pipeline depth %d", c.Test, c.Depth), Thousands(int(c.Lo))+" to "+Thousands(int(c.Hi)))
	}
}

func (m *markdown) codecs(s *Summary) {
	if len(s.Codecs) == 0 {
		return
	}
	m.text("**Codecs**, real orders, section CODECS; ratios are against nacre.")
	m.row("", "bytes", "encode", "decode", "encode ratio", "decode ratio", "allocations")
	for _, c := range s.Codecs {
		m.row(c.Name, fmt.Sprint(c.Bytes), verdict.Micros(time.Duration(c.Encode.Mid)), verdict.Micros(time.Duration(c.Decode.Mid)),
			c.EncodeRatio.String(), c.DecodeRatio.String(), fmt.Sprintf("%.1f + %.1f", c.EncodeAllocs, c.DecodeAllocs))
	}
}
