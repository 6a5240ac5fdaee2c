package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/probe"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

var keep = flag.String("keep", "", "write the report of made-up figures to this folder, to look at it")

// made is a summary with every section; its figures are made up.
func made() *Summary {
	rng := rand.New(rand.NewPCG(1, 2))
	s := &Summary{
		Schema: SchemaVersion, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Profile: "full", Outcome: verdict.Pass,
		Params: Params{Rate: 10_000, InFlight: 16, Arrival: "fixed", Dist: "uniform", Transport: "tcp", SLO: time.Millisecond, Rounds: 5, Windows: 4, Slices: 5, Slice: 50 * time.Millisecond, Pacing: load.Pacing},
		Environment: probe.Environment{CPU: "AMD EPYC", Cores: 2, OS: "linux/amd64", Kernel: "6.18", Go: "go1.26", Commit: "0123456789ab", Command: "bin/nacre-bench -full",
			Modules: map[string]string{"github.com/redis/rueidis": "v1.0.79"}, Servers: []probe.Server{{Kind: "private", Version: "7.0.15", Config: map[string]string{"appendonly": "no", "save": ""}}}},
		Warnings: []string{"the machine was busy when the run began: load 3.10"},
		SelfTest: SelfTest{Passed: true, How: "SIGSTOP of the private server", Freeze: 200 * time.Millisecond, OpenP99: 189 * time.Millisecond, ClosedP99: 64 * time.Microsecond},
	}
	for i, k := range []string{"10k", "100k", "1M"} {
		s.Loaded = append(s.Loaded, Loaded{Keys: k, Rows: []int{11911, 100_000, 1_000_000}[i], ByTable: map[string]int{"order": 9000}, Memory: 1 << 30, Bytes: 1 << 29})
		for _, work := range []string{"read", "write"} {
			for _, client := range []string{"nacre", "raw rueidis"} {
				c := &Cell{Name: client + " " + work + " " + k, Client: client, Workload: work, Keys: k, Loop: "open", Achieved: 1, Hist: load.NewHist()}
				for w := range 20 {
					h := load.NewHist()
					for range 500 {
						v := int64(30_000 + rng.ExpFloat64()*15_000*float64(1+i)*float64(1+len(work)%4))
						_ = h.RecordValue(v)
						_ = c.Hist.RecordValue(v)
					}
					c.Windows = append(c.Windows, Window{Cell: c.Name, Round: w / 4, Window: w % 4, At: time.Duration(w+1) * 2 * time.Second, N: 500,
						P50: verdict.Quantile(h, 0.5), P95: verdict.Quantile(h, 0.95), P99: verdict.Quantile(h, 0.99),
						Noise: probe.Noise{Steal: 0.002, PSI: rng.Float64() * 0.4, Hiccup: time.Duration(60+rng.IntN(80)) * time.Microsecond}})
				}
				for r := range 5 {
					c.Rounds = append(c.Rounds, verdict.Round{P95: c.Windows[4*r].P95, Upper: c.Windows[4*r].P95 * 11 / 10, Achieved: 1, N: 2000, Control: 50_000})
				}
				c.Response, c.Service, c.Upper, c.Curve = LatencyOf(c.Hist), LatencyOf(c.Hist), c.Rounds[0].Upper, curve(c.Hist)
				s.Cells = append(s.Cells, c)
			}
			if i > 0 {
				s.Scaling = append(s.Scaling, Scaling{Workload: work, Client: "nacre", Keys: k, Base: "10k", Ratio: verdict.Interval{Mid: 1.05, Lo: 0.99, Hi: 1.12, N: 20}})
			}
		}
		for j, rate := range []float64{10_000, 20_000, 40_000, 80_000, 120_000, 160_000} {
			d := time.Duration(40_000 * (1 + j*j*j/4))
			s.Sweep = append(s.Sweep, Step{Keys: k, Rate: rate, Achieved: 1, P50: d / 2, P95: d, P99: 3 * d, Raw: d * 2 / 3})
		}
	}
	buffered := *s.Cells[0]
	buffered.Name, buffered.Workload, buffered.Rounds = "nacre unix socket buffered write 100k", "buffered", nil
	buffered.DurableHist = load.NewHist()
	for range 500 {
		_ = buffered.DurableHist.RecordValue(int64(20_000_000 + rng.IntN(90_000_000)))
	}
	d := LatencyOf(buffered.DurableHist)
	buffered.Durable = &d
	s.Cells = append(s.Cells, &buffered)
	for i, name := range []string{"raw rueidis", "raw rueidis again (A/A)", "nacre", "rueidis DoCache + stock msgp", "go-redis + vmihailenco/msgpack", "go-redis + encoding/json"} {
		m := []float64{1, 1.01, 0.82, 0.9, 0.41, 0.37}[i]
		s.Peers = append(s.Peers, Peer{Name: name, Workload: "read", Clients: 8, PerSec: verdict.Interval{Mid: m * 140_000}, P95: verdict.Interval{Mid: 58_000 / m},
			OpsRatio: verdict.Interval{Mid: m, Lo: m * 0.97, Hi: m * 1.03}, P95Ratio: verdict.Interval{Mid: 1 / m, Lo: 0.97 / m, Hi: 1.03 / m}, Allocs: float64(i)})
	}
	for i, name := range []string{"nacre", "stock msgp", "vmihailenco/msgpack", "encoding/json", "protobuf"} {
		took := verdict.Interval{Mid: 800 * float64(1+i), Lo: 780 * float64(1+i), Hi: 830 * float64(1+i)}
		ratio := verdict.Interval{Mid: float64(1 + i), Lo: 0.98 * float64(1+i), Hi: 1.02 * float64(1+i)}
		s.Codecs = append(s.Codecs, Codec{Name: name, Bytes: 700, Encode: took, Decode: took, EncodeRatio: ratio, DecodeRatio: ratio, DecodeAllocs: float64(i)})
	}
	s.Ceiling = []Ceiling{{"GET", 1, 145_000, 212_000, 0.055}, {"GET", 16, 800_000, 900_000, 0.2}}
	s.Cells[2].Spent.Add(probe.Usage{Elapsed: time.Second, Client: 600 * time.Millisecond, Server: 500 * time.Millisecond, GC: true}, 5, 0)
	s.Goals = []Goal{{Name: "write, 10k keys, 20,000/s", Want: "p95 < 250 µs", Got: "p95 300 µs", Limit: "raw rueidis keeps it"}, {Name: "A/A of reads, p95", Want: "0.93 to 1.07", Got: "1.00", Reached: true}}
	s.Judgements = []verdict.Judgement{
		{Claim: "read p95 < 1.00 ms, 10k keys", Outcome: verdict.Pass, Figure: "64.0 µs at most, 5 of 5 rounds", Reason: "15.6 times below 1.00 ms"},
		{Claim: "write p95 < 1.00 ms, 1M keys", Outcome: verdict.Inconclusive, Figure: "1.20 ms at most, 3 of 5 rounds", Reason: "the rounds don't agree"},
		{Claim: "a <script> in a claim", Outcome: verdict.Fail, Figure: "1 errors"},
	}
	return s
}

func TestReportFiles(t *testing.T) {
	dir := t.TempDir()
	if *keep != "" {
		dir = *keep
	}
	s := made()
	if err := Write(dir, s); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	html := string(b)
	for _, want := range []string{"PASS", "INCONCLUSIVE", "SIGSTOP", "Peers: read", "pipeline depth 16", "Latency by rate, 1M keys", "accepted and durable",
		"prefers-color-scheme: dark", "bin/nacre-bench -full", "durable in Redis", "Codecs", "missed", "raw rueidis keeps it", "1 / 0", "within 0.93 to 1.07", "up to 120,000/s; at 160,000/s the raw client keeps it", "1.05 ×", "&lt;script&gt;"} {
		if !strings.Contains(html, want) {
			t.Errorf("report.html lacks %q", want)
		}
	}
	for _, bad := range []string{"NaN", "Inf", "ZgotmplZ", "<no value>", "<script", "%!"} {
		if i := strings.Index(html, bad); i >= 0 {
			t.Errorf("report.html has %q: …%s…", bad, html[max(0, i-80):min(len(html), i+80)])
		}
	}
	if ext := regexp.MustCompile(`(src|href)=|url\(|@import|https?://`).FindString(html); ext != "" {
		t.Errorf("report.html refers to something outside: %q", ext)
	}
	for _, name := range []string{"summary.json", "results.md", "windows.jsonl", "bench.txt", "nacre-read-10k.hgrm", "nacre-unix-socket-buffered-write-100k-durable.hgrm"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	var back Summary
	b, _ = os.ReadFile(filepath.Join(dir, "summary.json"))
	if err := json.Unmarshal(b, &back); err != nil || back.Schema != SchemaVersion || len(back.Cells) != len(s.Cells) {
		t.Errorf("summary.json: %v, schema %d, %d cells", err, back.Schema, len(back.Cells))
	}
	b, _ = os.ReadFile(filepath.Join(dir, "bench.txt"))
	if !regexp.MustCompile(`(?m)^BenchmarkNacre/workload=read/keys=10k/loop=open-\d+\t500\t\d+ p50-ns/op\t\d+ p95-ns/op`).Match(b) {
		t.Errorf("bench.txt has no line of a Go benchmark:\n%.300s", b)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".*"))
	if len(left) > 0 {
		t.Errorf("temporary files are left: %q", left)
	}
}

func TestEmptyAndPartialReports(t *testing.T) {
	empty := &Summary{Schema: SchemaVersion, Partial: "interrupted"}
	var b bytes.Buffer
	if err := HTML(&b, empty); err != nil {
		t.Error(err)
	}
	if !strings.Contains(b.String(), "interrupted") || !strings.Contains(b.String(), "PARTIAL") || strings.Contains(b.String(), ">PASS<") {
		t.Error("a run that ended early is not marked partial")
	}
	b.Reset()
	Table(&b, empty, "out")
	if !strings.Contains(b.String(), "PARTIAL") || strings.Contains(b.String(), "RESULT") {
		t.Errorf("terminal: %s", b.String())
	}
}

func TestTableIsPlainAndNarrow(t *testing.T) {
	var b bytes.Buffer
	Table(&b, made(), "bench/out/x")
	if strings.ContainsRune(b.String(), '\x1b') {
		t.Error("escape sequences in the table")
	}
	if !strings.Contains(b.String(), "open loop, 10,000 requests a second, fixed arrivals, 16 in flight") {
		t.Errorf("no load in:\n%s", b.String())
	}
	if !strings.Contains(b.String(), "RESULT PASS (exit 0)") {
		t.Errorf("no result line in:\n%s", b.String())
	}
	t.Log("\n" + b.String())
	b.Reset()
	closed := made()
	for _, c := range closed.Cells {
		c.Loop = "closed"
	}
	Table(&b, closed, "bench/out/x")
	if !strings.Contains(b.String(), "closed loop, 16 in flight") { // It has no rate.
		t.Errorf("no closed loop in:\n%s", b.String())
	}
}

// A write that fails leaves neither half a file nor silence.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	full := errors.New("no space left on device")
	err := file(dir, "x.json", func(w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return full
	})
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "x.json") {
		t.Errorf("err = %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%d files are left", len(left))
	}
}
