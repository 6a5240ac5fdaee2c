package report

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// A plot is one drawing as the page's template lays it out: places in its own units, text still unescaped.
type plot struct {
	Title  string // Also its description for who can't see it.
	W, H   float64
	X0, X1 float64 // The frame: left, right,
	Y0, Y1 float64 // bottom, top.
	XTicks []tick
	YTicks []tick
	XLabel string
	YLabel string
	Lines  []line
	Dots   []dot
	Bars   []bar
	Rules  []rule
}

type tick struct {
	At    float64
	Label string
}

// A line's class picks its colour; "raw" in it makes it dashed.
type line struct{ Class, D, Name string }

type dot struct {
	X, Y        float64
	Class, Name string
}

type bar struct {
	X, Y, W, H  float64
	Class       string
	Name, Label string
	LabelX      float64
	Lo, Hi      float64 // Whiskers, 0 = none.
	Mid         float64 // The whisker's height.
}

// A rule is a straight line with a label, such as the SLO.
type rule struct {
	X1, Y1, X2, Y2 float64
	Class, Label   string
}

// scale maps a value to a place.
type scale struct {
	lo, hi   float64
	from, to float64
	log      bool
}

func (s scale) at(v float64) float64 {
	lo, hi := s.lo, s.hi
	if s.log {
		lo, hi, v = math.Log(lo), math.Log(hi), math.Log(math.Max(v, s.lo))
	}
	if hi == lo {
		return s.from
	}
	return s.from + (v-lo)/(hi-lo)*(s.to-s.from)
}

// Widths of every plot: one for a desktop, one for a phone.
const (
	wide   = 860
	narrow = 360
)

func newPlot(title string, width, height, left float64) *plot {
	return &plot{Title: title, W: width, H: height, X0: left, X1: width - 26, Y0: height - 38, Y1: 14}
}

// logDurations covers the durations with decades and labels them.
func (p *plot) logDurations(lo, hi time.Duration) scale {
	s := scale{lo: decade(float64(lo), math.Floor), hi: decade(float64(hi)*1.05, math.Ceil), from: p.Y0, to: p.Y1, log: true}
	if s.hi <= s.lo {
		s.hi = s.lo * 10
	}
	for v := s.lo; v <= s.hi*1.01; v *= 10 {
		p.YTicks = append(p.YTicks, tick{s.at(v), round(time.Duration(v + 0.5))})
	}
	return s
}

func decade(v float64, f func(float64) float64) float64 {
	return math.Pow(10, f(math.Log10(math.Max(v, 100))))
}

// round labels an axis: 10 µs, 1 ms, 1 s.
func round(d time.Duration) string {
	switch {
	case d >= time.Second:
		return fmt.Sprintf("%g s", d.Seconds())
	case d >= time.Millisecond:
		return fmt.Sprintf("%g ms", float64(d)/1e6)
	case d >= time.Microsecond:
		return fmt.Sprintf("%g µs", float64(d)/1e3)
	}
	return fmt.Sprintf("%d ns", d)
}

// linear is a scale from 0 with about four round ticks.
func (p *plot) linear(hi float64, vertical bool, label func(float64) string) scale {
	step := math.Pow(10, math.Floor(math.Log10(math.Max(hi, 1e-9)/4)))
	for _, f := range []float64{1, 2, 5, 10} {
		if hi/(step*f) <= 5 {
			step *= f
			break
		}
	}
	s := scale{lo: 0, hi: math.Ceil(hi/step-1e-9) * step, from: p.X0, to: p.X1}
	if vertical {
		s.from, s.to = p.Y0, p.Y1
	}
	for v := 0.0; v <= s.hi*1.001; v += step {
		t := tick{s.at(v), label(v)}
		if vertical {
			p.YTicks = append(p.YTicks, t)
		} else {
			p.XTicks = append(p.XTicks, t)
		}
	}
	return s
}

// path joins points.
func path(xy [][2]float64) string {
	var b strings.Builder
	for i, q := range xy {
		c := byte('L')
		if i == 0 {
			c = 'M'
		}
		fmt.Fprintf(&b, "%c%.1f %.1f", c, q[0], q[1])
	}
	return b.String()
}

// percentiles plots response times against percentiles, the tail stretched: 90 %, 99 %, 99.9 % are equally far
// apart. An slo of 0 draws no claim.
func percentiles(title string, cells []*Cell, classes []string, slo time.Duration, width float64) *plot {
	p := newPlot(title, width, 320, 58)
	lo, hi, tail := cells[0].Response.P50, slo, 0.9
	for _, c := range cells {
		for _, q := range c.Curve {
			lo, hi, tail = min(lo, q.D), max(hi, q.D), math.Max(tail, q.Q)
		}
	}
	y := p.logDurations(max(lo, time.Microsecond), hi)
	x := scale{lo: 1, hi: 1 / (1 - tail), from: p.X0, to: p.X1, log: true}
	for left, label := 1.0, []string{"0", "90 %", "99 %", "99.9 %", "99.99 %", "99.999 %", "99.9999 %"}; len(label) > 0 && 1/left <= x.hi*1.01; left, label = left/10, label[1:] {
		p.XTicks = append(p.XTicks, tick{x.at(1 / left), label[0]})
	}
	p.XLabel, p.YLabel = "percentile", "response time"
	p.Rules = append(p.Rules, rule{x.at(20), p.Y0, x.at(20), p.Y1, "guide", "p95"})
	if slo > 0 {
		p.Rules = append(p.Rules, rule{p.X0, y.at(float64(slo)), p.X1, y.at(float64(slo)), "slo", "claim: p95 < " + round(slo)})
	}
	for i, c := range cells {
		var xy [][2]float64
		for _, q := range c.Curve {
			xy = append(xy, [2]float64{x.at(1 / (1 - q.Q)), y.at(float64(q.D))})
		}
		p.Lines = append(p.Lines, line{classes[i], path(xy), c.Name})
		p.Dots = append(p.Dots, dot{x.at(20), y.at(float64(c.Response.P95)), classes[i], c.Name + ": p95 " + verdict.Micros(c.Response.P95)})
	}
	return p
}

// overTime plots each window's p95.
func overTime(title string, cells []*Cell, classes []string, slo time.Duration, width float64) *plot {
	p := newPlot(title, width, 240, 58)
	lo, hi, end := slo, slo, time.Second
	for _, c := range cells {
		for _, w := range c.Windows {
			lo, hi, end = min(lo, w.P95), max(hi, w.P95), max(end, w.At)
		}
	}
	y := p.logDurations(max(lo, time.Microsecond), hi)
	x := p.linear(end.Seconds(), false, func(v float64) string { return fmt.Sprintf("%g s", v) })
	p.YLabel = "p95 of a window"
	p.Rules = append(p.Rules, rule{p.X0, y.at(float64(slo)), p.X1, y.at(float64(slo)), "slo", "claim"})
	for i, c := range cells {
		var xy [][2]float64
		for _, w := range c.Windows {
			xy = append(xy, [2]float64{x.at(w.At.Seconds()), y.at(float64(w.P95))})
		}
		p.Lines = append(p.Lines, line{classes[i], path(xy), c.Name})
	}
	return p
}

// noise plots what the machine did in the same windows.
func noise(c *Cell, width float64) *plot {
	p := newPlot("What the machine did meanwhile: how late a 1 ms sleep was at p95, and the share of time in which something waited for a processor", width, 170, 58)
	end, hi := time.Second, verdict.MaxHiccup
	for _, w := range c.Windows {
		end, hi = max(end, w.At), max(hi, w.Noise.Hiccup)
	}
	x := p.linear(end.Seconds(), false, func(v float64) string { return fmt.Sprintf("%g s", v) })
	y := p.linear(float64(hi)/1e3, true, func(v float64) string { return fmt.Sprintf("%g µs", v) })
	p.XLabel, p.YLabel = "since the first round", "sleep late by"
	limit := y.at(float64(verdict.MaxHiccup) / 1e3)
	p.Rules = append(p.Rules, rule{p.X0, limit, p.X1, limit, "guide", "noisy above"})
	var late [][2]float64
	gap := (p.X1 - p.X0) / float64(max(len(c.Windows), 1))
	for _, w := range c.Windows {
		at := x.at(w.At.Seconds())
		late = append(late, [2]float64{at, y.at(float64(w.Noise.Hiccup) / 1e3)})
		h := (p.Y0 - p.Y1) * math.Min(1, w.Noise.PSI)
		p.Bars = append(p.Bars, bar{X: at - gap*0.9, Y: p.Y0 - h, W: gap * 0.8, H: h, Class: "psi", Name: fmt.Sprintf("processor pressure %.0f %%, steal %.1f %%", 100*w.Noise.PSI, 100*w.Noise.Steal)})
	}
	p.Lines = append(p.Lines, line{"late", path(late), "1 ms sleep late, p95"})
	return p
}

// scaling plots percentiles against the number of keys.
func scaling(title string, cells []*Cell, rows map[string]int, slo time.Duration, width float64) *plot {
	p := newPlot(title, width, 260, 58)
	lo, hi := slo, slo
	least, most := math.Inf(1), 0.0
	for _, c := range cells {
		lo, hi = min(lo, c.Response.P50), max(hi, c.Response.P99)
		least, most = math.Min(least, float64(rows[c.Keys])), math.Max(most, float64(rows[c.Keys]))
	}
	y := p.logDurations(max(lo, time.Microsecond), hi)
	x := scale{lo: least / 1.6, hi: most * 1.6, from: p.X0, to: p.X1, log: true}
	p.XLabel, p.YLabel = "keys", "response time"
	p.Rules = append(p.Rules, rule{p.X0, y.at(float64(slo)), p.X1, y.at(float64(slo)), "slo", "claim: p95 < " + round(slo)})
	for i, q := range []struct {
		name string
		of   func(*Cell) time.Duration
	}{
		{"p50", func(c *Cell) time.Duration { return c.Response.P50 }},
		{"p95", func(c *Cell) time.Duration { return c.Response.P95 }},
		{"p99", func(c *Cell) time.Duration { return c.Response.P99 }},
	} {
		var xy [][2]float64
		for _, c := range cells {
			at := [2]float64{x.at(float64(rows[c.Keys])), y.at(float64(q.of(c)))}
			xy = append(xy, at)
			name := fmt.Sprintf("%s, %s keys: %s", q.name, c.Keys, verdict.Micros(q.of(c)))
			d := dot{at[0], at[1], fmt.Sprint("c", i), name}
			p.Dots = append(p.Dots, d)
			if q.name == "p95" {
				// The bars of the p95: lowest and highest round.
				rlo, rhi := q.of(c), q.of(c)
				for _, r := range c.Rounds {
					rlo, rhi = min(rlo, r.P95), max(rhi, r.P95)
				}
				p.Rules = append(p.Rules, rule{at[0], y.at(float64(rlo)), at[0], y.at(float64(rhi)), "whisker", ""})
			}
			if i == 0 {
				p.XTicks = append(p.XTicks, tick{at[0], c.Keys})
			}
		}
		p.Lines = append(p.Lines, line{fmt.Sprint("c", i), path(xy), q.name})
	}
	return p
}

// knee plots latency against the rate that was offered.
func knee(title string, steps []Step, slo time.Duration, width float64) *plot {
	p := newPlot(title, width, 280, 58)
	lo, hi, most := slo, slo, 0.0
	for _, s := range steps {
		lo, hi, most = min(lo, s.P50), max(hi, s.P99), math.Max(most, s.Rate)
	}
	y := p.logDurations(max(lo, time.Microsecond), hi)
	x := p.linear(most/1000, false, func(v float64) string { return fmt.Sprintf("%gk/s", v) })
	p.XLabel, p.YLabel = "requests offered", "response time"
	p.Rules = append(p.Rules, rule{p.X0, y.at(float64(slo)), p.X1, y.at(float64(slo)), "slo", "claim: p95 < " + round(slo)})
	for i, q := range []struct {
		name, class string
		of          func(Step) time.Duration
	}{
		{"p50", "c0", func(s Step) time.Duration { return s.P50 }},
		{"p95", "c1", func(s Step) time.Duration { return s.P95 }},
		{"p99", "c2", func(s Step) time.Duration { return s.P99 }},
		{"raw rueidis p95", "c1 raw", func(s Step) time.Duration { return s.Raw }},
	} {
		var xy [][2]float64
		for _, s := range steps {
			at := [2]float64{x.at(s.Rate / 1000), y.at(float64(q.of(s)))}
			xy = append(xy, at)
			if i < 3 {
				p.Dots = append(p.Dots, dot{at[0], at[1], q.class, fmt.Sprintf("%s at %.0f/s: %s, %.1f %% reached", q.name, s.Rate, verdict.Micros(q.of(s)), 100*s.Achieved)})
			}
		}
		p.Lines = append(p.Lines, line{q.class, path(xy), q.name})
	}
	return p
}

// peers plots throughput relative to the raw client, with whiskers; text beside each bar.
func peerBars(peers []Peer, width float64) *plot {
	const row = 44
	p := newPlot("Throughput of each client, raw rueidis = 100 %", width, float64(len(peers)*row)+52, 14)
	hi := 1.0
	for _, q := range peers {
		hi = math.Max(hi, q.OpsRatio.Hi)
	}
	x := p.linear(hi*100, false, func(v float64) string { return fmt.Sprintf("%g %%", v) })
	for i, q := range peers {
		y := p.Y1 + float64(i*row)
		end := x.at(100 * q.OpsRatio.Mid)
		class := "peer"
		if strings.HasPrefix(q.Name, "nacre") {
			class = "ours"
		}
		label := fmt.Sprintf("%s: %.0f %% [%.0f–%.0f]", q.Name, 100*q.OpsRatio.Mid, 100*q.OpsRatio.Lo, 100*q.OpsRatio.Hi)
		if width == wide {
			label += fmt.Sprintf(", p95 × %.2f", q.P95Ratio.Mid)
		}
		p.Bars = append(p.Bars, bar{
			X: p.X0, Y: y + 18, W: math.Max(end-p.X0, 1), H: 16, Class: class, Name: q.Name,
			Label:  label,
			LabelX: p.X0, Lo: x.at(100 * q.OpsRatio.Lo), Hi: x.at(100 * q.OpsRatio.Hi), Mid: y + 26,
		})
	}
	return p
}
