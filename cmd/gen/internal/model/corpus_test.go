package model_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/tools/txtar"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

var update = flag.Bool("update", false, "rewrite the expected parts of the cases in testdata/gen")

const (
	errorCases = "../../../../testdata/gen/errors"
	lockCases  = "../../../../testdata/gen/lock"
	lockPath   = "gen/trading/schema.lock.json"
)

// A case is a txtar file: what it shows and options as "option: value" lines,
// then schema files, then what is expected. A schema file whose name ends in
// .quoted holds Go string literals, for bytes that no editor keeps.
type testCase struct {
	path    string
	archive *txtar.Archive
	options map[string]string
	files   fstest.MapFS
	got     []txtar.File
}

func cases(t *testing.T, dir string, run func(t *testing.T, c *testCase)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases in %s: %v", dir, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			c := readCase(t, path)
			run(t, c)
			c.compare(t)
		})
	}
}

func readCase(t *testing.T, path string) *testCase {
	t.Helper()
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &testCase{path: path, archive: a, options: map[string]string{"package": "trading"}, files: fstest.MapFS{}}
	for line := range strings.Lines(string(a.Comment)) {
		if option, value, ok := strings.Cut(strings.TrimSpace(line), ": "); ok && !strings.Contains(option, " ") {
			c.options[option] = value
		}
	}
	for _, f := range a.Files {
		name, quoted := strings.CutSuffix(f.Name, ".quoted")
		data := f.Data
		if quoted {
			data = nil
			for line := range strings.Lines(string(f.Data)) {
				s, err := strconv.Unquote(strings.TrimSpace(line))
				if err != nil {
					t.Fatalf("%s: %s: %v", path, f.Name, err)
				}
				data = append(data, s...)
			}
		}
		if strings.Contains(name, ".") {
			c.files[name] = &fstest.MapFile{Data: data}
		}
	}
	if f := c.files[c.options["oversized"]]; f != nil {
		f.Data = append(f.Data, strings.Repeat("# padding\n", 1<<17)...)
	}
	return c
}

// expect compares one file of the case with what came out.
func (c *testCase) expect(name string, got string) {
	c.got = append(c.got, txtar.File{Name: name, Data: []byte(got)})
}

func (c *testCase) compare(t *testing.T) {
	t.Helper()
	isGot := func(f txtar.File) bool {
		return slices.ContainsFunc(c.got, func(g txtar.File) bool { return g.Name == f.Name })
	}
	if *update {
		c.archive.Files = slices.DeleteFunc(c.archive.Files, isGot)
		for _, g := range c.got {
			if len(g.Data) > 0 {
				c.archive.Files = append(c.archive.Files, g)
			}
		}
		if err := os.WriteFile(c.path, txtar.Format(c.archive), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	for _, g := range c.got {
		var want []byte
		for _, f := range c.archive.Files {
			if f.Name == g.Name {
				want = f.Data
			}
		}
		if !bytes.Equal(g.Data, want) {
			t.Errorf("%s:\ngot:\n%s\nwant:\n%s", g.Name, g.Data, want)
		}
	}
}

// stderr is what the program prints of an error.
func stderr(err error) string {
	var b strings.Builder
	scanner.PrintError(&b, err)
	return b.String()
}

// deny is a file system in which one file cannot be read.
type deny struct {
	fs.FS
	name string
}

func (d deny) Open(name string) (fs.File, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.FS.Open(name)
}

func (d deny) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return fs.ReadDir(d.FS, name)
}

func TestErrors(t *testing.T) {
	cases(t, errorCases, func(t *testing.T, c *testCase) {
		p, err := model.LoadFS(deny{c.files, c.options["unreadable"]}, "schema/trading", c.options["package"])
		if err == nil {
			c.expect("stderr", "")
			t.Error("no error")
			return
		}
		if p != nil {
			t.Error("a package beside an error")
		}
		var list scanner.ErrorList
		if !errors.As(err, &list) {
			t.Fatalf("the error is a %T", err)
		}
		c.expect("stderr", stderr(err))
	})
}

// sub is the files of a case in one folder.
func (c *testCase) sub(t *testing.T, folder string) *model.Package {
	t.Helper()
	fsys, err := fs.Sub(c.files, folder)
	if err != nil {
		t.Fatal(err)
	}
	p, err := model.LoadFS(fsys, "schema/trading", "trading")
	if err != nil {
		t.Fatalf("%s:\n%s", folder, stderr(err))
	}
	return p
}

// TestLock runs the cases of schema changes: folder old was emitted, then its
// files were replaced by those of folder new.
func TestLock(t *testing.T) {
	cases(t, lockCases, func(t *testing.T, c *testCase) {
		var before []byte
		if f := c.files["old.json"]; f != nil {
			before = f.Data
		} else {
			lock, changes, err := model.NextLock(c.sub(t, "old"), lockPath, nil, false)
			if err != nil || len(changes) > 0 {
				t.Fatalf("the first lock: %v, %v", changes, err)
			}
			before = lock
		}
		p := c.sub(t, "new")
		next, changes, err := model.NextLock(p, lockPath, before, false)
		var text strings.Builder
		for _, change := range changes {
			fmt.Fprintf(&text, "%s: %s\n", change.Class, change)
		}
		c.expect("changes", text.String())
		if err == nil {
			c.expect("stderr", "")
			if len(changes) == 0 && !bytes.Equal(next, before) {
				t.Errorf("no change, but another lock:\n%s\nwas:\n%s", next, before)
			}
			c.again(t, p, next)
			return
		}
		c.expect("stderr", stderr(err))
		if next != nil {
			t.Error("a lock beside an error")
		}
		next, _, err = model.NextLock(p, lockPath, before, true)
		if err != nil {
			if len(changes) > 0 {
				t.Errorf("-allow-breaking: %v", err)
			}
			return
		}
		allowed, _, _ := strings.Cut(string(next), "\n  \"enums\"")
		allowed, _, _ = strings.Cut(allowed, "\n  \"format\"")
		c.expect("allowed", allowed+"\n")
		c.again(t, p, next)
	})
}

// again checks that a run after the run changes nothing.
func (c *testCase) again(t *testing.T, p *model.Package, lock []byte) {
	t.Helper()
	next, changes, err := model.NextLock(p, lockPath, lock, false)
	if err != nil || len(changes) > 0 || !bytes.Equal(next, lock) {
		t.Errorf("a second run changes the lock: %v, %v\n%s", changes, err, next)
	}
}
