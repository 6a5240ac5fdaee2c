// Package report writes what a run found: summary.json and windows.jsonl for
// programs, report.html and the terminal's table for people, histograms and
// Go-benchmark lines for other tools.
package report

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/nacre-store/nacre/bench/internal/probe"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// SchemaVersion of summary.json. A field is never removed or changed under the same number.
const SchemaVersion = 1

// Summary is summary.json. All durations are whole nanoseconds.
type Summary struct {
	Schema      int                 `json:"schema"`
	Time        time.Time           `json:"time"`
	Profile     string              `json:"profile"`           // "standard", "quick" or "full".
	Partial     string              `json:"partial,omitempty"` // Why the run ended early; no verdict then.
	Outcome     verdict.Outcome     `json:"outcome,omitempty"`
	Exit        int                 `json:"exit"`
	Judgements  []verdict.Judgement `json:"judgements"`
	Params      Params              `json:"params"`
	Environment probe.Environment   `json:"environment"`
	Warnings    []string            `json:"warnings"`
	Noise       probe.Noise         `json:"noise"` // While it was measured.
	SelfTest    SelfTest            `json:"self_test"`
	Loaded      []Loaded            `json:"loaded"`
	WarmUp      time.Duration       `json:"warm_up_ns"` // Measured and discarded.
	Cells       []*Cell             `json:"cells"`
	Scaling     []Scaling           `json:"scaling,omitempty"`
	Peers       []Peer              `json:"peers,omitempty"`
	Ceiling     []Ceiling           `json:"ceiling,omitempty"`
	Codecs      []Codec             `json:"codecs,omitempty"`
	Sweep       []Step              `json:"sweep,omitempty"`
	Goals       []Goal              `json:"goals,omitempty"`
	Elapsed     time.Duration       `json:"elapsed_ns"`
}

// Params are what the figures hold for.
type Params struct {
	Rate      float64       `json:"rate_per_second"`
	InFlight  int           `json:"in_flight"`
	Arrival   string        `json:"arrival"`
	Dist      string        `json:"key_distribution"`
	Transport string        `json:"transport"`
	AOF       bool          `json:"appendonly"`
	SLO       time.Duration `json:"slo_p95_ns"`
	Rounds    int           `json:"rounds"` // As run, the extension included.
	Windows   int           `json:"windows_per_round"`
	Slices    int           `json:"slices_per_window"`
	Slice     time.Duration `json:"slice_ns"`
	Seed      uint64        `json:"seed"`
	Pacing    string        `json:"pacing"`
}

// SelfTest is the proof that the harness sees a stall.
type SelfTest struct {
	Passed    bool          `json:"passed"`
	How       string        `json:"how"`
	Freeze    time.Duration `json:"freeze_ns"`
	OpenP99   time.Duration `json:"open_p99_ns"`
	ClosedP99 time.Duration `json:"closed_p99_ns"` // What a closed loop says of the same freeze.
}

// Loaded is a keyspace.
type Loaded struct {
	Keys     string         `json:"keys"`
	Rows     int            `json:"rows"`
	ByTable  map[string]int `json:"rows_by_table"`
	Elements int64          `json:"elements"` // Events, fills, balances and so on.
	Bytes    int64          `json:"row_bytes"`
	Memory   int64          `json:"server_memory_bytes"`
	Took     time.Duration  `json:"took_ns"`
}

// Latency is a distribution.
type Latency struct {
	N    int64         `json:"n"`
	Mean time.Duration `json:"mean_ns"`
	P50  time.Duration `json:"p50_ns"`
	P90  time.Duration `json:"p90_ns"`
	P95  time.Duration `json:"p95_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`
}

// LatencyOf reads a histogram.
func LatencyOf(h *hdrhistogram.Histogram) Latency {
	q := func(p float64) time.Duration { return verdict.Quantile(h, p) }
	return Latency{
		N: h.TotalCount(), Mean: time.Duration(h.Mean()), P50: q(0.5), P90: q(0.9), P95: q(0.95), P99: q(0.99), P999: q(0.999),
		Max: time.Duration(h.Max()),
	}
}

// A Cell is one workload on one keyspace through one client.
type Cell struct {
	Name     string          `json:"name"` // Unique: "nacre read 10k".
	Client   string          `json:"client"`
	Workload string          `json:"workload"`
	Keys     string          `json:"keys"`
	Loop     string          `json:"loop"` // "open" or "closed".
	Rate     float64         `json:"rate_per_second,omitempty"`
	Response Latency         `json:"response"`          // From when a request was due; in the closed loop the same as service.
	Service  Latency         `json:"service"`           // From when it was sent.
	Lag      Latency         `json:"lag"`               // Of the generator.
	Durable  *Latency        `json:"durable,omitempty"` // Buffered writes: from acceptance to Redis's acknowledgement.
	Achieved float64         `json:"achieved"`
	PerSec   float64         `json:"per_second"`
	Late     int64           `json:"late"`
	Backlog  int64           `json:"backlog_max"`
	Errors   int64           `json:"errors"`
	Mismatch int64           `json:"mismatches"`
	Outside  int64           `json:"outside_histogram"`
	First    string          `json:"first_error,omitempty"`
	Upper    time.Duration   `json:"p95_upper_ns"` // 95 % bound of the worst round.
	Rounds   []verdict.Round `json:"rounds,omitempty"`
	Spent    Spent           `json:"spent"`
	Windows  []Window        `json:"-"` // In windows.jsonl.

	Curve        []Point                 `json:"-"` // For the percentile plot.
	DurableCurve []Point                 `json:"-"`
	Hist         *hdrhistogram.Histogram `json:"-"` // Of the response times; for the .hgrm file.
	DurableHist  *hdrhistogram.Histogram `json:"-"`
}

// A Point of a percentile curve.
type Point struct {
	Q float64
	D time.Duration
}

// Window is a line of windows.jsonl.
type Window struct {
	Cell   string        `json:"cell"`
	Round  int           `json:"round"`
	Window int           `json:"window"`
	At     time.Duration `json:"at_ns"` // Since the first round began.
	N      int64         `json:"n"`
	P50    time.Duration `json:"p50_ns"`
	P95    time.Duration `json:"p95_ns"`
	P99    time.Duration `json:"p99_ns"`
	Noise  probe.Noise   `json:"noise"`
}

// Scaling compares a keyspace with the smallest one, window by window.
type Scaling struct {
	Workload string           `json:"workload"`
	Client   string           `json:"client"`
	Keys     string           `json:"keys"`
	Base     string           `json:"base_keys"`
	Ratio    verdict.Interval `json:"p95_ratio"`
}

// Peer compares a client with the raw one, slice by slice, in a closed loop.
type Peer struct {
	Name     string           `json:"name"`
	Workload string           `json:"workload"`
	Clients  int              `json:"clients"`
	P95      verdict.Interval `json:"p95_ns"`
	PerSec   verdict.Interval `json:"per_second"`
	P95Ratio verdict.Interval `json:"p95_ratio"`
	OpsRatio verdict.Interval `json:"ops_ratio"`
	Allocs   float64          `json:"allocs_per_op"`
	Errors   int64            `json:"errors"`
	Mismatch int64            `json:"mismatches"`
}

// Ceiling is what redis-benchmark reaches at a pipeline depth: a range over its runs, never part of a ratio.
type Ceiling struct {
	Test  string  `json:"test"` // "GET" or "SET".
	Depth int     `json:"pipeline"`
	Lo    float64 `json:"per_second_lo"`
	Hi    float64 `json:"per_second_hi"`
	P95   float64 `json:"p95_ms"`
}

// Codec writes and reads orders, without a server; processor time per order, ratios against the first codec.
type Codec struct {
	Name         string           `json:"name"`
	Bytes        int              `json:"bytes"`
	Encode       verdict.Interval `json:"encode_ns"`
	Decode       verdict.Interval `json:"decode_ns"` // Into a value that is new.
	EncodeRatio  verdict.Interval `json:"encode_ratio"`
	DecodeRatio  verdict.Interval `json:"decode_ratio"`
	EncodeAllocs float64          `json:"encode_allocs"`
	DecodeAllocs float64          `json:"decode_allocs"`
}

// Step is one rate of the sweep.
type Step struct {
	Keys     string        `json:"keys"`
	Rate     float64       `json:"rate_per_second"`
	Achieved float64       `json:"achieved"`
	P50      time.Duration `json:"p50_ns"`
	P95      time.Duration `json:"p95_ns"`
	P99      time.Duration `json:"p99_ns"`
	P999     time.Duration `json:"p999_ns"`
	LagP95   time.Duration `json:"lag_p95_ns"`
	Late     int64         `json:"late"`
	Backlog  int64         `json:"backlog_max"`
	Errors   int64         `json:"errors"`
	Raw      time.Duration `json:"raw_p95_ns"`
	Client   float64       `json:"client_busy"` // Processors.
	Server   float64       `json:"server_busy"`
}
