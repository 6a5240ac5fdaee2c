package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// Table is what stays on the terminal: the figures, the claims and where the files are. Plain text, 100 columns.
func Table(w io.Writer, s *Summary, dir string) {
	p := func(format string, args ...any) { fmt.Fprintf(w, format+"\n", args...) }
	n := s.Noise
	p("noise  steal %.1f %% · cpu pressure %.0f %% · 1 ms sleep late p95 %s max %s · %d GCs", 100*n.Steal, 100*n.PSI, verdict.Micros(n.Hiccup), verdict.Micros(n.Worst), n.GCs)
	p("")
	pr := s.Params
	p("LATENCY  %s, %d in flight, %s, %s keys, %d rounds × %d windows × %d slices of %v, interleaved", loadOf(s), pr.InFlight, pr.Transport, pr.Dist, pr.Rounds, pr.Windows, pr.Slices, pr.Slice)
	rows := [][]string{{"", "p50", "p95", "p99", "p99.9", "max", "n", "p95 bound", "lag p95"}}
	for _, c := range s.Cells {
		l := c.Response
		rows = append(rows, []string{
			c.Name, verdict.Micros(l.P50), verdict.Micros(l.P95), verdict.Micros(l.P99), verdict.Micros(l.P999), verdict.Micros(l.Max),
			fmt.Sprint(l.N), boundOf(c), verdict.Micros(c.Lag.P95),
		})
		if c.Durable != nil {
			d := c.Durable
			rows = append(rows, []string{"  └ durable in Redis", verdict.Micros(d.P50), verdict.Micros(d.P95), verdict.Micros(d.P99), verdict.Micros(d.P999), verdict.Micros(d.Max), fmt.Sprint(d.N), "", ""})
		}
	}
	columns(w, rows)
	if len(s.Scaling) > 0 {
		p("")
		p("KEYS     p95 against the smallest keyspace, window by window, median [95 %% interval]; gate %.2f, goal %.2f", verdict.GateRatio, verdict.GoalRatio)
		var rows [][]string
		for _, sc := range s.Scaling {
			rows = append(rows, []string{fmt.Sprintf("%s %s %s/%s", sc.Client, sc.Workload, sc.Keys, sc.Base), sc.Ratio.String()})
		}
		columns(w, rows)
	}
	tableExtras(w, s, p)
	if len(s.Goals) > 0 {
		p("")
		p("GOALS    beyond the claim; they decide nothing")
		for _, g := range s.Goals {
			p(" %-6s  %s: %s; %s", g.Word(), g.Name, g.Want, g.Got)
			if g.Limit != "" {
				p("         %s", g.Limit)
			}
		}
	}
	if slow := stallsOf(s); len(slow) > 0 {
		p("")
		p("STALLS   what else happened in the slices with a response of 1 ms or more")
		for _, c := range slow {
			p(" %s: %s", c.Name, c.Spent.Stalls())
		}
	}
	if s.Partial != "" {
		p("")
		p("PARTIAL  %s; no verdict", s.Partial)
		return
	}
	p("")
	rows = nil
	for _, j := range s.Judgements {
		rows = append(rows, []string{string(j.Outcome), j.Claim, j.Figure + " (" + j.Reason + ")"})
	}
	columns(w, rows)
	p("")
	p("wrote  %s/{report.html,summary.json,windows.jsonl,results.md,bench.txt,*.hgrm}", dir)
	p("RESULT %s (exit %d) in %d s", s.Outcome, s.Exit, int(s.Elapsed.Seconds()+0.5))
}

// stallsOf are the judged cells of the store that had slow responses.
func stallsOf(s *Summary) []*Cell {
	var out []*Cell
	for _, c := range s.Cells {
		if c.Client == store && len(c.Rounds) > 0 && c.Spent.Slow.Slices > 0 {
			out = append(out, c)
		}
	}
	return out
}

// boundOf is the bound of the worst round; what is measured beside the claims has no rounds.
func boundOf(c *Cell) string {
	if len(c.Rounds) == 0 {
		return ""
	}
	return verdict.Micros(c.Upper)
}

// loadOf is the loop, and the rate that an open one has.
func loadOf(s *Summary) string {
	if loop := loopOf(s); loop != "open" {
		return loop + " loop"
	}
	return fmt.Sprintf("open loop, %s requests a second, %s arrivals", Thousands(int(s.Params.Rate)), s.Params.Arrival)
}

func loopOf(s *Summary) string {
	if len(s.Cells) > 0 {
		return s.Cells[0].Loop
	}
	return "open"
}

// columns aligns the first column and the last claims left, figures right.
func columns(w io.Writer, rows [][]string) {
	var width []int
	for _, r := range rows {
		for i, s := range r {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(s))
		}
	}
	for _, r := range rows {
		var line strings.Builder
		for i, s := range r {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			switch {
			case i == 0 || len(r) <= 3:
				line.WriteString(s + pad + "  ")
			default:
				line.WriteString(pad + s + "  ")
			}
		}
		fmt.Fprintln(w, " "+strings.TrimRight(line.String(), " "))
	}
}

// tableExtras are the figures that only a full run has.
func tableExtras(w io.Writer, s *Summary, p func(string, ...any)) {
	for i, q := range s.Peers {
		if i == 0 || s.Peers[i-1].Workload != q.Workload {
			p("")
			p("PEERS    %s, closed loop, %d clients, all in turn; against %s, median [95 %% interval]", q.Workload, q.Clients, q.Name)
		}
		if i+1 == len(s.Peers) || s.Peers[i+1].Workload != q.Workload {
			rows := [][]string{{"", "requests/s", "p95", "throughput", "p95 ratio", "allocs"}}
			for _, q := range s.Peers {
				if q.Workload == s.Peers[i].Workload {
					rows = append(rows, []string{q.Name, Thousands(int(q.PerSec.Mid)), verdict.Micros(time.Duration(q.P95.Mid)), q.OpsRatio.String(), q.P95Ratio.String(), fmt.Sprintf("%.1f", q.Allocs)})
				}
			}
			columns(w, rows)
			if aa := AA(peersOf(s, q.Workload)); aa != "" {
				p(" %s", aa)
			}
		}
	}
	if len(s.Codecs) > 0 {
		p("")
		p("CODECS   real orders, processor time for one, all in turn; against %s, median [95 %% interval]", s.Codecs[0].Name)
		rows := [][]string{{"", "bytes", "encode", "decode", "encode ratio", "decode ratio", "allocs"}}
		for _, c := range s.Codecs {
			rows = append(rows, []string{c.Name, fmt.Sprint(c.Bytes), verdict.Micros(time.Duration(c.Encode.Mid)), verdict.Micros(time.Duration(c.Decode.Mid)),
				c.EncodeRatio.String(), c.DecodeRatio.String(), fmt.Sprintf("%.1f + %.1f", c.EncodeAllocs, c.DecodeAllocs)})
		}
		columns(w, rows)
	}
	if len(s.Ceiling) > 0 {
		p("")
		p("CEILING  redis-benchmark, range over its runs")
		for _, c := range s.Ceiling {
			p(" %s -P %-3d %s to %s requests/s", c.Test, c.Depth, Thousands(int(c.Lo)), Thousands(int(c.Hi)))
		}
	}
	if len(s.Sweep) > 0 {
		p("")
		p("SWEEP    80 %% reads, open loop, rate up to the knee")
		rows := [][]string{{"", "rate", "reached", "p50", "p95", "p99", "p99.9", "raw p95", "lag p95"}}
		for _, st := range s.Sweep {
			rows = append(rows, []string{st.Keys, Thousands(int(st.Rate)), fmt.Sprintf("%.1f %%", 100*st.Achieved), verdict.Micros(st.P50), verdict.Micros(st.P95), verdict.Micros(st.P99), verdict.Micros(st.P999), verdict.Micros(st.Raw), verdict.Micros(st.LagP95)})
		}
		columns(w, rows)
		for _, l := range s.Loaded {
			if steps := stepsOf(s, l.Keys); len(steps) > 0 {
				p(" %s keys: %s", l.Keys, Knee(steps, s.Params.SLO))
			}
		}
	}
}

func stepsOf(s *Summary, keys string) []Step {
	var out []Step
	for _, st := range s.Sweep {
		if st.Keys == keys {
			out = append(out, st)
		}
	}
	return out
}

func peersOf(s *Summary, workload string) []Peer {
	var out []Peer
	for _, p := range s.Peers {
		if p.Workload == workload {
			out = append(out, p)
		}
	}
	return out
}
