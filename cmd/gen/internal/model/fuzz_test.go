package model_test

import (
	"errors"
	"go/scanner"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// slow is far above what a file of the size that fuzzing makes takes.
const slow = 5 * time.Second

// seeds adds every schema file of the repository and of the cases.
func seeds(f *testing.F, add func(string)) {
	f.Helper()
	paths, err := filepath.Glob(filepath.Join(trading, "*.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		add(string(b))
	}
	for _, dir := range []string{errorCases, lockCases} {
		paths, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			a, err := txtar.ParseFile(path)
			if err != nil {
				f.Fatal(err)
			}
			for _, file := range a.Files {
				if strings.HasSuffix(file.Name, ".yaml") {
					add(string(file.Data))
				}
			}
		}
	}
}

// FuzzLoad reads any text as a schema file: it is a package or an error with a
// position, soon.
func FuzzLoad(f *testing.F) {
	seeds(f, func(s string) { f.Add(s) })
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		p, err := model.LoadFS(fstest.MapFS{
			"fuzz.yaml":  {Data: []byte(text)},
			"types.yaml": {Data: []byte("enums:\n  Side: [BUY, SELL]\nstructs:\n  Fill: {fill_id: string}\n")},
			"order.yaml": {Data: []byte("table: order\nkey: order_id\nfields: {order_id: string}\n")},
		}, "schema/fuzz", "fuzz")
		if d := time.Since(start); d > slow {
			t.Errorf("took %v", d)
		}
		if err != nil {
			var list scanner.ErrorList
			if !errors.As(err, &list) {
				t.Fatalf("the error is a %T", err)
			}
			for _, e := range list {
				if !strings.HasPrefix(e.Pos.Filename, "schema/fuzz") || !strings.Contains(e.Msg, ": ") || strings.Contains(e.Msg, "\n") {
					t.Errorf("%q", e.Error())
				}
			}
			return
		}
		lock, _, err := model.NextLock(p, lockPath, nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, changes, err := model.NextLock(p, lockPath, lock, false); err != nil || len(changes) > 0 {
			t.Errorf("the lock is not that of its package: %v, %v", err, changes)
		}
	})
}

// FuzzNextLock reads any text as a lock.
func FuzzNextLock(f *testing.F) {
	p, err := model.Load(trading, "schema/trading", "trading")
	if err != nil {
		f.Fatal(err)
	}
	lock, _, err := model.NextLock(p, lockPath, nil, false)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(lock)
	f.Add([]byte(`{"format": 1, "tables": {"order": {"fields": [{"name": "a", "type": "b"}, {"name": "a", "type": "c"}], "states": null}}}`))
	f.Fuzz(func(t *testing.T, old []byte) {
		if _, _, err := model.NextLock(p, lockPath, old, true); err != nil {
			var list scanner.ErrorList
			if !errors.As(err, &list) {
				t.Errorf("the error is a %T: %v", err, err)
			}
		}
	})
}
