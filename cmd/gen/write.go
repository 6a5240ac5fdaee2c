package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/emit"
)

// lockName is the file beside the emitted code that holds the schema of the last run.
const lockName = "schema.lock.json"

// emitted is the first line of every file that this program wrote, and of no other.
var emitted = regexp.MustCompile(`^` + regexp.QuoteMeta(emit.Header) + `[^\n]*\. DO NOT EDIT\.\r?\n`)

// A change is what a run does to one file of the output folder.
type change struct {
	path string
	old  []byte // nil: the file is new.
	new  []byte // nil: the file is stale and goes.
}

func (c change) isLock() int {
	if filepath.Base(c.path) == lockName {
		return 1
	}
	return 0
}

func (c change) verb() string {
	if c.new == nil {
		return "deleted"
	}
	return "wrote"
}

// read returns the Go files and the lock file of the output folder by name.
func read(dir string) (map[string][]byte, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("output folder %s: %w", dir, cause(err))
	}
	files := make(map[string][]byte)
	for _, e := range entries {
		name := e.Name()
		if filepath.Ext(name) != ".go" && name != lockName {
			continue
		}
		path := filepath.Join(dir, name)
		if files[name], err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("output file %s: %w", path, cause(err))
		}
	}
	return files, nil
}

// plan compares the files of the output folder with those that it should hold,
// and returns what must change, by name. It refuses a folder that belongs to
// another package and never touches a Go file that this program did not write.
func plan(dir, pkg string, old, files map[string][]byte) ([]change, error) {
	ours := make(map[string][]byte)
	for _, name := range slices.Sorted(maps.Keys(old)) {
		switch _, wanted := files[name]; {
		case name == lockName || emitted.Match(old[name]):
			ours[name] = old[name]
		case wanted:
			return nil, fmt.Errorf("output file %s: was not written by cmd/gen: move it away first", filepath.Join(dir, name))
		default:
			if other := packageOf(old[name]); other != "" && other != pkg && other != pkg+"_test" {
				return nil, fmt.Errorf("output folder %s: holds package %s (%s), not %s (set -out or -package)", dir, other, name, pkg)
			}
		}
	}
	var changes []change
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if before, ok := ours[name]; !ok || !bytes.Equal(before, files[name]) {
			changes = append(changes, change{filepath.Join(dir, name), before, files[name]})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if _, ok := files[name]; !ok {
			changes = append(changes, change{filepath.Join(dir, name), ours[name], nil})
		}
	}
	// The lock goes last: a run that is killed before it is repeated as a whole,
	// with what it has to tell.
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.isLock(), b.isLock()) })
	return changes, nil
}

// packageOf returns the name in the package clause, or "" where there is none.
func packageOf(src []byte) string {
	f, err := parser.ParseFile(token.NewFileSet(), "", src, parser.PackageClauseOnly)
	if err != nil {
		return ""
	}
	return f.Name.Name
}

// write carries changes out. Every new text is complete on disk before the
// first file is replaced, so a full disk leaves the folder as it was, and each
// file is replaced as a whole: a run that is killed leaves old files and new
// ones, none of them cut, and the next run finishes.
func write(dir string, changes []change) (err error) {
	if len(changes) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("output folder %s: %w", dir, cause(err))
	}
	if err := clean(dir); err != nil {
		return fmt.Errorf("output folder %s: %w", dir, cause(err))
	}
	temps := make([]string, len(changes))
	defer func() {
		for _, t := range temps {
			if t != "" {
				os.Remove(t)
			}
		}
	}()
	for i, c := range changes {
		if c.new == nil {
			continue
		}
		if temps[i], err = writeTemp(dir, c.new); err != nil {
			return fmt.Errorf("output folder %s: %w", dir, cause(err))
		}
	}
	for i, c := range changes {
		if c.new == nil {
			err = os.Remove(c.path)
		} else {
			err = os.Rename(temps[i], c.path)
			temps[i] = ""
		}
		if err != nil {
			return fmt.Errorf("output file %s: %w", c.path, cause(err))
		}
	}
	return nil
}

// temp begins the names of the files that become the new ones.
const temp = ".gen-"

// clean removes what a run that was killed has left.
func clean(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), temp) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// writeTemp writes b to a new file in dir, with the mode of a source file, and returns its path.
func writeTemp(dir string, b []byte) (string, error) {
	f, err := os.CreateTemp(dir, temp+"*")
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Close())
	return f.Name(), err
}

// cause strips operation and path from an error of package os: our messages name the path.
func cause(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	if l, ok := errors.AsType[*os.LinkError](err); ok {
		return l.Err
	}
	return err
}

// diff shows a change line by line, the way diff -u does, as one hunk.
func diff(c change) string {
	const context = 3
	old, new := lines(c.old), lines(c.new)
	head := 0
	for head < min(len(old), len(new)) && old[head] == new[head] {
		head++
	}
	tail := 0
	for tail < min(len(old), len(new))-head && old[len(old)-1-tail] == new[len(new)-1-tail] {
		tail++
	}
	from, after := max(0, head-context), max(0, tail-context)

	var b strings.Builder
	oldPath, newPath := c.path, c.path
	if c.old == nil {
		oldPath = os.DevNull
	}
	if c.new == nil {
		newPath = os.DevNull
	}
	fmt.Fprintf(&b, "--- %s\n+++ %s\n@@ -%s +%s @@\n", oldPath, newPath,
		span(from, len(old)-after), span(from, len(new)-after))
	print := func(sign string, part []string) {
		for _, line := range part {
			b.WriteString(sign + line + "\n")
		}
	}
	print(" ", old[from:head])
	print("-", old[head:len(old)-tail])
	print("+", new[head:len(new)-tail])
	print(" ", old[len(old)-tail:len(old)-after])
	return b.String()
}

// span writes lines from+1 to to as diff -u numbers them.
func span(from, to int) string {
	if from == to {
		return fmt.Sprintf("%d,0", from)
	}
	return fmt.Sprintf("%d,%d", from+1, to-from)
}

func lines(b []byte) []string {
	if len(b) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}
