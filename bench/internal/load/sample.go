package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Kind of a request.
type Kind uint8

// The kinds.
const (
	Read Kind = iota
	Write
	kinds
)

func (k Kind) String() string { return [...]string{"read", "write"}[k] }

// Histograms go from 1 ns to 60 s with three digits; nothing is trimmed.
const (
	lowest  = 1
	highest = int64(60 * time.Second)
	digits  = 3
)

// NewHist is an empty histogram of nanoseconds.
func NewHist() *hdrhistogram.Histogram { return hdrhistogram.New(lowest, highest, digits) }

// A Sample is what a stretch of load gave.
type Sample struct {
	Response [kinds]*hdrhistogram.Histogram // Due to done; only in the open loop.
	Service  [kinds]*hdrhistogram.Histogram // Begun to done.
	Lag      *hdrhistogram.Histogram        // Due to handed over: what the generator itself is late. Never subtracted.
	Durable  *hdrhistogram.Histogram        // Of buffered writes: accepted to acknowledged. Nil where nothing is buffered.
	Begin    time.Time
	Elapsed  time.Duration // How long the stretches took.
	Planned  int64         // Requests that were due.
	Done     int64
	Late     int64 // Requests that found every worker and the queue full: sent late, and counted from when they were due.
	Backlog  int64 // Most requests waiting at once.
	Errors   int64
	Mismatch int64 // Reads that were not what had been written.
	Slow     int64 // Responses of a millisecond or more, in the open loop.
	Outside  int64 // Latencies beyond the histogram's range.
	First    error // The first error or mismatch.
}

// NewSample is empty.
func NewSample() *Sample {
	s := &Sample{Lag: NewHist()}
	for k := range kinds {
		s.Response[k], s.Service[k] = NewHist(), NewHist()
	}
	return s
}

// Merge adds o to s.
func (s *Sample) Merge(o *Sample) {
	for k := range kinds {
		s.merge(s.Response[k], o.Response[k])
		s.merge(s.Service[k], o.Service[k])
	}
	s.merge(s.Lag, o.Lag)
	if o.Durable != nil {
		if s.Durable == nil {
			s.Durable = NewHist()
		}
		s.merge(s.Durable, o.Durable)
	}
	s.Slow += o.Slow
	s.Outside += o.Outside
	if s.Begin.IsZero() {
		s.Begin = o.Begin
	}
	s.Elapsed += o.Elapsed
	s.Planned += o.Planned
	s.Done += o.Done
	s.Late += o.Late
	s.Backlog = max(s.Backlog, o.Backlog)
	s.Errors += o.Errors
	s.Mismatch += o.Mismatch
	if s.First == nil {
		s.First = o.First
	}
}

func (s *Sample) merge(to, from *hdrhistogram.Histogram) {
	if from.TotalCount() > 0 {
		s.Outside += to.Merge(from)
	}
}

// collect moves into s what parts hold. Histograms are large: new ones each time were a fifth of what the whole
// bench gave the collector to do.
func (s *Sample) collect(parts []*Sample) *Sample {
	s.reset()
	for _, p := range parts {
		s.Merge(p)
		p.reset()
	}
	return s
}

// reset empties s and keeps its memory.
func (s *Sample) reset() {
	clean := Sample{Response: s.Response, Service: s.Service, Lag: s.Lag}
	for k := range kinds {
		s.Response[k].Reset()
		s.Service[k].Reset()
	}
	s.Lag.Reset()
	*s = clean
}

// Achieved is the rate that was reached as a part of the one that was wanted: below 1 when requests queued
// up so that the stretches took longer than planned.
func (s *Sample) Achieved(rate float64) float64 {
	if s.Elapsed <= 0 || s.Planned == 0 {
		return 0
	}
	return min(1, float64(s.Done)/(rate*s.Elapsed.Seconds()))
}

// PerSecond is the throughput.
func (s *Sample) PerSecond() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Done) / s.Elapsed.Seconds()
}

func (s *Sample) fail(err error, mismatch bool) {
	if mismatch {
		s.Mismatch++
	} else {
		s.Errors++
	}
	if s.First == nil {
		s.First = err
	}
}

func (s *Sample) record(h *hdrhistogram.Histogram, ns int64) {
	if err := h.RecordValue(max(ns, lowest)); err != nil {
		s.Outside++
	}
}
