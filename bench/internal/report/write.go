package report

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// WriteSummary writes summary.json.
func WriteSummary(dir string, s *Summary) error {
	return file(dir, "summary.json", func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(s)
	})
}

// Write writes every file of the report. The summary comes last, and without it no page stays behind: until
// then summary.json says that the run did not end, so a disk that fills up never leaves a verdict.
func Write(dir string, s *Summary) error {
	if err := file(dir, "windows.jsonl", func(w io.Writer) error {
		enc := json.NewEncoder(w)
		for _, c := range s.Cells {
			for i := range c.Windows {
				if err := enc.Encode(&c.Windows[i]); err != nil {
					return err
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	for _, c := range s.Cells {
		var err error
		if c.Curve, err = percentileFile(dir, slug(c.Name), c.Hist); err != nil {
			return err
		}
		if c.DurableCurve, err = percentileFile(dir, slug(c.Name)+"-durable", c.DurableHist); err != nil {
			return err
		}
	}
	if err := file(dir, "bench.txt", func(w io.Writer) error { return goBench(w, s) }); err != nil {
		return err
	}
	if err := file(dir, "results.md", func(w io.Writer) error { return Markdown(w, s) }); err != nil {
		return err
	}
	if err := file(dir, "report.html", func(w io.Writer) error { return HTML(w, s) }); err != nil {
		return err
	}
	if err := WriteSummary(dir, s); err != nil {
		return errors.Join(err, os.Remove(filepath.Join(dir, "report.html")))
	}
	return nil
}

// percentileFile writes a .hgrm file and returns the same as a curve; of an empty histogram there is neither.
func percentileFile(dir, name string, h *hdrhistogram.Histogram) ([]Point, error) {
	if h == nil || h.TotalCount() == 0 {
		return nil, nil
	}
	// Values in milliseconds, as the plotters of .hgrm files expect.
	return curve(h), file(dir, name+".hgrm", func(w io.Writer) error {
		_, err := h.PercentilesPrint(w, 5, 1e6)
		return err
	})
}

// file writes a file whole or says why not: a full disk is an error, not half a report.
func file(dir, name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(dir, "."+name+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // Gone already where it was renamed.
	b := bufio.NewWriter(f)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Chmod(0o644)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func slug(s string) string { return strings.NewReplacer(" ", "-", "/", "-", "+", "").Replace(s) }

// curve samples a histogram for the percentile plot: ever denser towards the tail.
func curve(h *hdrhistogram.Histogram) []Point {
	var out []Point
	n := h.TotalCount()
	for step := 0; ; step++ {
		left := 1.0
		for range step / 10 {
			left /= 10
		}
		q := 1 - left*(1-0.09*float64(step%10))
		if (1-q)*float64(n) < 1 {
			break
		}
		out = append(out, Point{q, verdict.Quantile(h, q)})
	}
	return append(out, Point{1 - 1/float64(n), verdict.Quantile(h, 1)})
}

// goBench writes one line a window in the format of Go benchmarks, so that benchstat compares two runs.
func goBench(w io.Writer, s *Summary) error {
	e := s.Environment
	if _, err := fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: github.com/nacre-store/nacre/bench\ncpu: %s\ncommit: %s\n",
		before(e.OS, "/"), after(e.OS, "/"), e.CPU, e.Commit); err != nil {
		return err
	}
	for _, c := range s.Cells {
		name := "Benchmark" + camel(c.Client) + "/workload=" + slug(c.Workload) + "/keys=" + c.Keys + "/loop=" + c.Loop
		for _, win := range c.Windows {
			if _, err := fmt.Fprintf(w, "%s-%d\t%d\t%d p50-ns/op\t%d p95-ns/op\t%d p99-ns/op\n", name, e.MaxProcs, win.N, win.P50, win.P95, win.P99); err != nil {
				return err
			}
		}
	}
	return nil
}

// camel writes "raw rueidis" as RawRueidis.
func camel(s string) string {
	var out strings.Builder
	for _, word := range strings.Fields(s) {
		out.WriteString(capital(word))
	}
	return out.String()
}

func before(s, sep string) string { a, _, _ := strings.Cut(s, sep); return a }
func after(s, sep string) string  { _, b, _ := strings.Cut(s, sep); return b }
