// Package probe watches the machine while the bench measures, and writes down
// what machine, what Redis and what build the figures are of.
package probe

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// Noise is what the machine did during a stretch.
type Noise struct {
	Steal   float64       `json:"steal"`        // Part of the processors' time that other guests took.
	PSI     float64       `json:"cpu_pressure"` // Part of the time in which something runnable waited for a processor.
	Hiccup  time.Duration `json:"hiccup_p95_ns"`
	Worst   time.Duration `json:"hiccup_max_ns"`
	Forced  int64         `json:"involuntary_switches"`
	GCs     int64         `json:"gcs"`
	GCPause time.Duration `json:"gc_pause_ns"`
	Known   bool          `json:"known"` // Steal and pressure could be read.
}

// counters are running totals; Noise is the difference of two.
type counters struct {
	at      time.Time
	total   float64 // Processor time in ticks.
	steal   float64
	psi     float64 // Microseconds.
	forced  int64
	gcs     int64
	gcPause time.Duration
	known   bool
}

// A Watch meters the machine until Close.
type Watch struct {
	stop atomic.Bool
	done sync.WaitGroup
	mu   sync.Mutex
	hist *hdrhistogram.Histogram // Of the current stretch.
	all  *hdrhistogram.Histogram
	peak int64 // Since the last Peak.
	last counters
	from counters
}

// NewWatch starts the hiccup meter: a thread that sleeps 1 ms over and over and notes what it overshoots.
func NewWatch() *Watch {
	w := &Watch{hist: load.NewHist(), all: load.NewHist()}
	w.last = read()
	w.from = w.last
	w.done.Go(w.meter)
	return w
}

func (w *Watch) meter() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer load.SharpTimer()()
	for !w.stop.Load() {
		begin := time.Now()
		load.Nap(time.Millisecond)
		late := max(int64(time.Since(begin)-time.Millisecond), 1)
		w.mu.Lock()
		_ = w.hist.RecordValue(late)
		w.peak = max(w.peak, late)
		w.mu.Unlock()
	}
}

// Peak is the most that the meter overshot since the last Peak.
func (w *Watch) Peak() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	late := w.peak
	w.peak = 0
	return time.Duration(late)
}

// Lap is the noise since the last Lap.
func (w *Watch) Lap() Noise {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := read()
	n := diff(w.last, now, w.hist)
	w.all.Merge(w.hist)
	w.hist.Reset()
	w.last = now
	return n
}

// Total is the noise since NewWatch, up to the last Lap.
func (w *Watch) Total() Noise {
	w.mu.Lock()
	defer w.mu.Unlock()
	return diff(w.from, w.last, w.all)
}

// Close ends the meter.
func (w *Watch) Close() {
	w.stop.Store(true)
	w.done.Wait()
}

func diff(a, b counters, h *hdrhistogram.Histogram) Noise {
	n := Noise{
		Hiccup: verdict.Quantile(h, 0.95), Worst: time.Duration(h.Max()),
		Forced: b.forced - a.forced, GCs: b.gcs - a.gcs, GCPause: b.gcPause - a.gcPause, Known: a.known && b.known,
	}
	if d := b.total - a.total; d > 0 {
		n.Steal = (b.steal - a.steal) / d
	}
	if d := b.at.Sub(a.at); d > 0 {
		n.PSI = (b.psi - a.psi) / float64(d.Microseconds())
	}
	return n
}

func readGC(c *counters) {
	var s debug.GCStats
	debug.ReadGCStats(&s)
	c.gcs, c.gcPause = s.NumGC, s.PauseTotal
}
