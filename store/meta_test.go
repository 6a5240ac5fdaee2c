package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// unbuilt checks that an index answers that it is not built, and nothing else.
func unbuilt[K comparable, V any](t testing.TB, s store.Set[K, V]) {
	t.Helper()
	n := 0
	var last error
	for _, err := range s.All(t.Context()) {
		n++
		last = err
	}
	if n != 1 || !errors.Is(last, store.ErrIndexNotBuilt) {
		t.Errorf("All yields %d times, last %v", n, last)
	}
	if n, err := s.Count(t.Context()); n != 0 || !errors.Is(err, store.ErrIndexNotBuilt) {
		t.Errorf("Count: %d, %v", n, err)
	}
}

// A tenant that nobody has written before starts with all indexes built.
func TestNewTenantIsBuilt(t *testing.T) {
	srv := redistest.New(t)
	v2 := jobs("two", byKind)
	w := v2.open(t, srv)
	if n := count(t, w.index("by_kind", "x")); n != 0 {
		t.Errorf("%d jobs", n)
	}
	w.put(t, "J", 12)
	if n := count(t, w.index("by_kind", "x")); n != 6 {
		t.Errorf("%d jobs of kind x, want 6", n)
	}
	d := &desk{srv: srv}
	d.want(t, "field kind", "HGET", "trader-nacre.meta", "built:job.by_kind")
	d.want(t, "state open", "HGET", "trader-nacre.meta", "built:job.open")
	d.want(t, "DONE=closed FAILED=closed NEW=open RUNNING=open", "HGET", "trader-nacre.meta", "states:job")
	d.want(t, "1", "ZCARD", "trader-nacre.present")
	if schema := d.do(t, "HGET", "trader-nacre.meta", "schema:work:two"); !strings.HasSuffix(schema, "\njob.open: state open [NEW RUNNING]\njob.by_owner: field owner\njob.by_kind: field kind\n") {
		t.Errorf("schema: %q", schema)
	}
	must(t, w.Close(t.Context()))
	d.want(t, "0", "ZCARD", "trader-nacre.present")
}

// An index that is new in the schema never gives a partial answer.
func TestNewIndexIsNotBuilt(t *testing.T) {
	srv := redistest.New(t)
	v1, v2 := jobs("one"), jobs("two", byKind)
	old := v1.open(t, srv)
	old.put(t, "J", 12)
	w := v2.open(t, srv)
	unbuilt(t, w.index("by_kind", "x"))
	w.put(t, "K", 12) // which lists its own rows only
	unbuilt(t, w.index("by_kind", "x"))
	for _, n := range []int{count(t, w.index("by_owner", "ann")), count(t, old.index("by_owner", "ann"))} {
		if n != 12 {
			t.Errorf("%d jobs of ann, want 12", n)
		}
	}
	must(t, old.Close(t.Context()))
	unbuilt(t, w.index("by_kind", "x"))
	// Once there are no rows any more, it is complete again.
	for j, err := range w.All(t.Context()) {
		must(t, err)
		must(t, w.Delete(t.Context(), j.ID))
	}
	if n := count(t, w.index("by_kind", "x")); n != 0 {
		t.Errorf("%d jobs", n)
	}
}

// While a process of an older schema can write, an index that it does not know
// is not complete, though the table has no rows at this moment. When such a
// process comes back, the index is no longer built.
func TestOlderProcessesUnbuild(t *testing.T) {
	srv, ctx := redistest.New(t), t.Context()
	v1, v2 := jobs("one"), jobs("two", byKind)
	old := v1.open(t, srv)
	old.put(t, "J", 1)
	must(t, old.Delete(ctx, "J-000"))
	w := v2.open(t, srv)
	unbuilt(t, w.index("by_kind", "x"))
	must(t, old.Close(ctx))
	w.put(t, "K", 1)
	must(t, w.Delete(ctx, "K-000"))
	if n := count(t, w.index("by_kind", "x")); n != 0 {
		t.Errorf("%d jobs", n)
	}
	w.put(t, "K", 4)
	if n := count(t, w.index("by_kind", "x")); n != 2 {
		t.Errorf("%d jobs, want 2", n)
	}
	old = v1.open(t, srv)
	old.put(t, "L", 4)
	unbuilt(t, w.index("by_kind", "x"))
	if n := count(t, old.index("by_owner", "ann")); n != 4 {
		t.Errorf("%d jobs of ann, want 4", n)
	}
}

// An index is another one when it lists another field or state, or when a
// value has moved from one state to another. A new value is no move.
func TestRedefinedIndexIsNotBuilt(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*store.Table[string, job])
		unbuilt []string
	}{
		"field": {func(t *store.Table[string, job]) {
			t.Indexes[1].By, t.Indexes[1].Field = "kind", func(j *job) string { return j.Kind }
		}, []string{"by_owner"}},
		"state": {func(t *store.Table[string, job]) { t.Indexes[0].State = "closed" }, []string{"open"}},
		"moved": {func(t *store.Table[string, job]) {
			t.States[0].Values, t.States[1].Values = []string{"NEW"}, []string{"RUNNING", "DONE", "FAILED"}
		}, []string{"open"}},
		"new":    {func(t *store.Table[string, job]) { t.States[0].Values = append(t.States[0].Values, "PAUSED") }, nil},
		"no use": {func(t *store.Table[string, job]) { t.States[1].TTL = 0 }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			srv := redistest.New(t)
			old := jobs("one").open(t, srv)
			old.put(t, "J", 6)
			must(t, old.Close(t.Context()))
			w := jobs("two", c.change).open(t, srv)
			for _, x := range []string{"open", "by_owner"} {
				s := w.index(x)
				if x == "by_owner" {
					s = w.index(x, "ann")
				}
				_, err := s.Count(t.Context())
				want := strings.Contains(fmt.Sprint(c.unbuilt), x)
				if errors.Is(err, store.ErrIndexNotBuilt) != want {
					t.Errorf("%s: %v", x, err)
				}
			}
		})
	}
}

// Rows without meta data are of another time: of which indexes they are in,
// nothing is known.
func TestRowsWithoutMetaAreNotBuilt(t *testing.T) {
	srv := redistest.New(t)
	w := jobs("one").open(t, srv)
	w.put(t, "J", 3)
	must(t, w.Close(t.Context()))
	d := &desk{srv: srv}
	d.do(t, "DEL", "trader-nacre.meta")
	w = jobs("one").open(t, srv)
	unbuilt(t, w.index("by_owner", "ann"))
	if n := count(t, w.Set); n != 3 {
		t.Errorf("%d jobs, want 3", n)
	}
}

// After a Purge the tenant is a new one.
func TestPurgeStartsAnew(t *testing.T) {
	srv, ctx := redistest.New(t), t.Context()
	old := jobs("one").open(t, srv)
	old.put(t, "J", 3)
	must(t, old.Close(ctx))
	w := jobs("two", byKind).open(t, srv)
	unbuilt(t, w.index("by_kind", "x"))
	must(t, w.Purge(ctx))
	w.put(t, "J", 4)
	if n := count(t, w.index("by_kind", "x")); n != 2 {
		t.Errorf("%d jobs, want 2", n)
	}
	// Who is present stays known: the other one need not say so again.
	old = jobs("one").open(t, srv)
	must(t, w.Purge(ctx))
	w.put(t, "J", 4)
	unbuilt(t, w.index("by_kind", "x"))
	must(t, old.Close(ctx))
	must(t, w.Close(ctx)) // nobody flushes beside another writer
	w = jobs("three", byKind).open(t, srv, func(c *store.Config) { c.FlushOnStart = true })
	w.put(t, "J", 4)
	if n := count(t, w.index("by_kind", "x")); n != 2 {
		t.Errorf("%d jobs, want 2", n)
	}
}

// Open says when rows are written by a newer program, and does not of an older.
func TestOpenTellsOfNewerSchemas(t *testing.T) {
	srv := redistest.New(t)
	v1, v2 := jobs("fp-one"), jobs("fp-two", byKind)
	var logs []string
	for _, v := range []jobSchema{v1, v2, v1, v2} {
		w := v.open(t, srv)
		w.put(t, "J", 1)
		must(t, w.Close(t.Context()))
		logs = append(logs, w.log.String())
	}
	for i, newer := range []bool{false, false, true, false} {
		if got := strings.Contains(logs[i], "newer schema") && strings.Contains(logs[i], "fp-two"); got != newer {
			t.Errorf("start %d says %q", i, logs[i])
		}
	}
	// A program that comes to a tenant for the first time finds it by the index.
	must(t, v2.open(t, srv).tenant(t, "T").Put(t.Context(), job{ID: "J", Status: "NEW"}))
	w := v1.open(t, srv).tenant(t, "T")
	w.put(t, "J", 1)
	if log := w.log.String(); !strings.Contains(log, "tenant=trader-T") {
		t.Errorf("it says %q", log)
	}
}

// Each tenant costs one round trip, at its first write, whoever has it.
func TestTenantsAreAskedOnce(t *testing.T) {
	srv := redistest.New(t)
	w := jobs("one").open(t, srv)
	d := &desk{srv: srv}
	for range 2 {
		for i := range 20 {
			x := w.tenant(t, fmt.Sprintf("T-%d", i))
			x.put(t, "J", 3)
			must(t, x.Close(t.Context()))
		}
	}
	stats := d.do(t, "INFO", "commandstats")
	if !strings.Contains(stats, "cmdstat_hgetall:calls=21,") {
		t.Errorf("21 tenants were not asked once each:\n%s", stats)
	}
	d.want(t, "1", "ZCARD", "trader-T-7-nacre.present")
}

// A write is not sent before the tenant is known: it fails as one that was
// surely not applied.
func TestNoWriteWithoutMeta(t *testing.T) {
	srv := redistest.New(t)
	w := jobs("one").open(t, srv).tenant(t, "T")
	must(t, srv.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 50e6)
	defer cancel()
	err := w.Put(ctx, job{ID: "J", Status: "NEW"})
	must(t, srv.Resume())
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Put: %v", err)
	}
	must(t, w.Put(t.Context(), job{ID: "J", Status: "NEW"}))
}

// Behind a new connection the server may be another one: the first write says
// again who is present.
func TestANewConnectionSaysAgain(t *testing.T) {
	srv := redistest.New(t)
	w := jobs("one").open(t, srv)
	w.put(t, "J", 1)
	d := &desk{srv: srv}
	d.do(t, "DEL", "trader-nacre.present")
	w.put(t, "J", 2)
	d.want(t, "0", "EXISTS", "trader-nacre.present")
	d.do(t, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	for end := time.Now().Add(5 * time.Second); d.do(t, "EXISTS", "trader-nacre.present") == "0" && time.Now().Before(end); {
		_ = w.Put(t.Context(), job{ID: "J", Status: "NEW"})
	}
	d.want(t, "1", "EXISTS", "trader-nacre.present")
}
