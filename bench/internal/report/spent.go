package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/probe"
)

// Spent is what a cell's slices have used, and what was going on in those that were slow.
type Spent struct {
	Elapsed time.Duration `json:"elapsed_ns"`
	Client  time.Duration `json:"client_cpu_ns"`    // Of the bench's process.
	Server  time.Duration `json:"server_cpu_ns"`    // Of Redis's main thread; 0 where that can't be read.
	Waited  time.Duration `json:"server_waited_ns"` // Redis could have run and had no processor.
	Slow    Company       `json:"slow_slices"`      // Slices with a response of [Slow] or more,
	Calm    Company       `json:"other_slices"`     // and the others: what is as frequent in these explains nothing.
}

// Slow is from where on a response counts as slow.
const Slow = time.Millisecond

// Company counts slices, and what else happened in them.
type Company struct {
	Slices  int `json:"slices"`
	GC      int `json:"collector_at_work"`
	Waited  int `json:"redis_without_processor"` // For Slow or longer in all.
	Stalled int `json:"machine_stalled"`         // A thread that only sleeps was late by Slow or more.
	Alone   int `json:"none_of_these"`
}

// Add counts a slice: slow responses in it, what it used, and how late the sleeping thread was.
func (s *Spent) Add(u probe.Usage, slow int64, late time.Duration) {
	s.Elapsed += u.Elapsed
	s.Client += u.Client
	s.Server += u.Server
	s.Waited += u.Waited
	c := &s.Calm
	if slow > 0 {
		c = &s.Slow
	}
	c.Slices++
	waited, stalled := u.Waited >= Slow, late >= Slow
	for _, is := range []struct {
		so bool
		n  *int
	}{{u.GC, &c.GC}, {waited, &c.Waited}, {stalled, &c.Stalled}, {!u.GC && !waited && !stalled, &c.Alone}} {
		if is.so {
			*is.n++
		}
	}
}

// Slices that were measured.
func (s *Spent) Slices() int { return s.Slow.Slices + s.Calm.Slices }

// ClientBusy is how many processors the bench's process kept busy.
func (s *Spent) ClientBusy() float64 { return float64(s.Client) / max(1, float64(s.Elapsed)) }

// ServerBusy is how many processors Redis kept busy.
func (s *Spent) ServerBusy() float64 { return float64(s.Server) / max(1, float64(s.Elapsed)) }

// Use says how busy both were.
func (s *Spent) Use(cores int) string {
	if s.Server == 0 {
		return fmt.Sprintf("client busy on %.2f of %d processors", s.ClientBusy(), cores)
	}
	return fmt.Sprintf("client busy on %.2f, Redis on %.2f of %d processors", s.ClientBusy(), s.ServerBusy(), cores)
}

// Stalls says what the slow slices had in common, next to how frequent that was in the others.
func (s *Spent) Stalls() string {
	if s.Slow.Slices == 0 {
		return ""
	}
	var parts []string
	for _, p := range []struct {
		name       string
		slow, calm int
	}{
		{"this process's collector at work", s.Slow.GC, s.Calm.GC},
		{"Redis without a processor for 1 ms", s.Slow.Waited, s.Calm.Waited},
		{"a sleeping thread late by 1 ms", s.Slow.Stalled, s.Calm.Stalled},
		{"none of these", s.Slow.Alone, s.Calm.Alone},
	} {
		if p.slow > 0 {
			parts = append(parts, fmt.Sprintf("%s in %d (of the others: %d)", p.name, p.slow, p.calm))
		}
	}
	return fmt.Sprintf("%d of %d slices had a response of 1 ms or more: %s", s.Slow.Slices, s.Slices(), strings.Join(parts, ", "))
}
