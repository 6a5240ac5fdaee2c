package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/verdict"
	"golang.org/x/perf/benchmath"
)

// A comparison runs two builds at once, each in a process with a server of its own, and lets them take turns of a
// few slices: base, tree, tree, base. What the machine does meanwhile meets both alike, and the two turns of each
// side say how much of a difference is none (A/A).
const compareRounds = 12

// A reply is what a child measured in one turn, for each of its cells.
type reply struct {
	Cells []childCell `json:"cells"`
	Error string      `json:"error,omitempty"`
}

type childCell struct {
	Name   string  `json:"name"`
	P95    float64 `json:"p95_ns"`
	Errors int64   `json:"errors"`
}

// child serves turns on its standard input until that ends.
func child(ctx context.Context, cfg *config, in io.Reader, out io.Writer) (err error) {
	s := &session{cfg: cfg, prog: &progress{w: io.Discard}, sum: &report.Summary{}}
	defer func() {
		for _, srv := range s.servers {
			err = errors.Join(err, srv.close())
		}
	}()
	_, release, err := cfg.pinClient()
	if err != nil {
		return err
	}
	defer release()
	defer load.Reserve(1)()
	enc := json.NewEncoder(out)
	if err := s.ready(ctx); err != nil {
		return errors.Join(err, enc.Encode(reply{Error: oneLine(err)}))
	}
	defer func() {
		for _, c := range s.cells {
			c.loop.close()
		}
	}()
	if err := enc.Encode(reply{}); err != nil {
		return err
	}
	n := 0
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var r reply
		for range slicesPerWindow {
			if err := s.turn(ctx, n); err != nil {
				return errors.Join(err, enc.Encode(reply{Error: oneLine(err)}))
			}
			n++
		}
		for _, c := range s.cells {
			got := c.loop.collect()
			r.Cells = append(r.Cells, childCell{c.report.Name, float64(verdict.Quantile(c.latency(got), 0.95)), got.Errors + got.Mismatch})
		}
		if err := enc.Encode(r); err != nil {
			return err
		}
	}
	return nil
}

// ready starts a server, fills it and makes the cells: all up to the first turn.
func (s *session) ready(ctx context.Context) (err error) {
	if s.src, err = readSource(s.cfg); err != nil {
		return err
	}
	if err := s.load(ctx, s.cfg.keys[0]); err != nil {
		return err
	}
	s.src = nil
	return s.addCells(ctx, s.servers[0])
}

// compare builds the base with this tree's bench, so that only the store differs, and prints a row for each cell.
func compare(ctx context.Context, cfg *config, stdout io.Writer) error {
	prog := newProgress(stdout)
	tmp, err := os.MkdirTemp("", "nacre-compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	prog.step(1, 3, "build both")
	commit, err := gitOut(ctx, cfg.root, "rev-parse", "--short=12", "--verify", cfg.compare+"^{commit}")
	if err != nil {
		return fmt.Errorf("-compare: %q is no commit of this repository", cfg.compare)
	}
	base := filepath.Join(tmp, "base")
	if _, err := gitOut(ctx, cfg.root, "worktree", "add", "--detach", base, commit); err != nil {
		return err
	}
	defer func() {
		_, _ = gitOut(context.WithoutCancel(ctx), cfg.root, "worktree", "remove", "--force", base)
	}()
	if err := replaceBench(filepath.Join(cfg.root, "bench"), filepath.Join(base, "bench")); err != nil {
		return err
	}
	bins := [2]string{filepath.Join(tmp, "base.bin"), filepath.Join(tmp, "tree.bin")}
	for i, root := range []string{base, cfg.root} {
		build := exec.CommandContext(ctx, "go", "build", "-o", bins[i], ".")
		build.Dir = filepath.Join(root, "bench")
		if text, err := build.CombinedOutput(); err != nil {
			first, _, _ := strings.Cut(strings.TrimSpace(strings.TrimPrefix(string(text), "# github.com/nacre-store/nacre/bench\n")), "\n")
			return fmt.Errorf("build %s with this bench: %s", []string{commit, "this tree"}[i], first)
		}
	}
	prog.step(2, 3, "load both")
	var kids [2]*kid
	for i, bin := range bins {
		k, err := startKid(ctx, cfg, bin)
		if err != nil {
			return err
		}
		defer k.stop()
		kids[i] = k
	}
	for i, k := range kids {
		if _, err := k.read(); err != nil {
			return fmt.Errorf("%s: %w", []string{commit, "this tree"}[i], err)
		}
	}
	return duel(prog, kids, commit, stdout)
}

// duel lets both take turns and prints what came of it.
func duel(prog *progress, kids [2]*kid, commit string, stdout io.Writer) error {
	prog.step(3, 3, "base, tree, tree, base")
	var names []string
	var got [4]map[string][]float64 // Base, tree, tree, base.
	for i := range got {
		got[i] = map[string][]float64{}
	}
	begin := time.Now()
	for round := -1; round < compareRounds; round++ { // The first one warms up.
		for i, who := range [4]int{0, 1, 1, 0} {
			r, err := kids[who].turn()
			if err != nil {
				return err
			}
			if round < 0 {
				continue
			}
			for _, c := range r.Cells {
				if c.Errors > 0 {
					return fmt.Errorf("%s: %d errors or mismatches in a turn of %s", c.Name, c.Errors, []string{commit, "this tree"}[who])
				}
				if round == 0 && i == 0 {
					names = append(names, c.Name)
				}
				got[i][c.Name] = append(got[i][c.Name], c.P95)
			}
		}
		done := float64(round+2) / (compareRounds + 1)
		prog.show(done, time.Duration(float64(time.Since(begin))*(1-done)/done), "")
	}
	prog.clear()
	fmt.Fprintf(stdout, "this tree against %s: ratio of p95, median [95 %% interval] of %d turns side by side; below 1 is faster\n", commit, 2*compareRounds)
	moved := false
	for _, name := range names {
		base := append(got[0][name], got[3][name]...)
		tree := append(got[1][name], got[2][name]...)
		r, aa := verdict.Ratio(tree, base), verdict.Ratio(got[0][name], got[3][name])
		c := benchmath.AssumeNothing.Compare(benchmath.NewSample(base, &benchmath.DefaultThresholds), benchmath.NewSample(tree, &benchmath.DefaultThresholds))
		word := "≈"
		if c.P < 0.01 && (r.Lo > aa.Hi || r.Hi < aa.Lo) { // Beyond chance, and beyond what the base differs from itself.
			word = "slower"
			if r.Mid < 1 {
				word = "faster"
			}
			moved = moved || strings.HasPrefix(name, raw)
		}
		fmt.Fprintf(stdout, "  %-24s %-18s %-6s  p = %.3f  A/A %s\n", name, r, word, c.P, aa)
	}
	if moved {
		fmt.Fprintln(stdout, "The raw client is the same code in both and differs all the same: the machine was not alike for both, so this proves nothing.")
	}
	return nil
}

// A kid is a child process.
type kid struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *json.Decoder
}

func startKid(ctx context.Context, cfg *config, bin string) (*kid, error) {
	cmd := exec.CommandContext(ctx, bin, "-child", "-keys", cfg.keys[0].label, "-rate", fmt.Sprint(cfg.rate), "-seed", fmt.Sprint(cfg.seed), "-slice", "30ms", fmt.Sprintf("-pin=%t", cfg.pin))
	cmd.Dir, cmd.Stderr = cfg.root, io.Discard
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &kid{cmd, in, json.NewDecoder(out)}, cmd.Start()
}

func (k *kid) turn() (reply, error) {
	if _, err := io.WriteString(k.in, "turn\n"); err != nil {
		return reply{}, err
	}
	return k.read()
}

func (k *kid) read() (reply, error) {
	var r reply
	if err := k.out.Decode(&r); err != nil {
		return r, fmt.Errorf("a build of the bench ended early: %w", err)
	}
	if r.Error != "" {
		return r, errors.New(r.Error)
	}
	return r, nil
}

func (k *kid) stop() {
	_ = k.in.Close()
	_ = k.cmd.Wait()
}

// replaceBench puts this tree's bench where the base has its own, or none yet.
func replaceBench(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && rel == "out":
			return fs.SkipDir
		case d.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o644)
	})
}

func gitOut(ctx context.Context, dir string, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %s", args[0], oneLine(errors.New(strings.TrimSpace(string(out)))))
	}
	return strings.TrimSpace(string(out)), nil
}
