package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// runEnv makes the test binary the command itself.
const runEnv = "GEN_TEST_RUN"

func TestMain(m *testing.M) {
	if os.Getenv(runEnv) != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// TestKilled kills runs while they write: every file is the old or the new one,
// whole, and the next run finishes and leaves nothing behind.
func TestKilled(t *testing.T) {
	d := newDesk(t)
	const tables, kills = 60, 12
	version := func(n int) {
		for i := range tables {
			name := fmt.Sprintf("note%02d", i)
			d.write(name+".yaml", strings.NewReplacer("note", name, "Note", "Note"+fmt.Sprint(i), "a line", fmt.Sprint("line ", n)).Replace(noteYAML))
		}
	}
	written := func(n int) map[string][]byte {
		version(n)
		d.gen(0)
		return readDir(t, d.out)
	}
	old := written(0)
	amid := 0
	for n := range kills {
		version(n + 1)
		cmd := exec.Command(os.Args[0], "-schema", d.schema, "-out", d.out)
		cmd.Env = append(os.Environ(), runEnv+"=1")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { _ = cmd.Wait(); close(ended) }()
		for writing := false; !writing; {
			select {
			case <-ended:
				writing = true
			default:
				writing = slices.ContainsFunc(names(t, d.out), isTemp)
			}
		}
		time.Sleep(time.Duration(n) * 300 * time.Microsecond)
		_ = cmd.Process.Kill()
		<-ended
		left := readDir(t, d.out)
		now := written(n + 1)
		replaced := 0
		for name, b := range left {
			switch {
			case isTemp(name):
			case bytes.Equal(b, old[name]):
			case bytes.Equal(b, now[name]):
				replaced++
			default:
				t.Fatalf("%s is neither the old nor the new file: %d bytes of %d", name, len(b), len(now[name]))
			}
		}
		if replaced > 0 && replaced < len(now) || len(left) != len(old) {
			amid++
		}
		for name := range now {
			if isTemp(name) {
				t.Fatalf("%s is left", name)
			}
		}
		old = now
	}
	t.Logf("%d of %d runs were killed while they wrote", amid, kills)
	if amid == 0 {
		t.Error("no run was killed while it wrote")
	}
}

func isTemp(name string) bool { return strings.HasPrefix(name, temp) }

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}
