package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

//go:embed page.tmpl
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"micros":  verdict.Micros,
	"percent": func(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) },
	"count":   Thousands,
	"secs":    func(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) },
	"mb":      func(n int64) string { return fmt.Sprintf("%d MB", n>>20) },
	"add":     func(a, b float64) float64 { return a + b },
	"half":    func(a, b float64) float64 { return (a + b) / 2 },
	"ratio":   func(v float64) string { return fmt.Sprintf("%.2f", v) },
	"nanos":   func(v float64) string { return verdict.Micros(time.Duration(v)) },
}).Parse(pageText))

// HTML writes report.html: one file that needs nothing else, not even a network.
func HTML(w io.Writer, s *Summary) error { return page.Execute(w, view(s)) }

// A pageView is what the template shows.
type pageView struct {
	*Summary
	Verdict  string
	Class    string
	Headline string
	Loop     string
	Groups   []group
	Noise    []*plot
	Knees    []figure
	Peers    []peerGroup
	Durable  []figure
	Facts    [][2]string
	Versions [][2]string
	Stalls   []*Cell
}

// A group is one workload: the same figures for reads and for writes.
type group struct {
	Name    string
	Legend  []key
	Curves  []*plot
	Time    []*plot
	Scaling []*plot
	Ratios  []Scaling
}

type key struct{ Class, Name string }

// A figure is one plot in both widths, with its legend.
type figure struct {
	Title  string
	Says   string
	Legend []key
	Plots  []*plot
}

type peerGroup struct {
	Workload string
	AA       string
	Clients  int
	Rows     []Peer
	Plots    []*plot
}

func view(s *Summary) pageView {
	v := pageView{Summary: s, Verdict: string(s.Outcome), Class: strings.ToLower(string(s.Outcome)), Loop: capital(loadOf(s))}
	switch {
	case s.Partial != "":
		v.Verdict, v.Class, v.Headline = "PARTIAL", "inconclusive", "The run ended early: "+s.Partial+". There is no verdict."
	case s.Outcome == verdict.Pass:
		v.Headline = fmt.Sprintf("Typed reads and writes keep p95 < %s: every claim holds.", verdict.Micros(s.Params.SLO))
	case s.Outcome == verdict.Fail:
		v.Headline = "A claim does not hold."
	default:
		v.Headline = "This run proves neither: see the reasons."
	}
	rows := map[string]int{}
	var order []string
	for _, l := range s.Loaded {
		rows[l.Keys] = l.Rows
		order = append(order, l.Keys)
	}
	both := func(f func(width float64) *plot) []*plot { return []*plot{f(wide), f(narrow)} }
	for _, work := range workloadsOf(s) {
		g := group{Name: capital(work)}
		var cells, ours []*Cell
		var classes []string
		for _, c := range s.Cells {
			if c.Workload != work || len(c.Curve) == 0 || len(c.Rounds) == 0 {
				continue
			}
			class := fmt.Sprint("c", slices.Index(order, c.Keys))
			if c.Client != "nacre" {
				class += " raw"
			} else {
				ours = append(ours, c)
			}
			cells, classes = append(cells, c), append(classes, class)
			g.Legend = append(g.Legend, key{class, c.Client + ", " + c.Keys + " keys"})
		}
		if len(cells) == 0 {
			continue
		}
		slo := s.Params.SLO
		g.Curves = both(func(w float64) *plot {
			return percentiles(work+": response time by percentile", cells, classes, slo, w)
		})
		if windows(cells) > 1 {
			g.Time = both(func(w float64) *plot { return overTime(work+": p95 over the run", cells, classes, slo, w) })
		}
		if len(ours) > 1 {
			g.Scaling = both(func(w float64) *plot { return scaling(work+": response time by number of keys", ours, rows, slo, w) })
		}
		for _, sc := range s.Scaling {
			if sc.Workload == work {
				g.Ratios = append(g.Ratios, sc)
			}
		}
		v.Groups = append(v.Groups, g)
	}
	if len(s.Cells) > 0 && len(s.Cells[0].Windows) > 1 {
		v.Noise = both(func(w float64) *plot { return noise(s.Cells[0], w) })
	}
	v.extras(s, both)
	v.Facts, v.Stalls = facts(s), stallsOf(s)
	for m, version := range s.Environment.Modules {
		v.Versions = append(v.Versions, [2]string{m, version})
	}
	sort.Slice(v.Versions, func(i, j int) bool { return v.Versions[i][0] < v.Versions[j][0] })
	return v
}

// extras are the figures that only a full run has.
func (v *pageView) extras(s *Summary, both func(func(float64) *plot) []*plot) {
	for _, l := range s.Loaded {
		if steps := stepsOf(s, l.Keys); len(steps) > 1 {
			title := "Latency by rate, " + l.Keys + " keys, 80 % reads"
			v.Knees = append(v.Knees, figure{
				Title: title, Says: Knee(steps, s.Params.SLO), Legend: []key{{"c0", "p50"}, {"c1", "p95"}, {"c2", "p99"}, {"c1 raw", "raw rueidis p95"}},
				Plots: both(func(w float64) *plot { return knee(title, steps, s.Params.SLO, w) }),
			})
		}
	}
	for _, p := range s.Peers {
		i := slices.IndexFunc(v.Peers, func(g peerGroup) bool { return g.Workload == p.Workload })
		if i < 0 {
			i = len(v.Peers)
			v.Peers = append(v.Peers, peerGroup{Workload: p.Workload, Clients: p.Clients})
		}
		v.Peers[i].Rows = append(v.Peers[i].Rows, p)
	}
	for i := range v.Peers {
		v.Peers[i].AA = AA(v.Peers[i].Rows)
		v.Peers[i].Plots = both(func(w float64) *plot { return peerBars(v.Peers[i].Rows, w) })
	}
	for _, c := range s.Cells {
		if c.Durable != nil && len(c.DurableCurve) > 0 && len(c.Curve) > 0 {
			accepted, durable := *c, *c
			accepted.Name, durable.Name = "accepted", "durable in Redis"
			durable.Curve, durable.Response = c.DurableCurve, *c.Durable
			title := c.Name + ": accepted and durable"
			v.Durable = append(v.Durable, figure{
				Title: title, Says: durableSays, Legend: []key{{"c0", "accepted"}, {"c1", "durable in Redis"}},
				Plots: both(func(w float64) *plot {
					return percentiles(title, []*Cell{&accepted, &durable}, []string{"c0", "c1"}, 0, w)
				}),
			})
		}
	}
}

const durableSays = "The configuration of the specification: writes wait for others up to buffer_interval_ms. Accepted is when Put returned, counted from when it was due; durable is when Redis had acknowledged it, counted from acceptance, on rows that nobody writes again meanwhile, to a millisecond."

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func windows(cells []*Cell) int { return len(cells[0].Windows) }

func workloadsOf(s *Summary) []string {
	var out []string
	for _, c := range s.Cells {
		if !slices.Contains(out, c.Workload) {
			out = append(out, c.Workload)
		}
	}
	return out
}

// facts are the environment as a table.
func facts(s *Summary) [][2]string {
	e := s.Environment
	virtual := ""
	if e.Hypervisor {
		virtual = ", virtual machine"
	}
	dirty := ""
	if e.Dirty {
		dirty = " with uncommitted changes"
	}
	out := [][2]string{
		{"processor", fmt.Sprintf("%d × %s%s", e.Cores, e.CPU, virtual)},
		{"system", fmt.Sprintf("%s, kernel %s, load %s at the start", e.OS, e.Kernel, e.Load)},
		{"timing", fmt.Sprintf("clock %s, pacer %s", e.Clock, s.Params.Pacing)},
		{"pinning", e.Placement()},
		{"power, pages, quota", fmt.Sprintf("governor %s, transparent huge pages %s, cpu.max %s", orNone(e.Governor), orNone(e.THP), orNone(e.Quota))},
		{"build", fmt.Sprintf("%s, GOMAXPROCS=%d, GOGC=%s, PGO %s, commit %s%s", e.Go, e.MaxProcs, e.GOGC, orNone(e.PGO), e.Commit, dirty)},
	}
	for i, srv := range e.Servers {
		var conf []string
		for k, val := range srv.Config {
			if val == "" {
				val = `""`
			}
			conf = append(conf, k+"="+val)
		}
		slices.Sort(conf)
		label := "Redis"
		if i < len(s.Loaded) {
			label += ", " + s.Loaded[i].Keys + " keys"
		}
		out = append(out, [2]string{label, fmt.Sprintf("%s %s at %s over %s, PING p50 %s, %s", srv.Version, srv.Kind, srv.Address, s.Params.Transport, verdict.Micros(srv.PingP50), strings.Join(conf, " "))})
	}
	n := s.Noise
	return append(out, [2]string{"noise while measuring", fmt.Sprintf(
		"steal %.1f %%, processor pressure %.0f %%, 1 ms sleep late by %s at p95 and %s at most, %d involuntary switches, %d garbage collections pausing %s in all",
		100*n.Steal, 100*n.PSI, verdict.Micros(n.Hiccup), verdict.Micros(n.Worst), n.Forced, n.GCs, verdict.Micros(n.GCPause))})
}

func orNone(s string) string {
	if s == "" {
		return "n/a"
	}
	return s
}

// Thousands writes 1234567 as 1,234,567.
func Thousands(v any) string {
	s := fmt.Sprint(v)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
