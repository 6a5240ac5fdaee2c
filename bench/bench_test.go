package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/verdict"
	"github.com/nacre-store/nacre/store/storetest"
)

// short is a run of a few seconds that goes through everything.
var short = []string{"-keys", "10k", "-rate", "4000", "-slice", "10ms", "-windows", "2"}

// a watcher calls when once, at the first write that contains the word.
type watcher struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	word string
	when func()
}

func (w *watcher) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.when != nil && bytes.Contains(b, []byte(w.word)) {
		w.when()
		w.when = nil
	}
	return w.buf.Write(b)
}

func summaryOf(t *testing.T, dir string) *report.Summary {
	t.Helper()
	s, err := readSummary(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func readSummary(dir string) (*report.Summary, error) {
	b, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		return nil, err
	}
	s := &report.Summary{}
	return s, json.Unmarshal(b, s)
}

func TestRun(t *testing.T) {
	t.Setenv("NACRE_REDIS_URL", "")
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), append([]string{"-out", dir}, short...), &stdout, &stderr)
	s := summaryOf(t, dir)
	t.Log(stdout.String())
	if code != s.Exit || code == verdict.ExitError || stderr.Len() > 0 {
		t.Fatalf("exit %d, summary says %d, stderr %q", code, s.Exit, stderr.String())
	}
	if !s.SelfTest.Passed || s.SelfTest.OpenP99 < mustSee {
		t.Errorf("self-test: %+v", s.SelfTest)
	}
	if len(s.Cells) != 5 || s.Params.Rounds < verdict.Rounds || s.Partial != "" {
		t.Errorf("%d cells, %d rounds, partial %q", len(s.Cells), s.Params.Rounds, s.Partial)
	}
	beside := s.Cells[len(s.Cells)-1] // Buffered writes, with the specification's configuration.
	if d := beside.Durable; d == nil || d.N == 0 || d.P50 < beside.Response.P50 || beside.Errors > 0 || beside.Upper != 0 {
		t.Errorf("%s: durable %+v, accepted %+v, errors %d (%s)", beside.Name, d, beside.Response, beside.Errors, beside.First)
	}
	for _, c := range s.Cells[:4] {
		if want := int64(4000*0.01*5*2) * int64(s.Params.Rounds); c.Response.N != want || c.Errors+c.Mismatch+c.Outside > 0 {
			t.Errorf("%s: %d requests, want %d; %d errors, %d mismatches (%s)", c.Name, c.Response.N, want, c.Errors, c.Mismatch, c.First)
		}
		if c.Client == ours && c.Rounds[0].Control == 0 {
			t.Errorf("%s: no control beside it", c.Name)
		}
	}
	last := s.Judgements[len(s.Judgements)-1]
	if len(s.Judgements) != 3 || last.Outcome != verdict.Pass {
		t.Errorf("judgements %+v", s.Judgements)
	}
	for _, name := range []string{"report.html", "windows.jsonl", "bench.txt", "nacre-read-10k.hgrm", "nacre-buffered-write-10k-durable.hgrm"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// A server that goes away in the middle ends the run with one line that says so; what was measured until then
// is kept and marked, and no verdict is given.
func TestServerGone(t *testing.T) {
	srv := storetest.Run(t, storetest.ServerOptions{})
	t.Setenv("NACRE_REDIS_URL", "redis://"+srv.Addr())
	dir := t.TempDir()
	stdout := &watcher{word: "round  2", when: srv.Kill}
	var stderr bytes.Buffer
	code := run(t.Context(), append([]string{"-out", dir}, short...), stdout, &stderr)
	if line := stderr.String(); code != verdict.ExitError || strings.Count(line, "\n") != 1 || !strings.Contains(line, "is gone") || !strings.Contains(line, "partial results") {
		t.Errorf("exit %d, stderr %q", code, line)
	}
	if s := summaryOf(t, dir); s.Partial == "" || s.Outcome != "" || s.Exit != verdict.ExitError || len(s.Cells) != 4 || len(s.Cells[0].Rounds) < 2 {
		t.Errorf("partial %q, outcome %q, exit %d, %d cells", s.Partial, s.Outcome, s.Exit, len(s.Cells))
	}
}

// An interrupted run keeps what it has, marks it, and leaves nothing behind in a Redis that was given.
func TestInterrupted(t *testing.T) {
	srv := storetest.Run(t, storetest.ServerOptions{})
	if _, err := srv.Do("SET", "somebody", "else's"); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NACRE_REDIS_URL", "redis://"+srv.Addr()+"/0")
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stdout := &watcher{word: "round  1", when: cancel}
	var stderr bytes.Buffer
	code := run(ctx, append([]string{"-out", dir}, short...), stdout, &stderr)
	if line := stderr.String(); code != verdict.ExitError || strings.Count(line, "\n") != 1 || !strings.Contains(line, "interrupted") {
		t.Errorf("exit %d, stderr %q", code, line)
	}
	if s := summaryOf(t, dir); s.Partial != "interrupted" || s.Outcome != "" {
		t.Errorf("partial %q, outcome %q", s.Partial, s.Outcome)
	}
	if html, _ := os.ReadFile(filepath.Join(dir, "report.html")); !bytes.Contains(html, []byte("PARTIAL")) {
		t.Error("report.html is not marked partial")
	}
	if left, err := srv.Do("DBSIZE"); err != nil || left != "1" {
		t.Errorf("%s keys are left in the given Redis, want the one that was there (%v)", left, err)
	}
	if !strings.Contains(stdout.buf.String(), "not the bench's own") {
		t.Error("no warning that the server is given")
	}
}

// Bad input is one clear line and exit 1, at once.
func TestBadInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		args []string
		url  string
		want string
	}{
		"workload":        {[]string{"-workload", "reed"}, "", `unknown workload "reed" (read, write, mixed, buffered)`},
		"workload twice":  {[]string{"-workload", "read,read"}, "", "twice"},
		"flag":            {[]string{"-fast"}, "", "not defined: -fast"},
		"argument":        {[]string{"now"}, "", `unexpected argument "now"`},
		"rate zero":       {[]string{"-rate", "0"}, "", "-rate 0 is not between"},
		"rate impossible": {[]string{"-rate", "1e9"}, "", "is not between 1 and 1000000"},
		"rate no number":  {[]string{"-rate", "fast"}, "", `invalid value "fast"`},
		"rate too low":    {[]string{"-rate", "10"}, "", "a p95 needs 400"},
		"keys":            {[]string{"-keys", "10q"}, "", `"10q" is no number`},
		"too few keys":    {[]string{"-keys", "100"}, "", "from 10k to 20M"},
		"keys order":      {[]string{"-keys", "1M,10k"}, "", "not more than"},
		"arrival":         {[]string{"-arrival", "bursty"}, "", `unknown arrival "bursty"`},
		"distribution":    {[]string{"-dist", "gauss"}, "", `unknown key distribution "gauss"`},
		"loop":            {[]string{"-loop", "half"}, "", `unknown loop "half"`},
		"transport":       {[]string{"-transport", "udp"}, "", `unknown transport "udp"`},
		"in flight":       {[]string{"-inflight", "0"}, "", "-inflight 0"},
		"profiles":        {[]string{"-quick", "-full"}, "", "exclude each other"},
		"slice":           {[]string{"-slice", "1ns"}, "", "-slice 1ns"},
		"slo":             {[]string{"-slo", "-1ms"}, "", "-slo -1ms"},
		"output folder":   {append([]string{"-out", filepath.Join(file, "x")}, short...), "", "output folder: "},
		"no URL":          {short, "http://127.0.0.1", "not redis://"},
		"TLS":             {short, "rediss://127.0.0.1:1", ""},
		"unreachable":     {short, "redis://127.0.0.1:1", "127.0.0.1:1"},
		"unix and URL":    {[]string{"-transport", "unix"}, "redis://127.0.0.1:1", "NACRE_REDIS_URL is set"},
		"pin and URL":     {[]string{"-pin"}, "redis://127.0.0.1:1", "-pin needs the private server"},
		"no such commit":  {[]string{"-compare", "no-such-ref"}, "", `"no-such-ref" is no commit`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("NACRE_REDIS_URL", c.url)
			args := c.args
			if c.url != "" {
				args = append([]string{"-out", t.TempDir()}, args...)
			}
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), args, &stdout, &stderr)
			line := stderr.String()
			if code != verdict.ExitError || strings.Count(line, "\n") != 1 || !strings.Contains(line, c.want) || !strings.HasPrefix(line, "nacre-bench: ") {
				t.Errorf("exit %d, stderr %q, want one line with %q", code, line, c.want)
			}
		})
	}
}

func TestHelp(t *testing.T) {
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"-help"}, &stdout, &stderr); code != 0 || !strings.Contains(stderr.String(), "-inflight") {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
}

// The embedded server stands in where there is no Redis, and its figures prove nothing: not success, not breach.
func TestEmbeddedServerIsInconclusive(t *testing.T) {
	if os.Getenv("NACRE_LONG") == "" {
		t.Skip("loads 10,000 histories into the embedded server: with NACRE_LONG=1")
	}
	for _, v := range []string{"PATH", "NACRE_REDIS_URL", "NACRE_REDIS_SERVER"} {
		t.Setenv(v, "")
	}
	dir := t.TempDir()
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), append([]string{"-out", dir}, short...), &stdout, &stderr)
	s := summaryOf(t, dir)
	if code != verdict.ExitInconclusive || s.Outcome != verdict.Inconclusive || !strings.Contains(stdout.String(), "no Redis") {
		t.Errorf("exit %d, outcome %s, stderr %q\n%s", code, s.Outcome, stderr.String(), stdout.String())
	}
}
