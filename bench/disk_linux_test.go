package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

// fullDisk is set for the process that TestDiskFull starts: the folder to mount a small disk on.
const fullDisk = "NACRE_BENCH_FULL_DISK"

// A disk that fills up ends the run with one line, and leaves neither half a file nor a verdict. The run is a
// process of its own, in which the output folder is a file system with room for the first files only.
func TestDiskFull(t *testing.T) {
	if dir := os.Getenv(fullDisk); dir != "" {
		onFullDisk(dir)
	}
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDiskFull$")
	cmd.Env = append(os.Environ(), fullDisk+"="+dir, "NACRE_REDIS_URL=")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		t.Skip("this system lets nobody mount a disk of their own: ", err)
	}
	if line := stderr.String(); cmd.ProcessState.ExitCode() != verdict.ExitError || strings.Count(line, "\n") != 1 ||
		!strings.Contains(line, "nacre-bench: write the report: ") || !strings.Contains(line, "no space left on device") {
		t.Errorf("%v, stderr %q", err, line)
	}
	if out := stdout.String(); strings.Contains(out, "RESULT") || !strings.Contains(out, "kept: partial") {
		t.Errorf("stdout:\n%s", out)
	}
}

// onFullDisk is the process: a run, and a look at what it left on the disk, which nobody else sees.
func onFullDisk(dir string) {
	fail := func(err error) {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(2)
	}
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		fail(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=48k"); err != nil {
		fail(err)
	}
	slog.SetDefault(slog.New(slog.DiscardHandler))
	code := run(context.Background(), append([]string{"-quick", "-out", dir}, short...), os.Stdout, os.Stderr)
	s, err := readSummary(dir)
	switch {
	case err != nil:
		fail(err)
	case s.Outcome != "" || s.Partial == "" || s.Exit != verdict.ExitError:
		fail(errors.New("summary.json has a verdict: " + string(s.Outcome)))
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	for _, f := range append(files, hidden...) {
		if strings.HasSuffix(f, "report.html") || strings.HasPrefix(filepath.Base(f), ".") {
			fail(errors.New("left behind: " + f))
		}
	}
	os.Stdout.WriteString("kept: partial\n")
	os.Exit(code)
}
