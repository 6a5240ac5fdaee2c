package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/store/storetest"
)

// The tests of this file are the runbook of docs/operations.md.

func do(t *testing.T, s *storetest.Server, args ...string) string {
	t.Helper()
	out, err := s.Do(args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out
}

func runConf(t *testing.T, dir string, args ...string) *storetest.Server {
	t.Helper()
	return storetest.Run(t, storetest.ServerOptions{Dir: dir, Args: args})
}

// TestMoveByAppendOnlyFile is "Another host" with an append-only file.
func TestMoveByAppendOnlyFile(t *testing.T) {
	old := runConf(t, "")
	do(t, old, "SET", "k", "v")
	do(t, old, "SET", "expiring", "v", "EX", "1000")
	do(t, old, "BGREWRITEAOF")
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		info := do(t, old, "INFO", "persistence")
		if strings.Contains(info, "aof_rewrite_in_progress:0") && strings.Contains(info, "aof_rewrite_scheduled:0") {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the rewrite does not end")
		}
	}
	do(t, old, "SET", "late", "v")
	if err := old.Stop(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "appendonlydir"), os.DirFS(filepath.Join(old.Dir, "appendonlydir"))); err != nil {
		t.Fatal(err)
	}
	moved := runConf(t, dir)
	if got := do(t, moved, "MGET", "k", "expiring", "late"); got != "v\nv\nv" {
		t.Errorf("on the new host: %q", got)
	}
	if got := do(t, moved, "TTL", "expiring"); got != "1000" && got != "999" && got != "998" {
		t.Errorf("expiry on the new host: %s s", got)
	}
}

// TestMoveBySnapshot is "Another host" with a snapshot, and the trap in it.
func TestMoveBySnapshot(t *testing.T) {
	old := runConf(t, "")
	do(t, old, "SET", "k", "v")
	do(t, old, "SAVE")
	rdb, err := os.ReadFile(filepath.Join(old.Dir, "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	newHost := func() string {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "dump.rdb"), rdb, 0o644); err != nil {
			t.Fatal(err)
		}
		return dir
	}

	trap := runConf(t, newHost())
	if got := do(t, trap, "DBSIZE"); got != "0" {
		t.Errorf("appendonly yes loaded a snapshot (%s keys): docs/operations.md says that it does not", got)
	}

	moved := runConf(t, newHost(), "--appendonly", "no")
	if got := do(t, moved, "GET", "k"); got != "v" {
		t.Fatalf("on the new host: %q", got)
	}
	do(t, moved, "CONFIG", "SET", "appendonly", "yes")
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(do(t, moved, "INFO", "persistence"), "aof_rewrite_in_progress:0"); {
		if time.Now().After(deadline) {
			t.Fatal("the first append-only file does not end")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := moved.Stop(); err != nil {
		t.Fatal(err)
	}
	again := runConf(t, moved.Dir)
	if got := do(t, again, "GET", "k"); got != "v" {
		t.Errorf("with the append-only file: %q", got)
	}
}
