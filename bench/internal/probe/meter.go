package probe

import (
	"fmt"
	"os"
	"runtime/metrics"
	"time"

	"golang.org/x/sys/unix"
)

// Usage is what client and server have used during a stretch.
type Usage struct {
	Elapsed time.Duration
	Client  time.Duration // Processor time of this process.
	Server  time.Duration // Processor time of the server's main thread; 0 where that can't be read.
	Waited  time.Duration // How long that thread could have run and had no processor.
	GC      bool          // This process's collector was at work.
}

// A Meter reads what a stretch uses, from its Begin to its End. It is read between slices, so that reading is
// nobody's latency.
type Meter struct {
	stat  string // The server's; empty where it is no process of this machine.
	gc    [1]metrics.Sample
	begin Usage
	at    time.Time
	stops uint64
}

// NewMeter is of the server with the process id; 0 where it is not known.
func NewMeter(pid int) *Meter {
	m := &Meter{gc: [1]metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}}
	if pid > 0 {
		m.stat = fmt.Sprintf("/proc/%d/schedstat", pid)
	}
	return m
}

// Begin begins a stretch.
func (m *Meter) Begin() {
	m.stops = m.pauses()
	m.begin = m.total()
	m.at = time.Now()
}

// End is what was used since Begin.
func (m *Meter) End() Usage {
	elapsed := time.Since(m.at)
	u := m.total()
	stops := m.pauses()
	return Usage{
		Elapsed: elapsed, Client: u.Client - m.begin.Client, Server: u.Server - m.begin.Server, Waited: u.Waited - m.begin.Waited,
		GC: stops != m.stops || stops%2 == 1,
	}
}

// pauses counts how often the collector has stopped the program: once when a cycle begins, once when it ends.
// So an odd number says that it is at work.
func (m *Meter) pauses() (n uint64) {
	metrics.Read(m.gc[:])
	if m.gc[0].Value.Kind() != metrics.KindFloat64Histogram {
		return 0
	}
	for _, c := range m.gc[0].Value.Float64Histogram().Counts {
		n += c
	}
	return n
}

func (m *Meter) total() (u Usage) {
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) == nil {
		u.Client = time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
	}
	if m.stat == "" {
		return u
	}
	if b, err := os.ReadFile(m.stat); err == nil {
		u.Server, u.Waited = parseSchedstat(string(b))
	}
	return u
}

// parseSchedstat reads a thread's "<running> <waiting to run> <turns>", in nanoseconds.
func parseSchedstat(s string) (ran, waited time.Duration) {
	if _, err := fmt.Sscan(s, &ran, &waited); err != nil {
		return 0, 0
	}
	return ran, waited
}
