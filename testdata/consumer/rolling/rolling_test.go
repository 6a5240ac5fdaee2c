// Package rolling upgrades a schema while processes with the old and the new
// version of it write the same rows: the new one has more optional fields, one
// more value of an enum that decides no state, and one more index.
package rolling

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
	"github.com/shopspring/decimal"

	now "example.com/repodesk/rolling/new"
	then "example.com/repodesk/rolling/old"
)

// processes are one of each version on the same Redis.
func processes(t *testing.T) (then.Tables, now.Tables) {
	t.Helper()
	cfg := storetest.Redis(t)
	return then.New(open(t, cfg, then.Schema)), now.New(open(t, cfg, now.Schema))
}

// open is closed by the end of the test at the latest.
func open(t *testing.T, cfg store.Config, schema store.Schema) *store.Store {
	t.Helper()
	cfg.Schemas = []store.Schema{schema}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

// TestSafe checks that gen takes the new schema for a safe successor of the old.
func TestSafe(t *testing.T) {
	out := filepath.Join(t.TempDir(), "ticket")
	for _, run := range []struct{ schema, told string }{
		{"schema/old", ""},
		{"schema/new", `index "by_owner": it is new: to be built`},
	} {
		b, err := exec.Command("go", "tool", "github.com/nacre-store/nacre/cmd/gen", "-schema", run.schema, "-out", out).CombinedOutput()
		if err != nil || (len(b) == 0) != (run.told == "") || !bytes.Contains(b, []byte(run.told)) {
			t.Fatalf("%s: %v\n%s", run.schema, err, b)
		}
	}
	for _, name := range []string{"ticket.go", "sample.go"} {
		got, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("new", name))
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(got, want) {
			t.Errorf("%s depends on what was emitted before", name)
		}
	}
}

// TestUpgrade reads rows of the old version in the new one.
func TestUpgrade(t *testing.T) {
	old, new := processes(t)
	ctx := t.Context()
	must(t, old.Tickets.Put(ctx, then.Ticket{TicketID: "T", Status: then.StatusOpen, Kind: then.KindBug, Points: 3, Last: store.Some(then.Note{NoteID: "n"})}))
	got, err := new.Tickets.Get(ctx, "T", store.Strong)
	must(t, err)
	same(t, got, now.Ticket{TicketID: "T", Status: now.StatusOpen, Kind: now.KindBug, Points: 3, Last: store.Some(now.Note{NoteID: "n"})})
}

// TestKeepsNewer lets the old version change a row of the new one: what it does
// not know has to stay, in the row and in the structs within it.
func TestKeepsNewer(t *testing.T) {
	old, new := processes(t)
	ctx := t.Context()
	row := now.Ticket{
		TicketID: "T", Status: now.StatusOpen, Kind: now.KindChore, Points: 3, Owner: "ann",
		Effort: store.Some(decimal.RequireFromString("1.50")),
		Last:   store.Some(now.Note{NoteID: "n", Text: "t", Author: "bob"}),
	}
	must(t, new.Tickets.Put(ctx, row))

	seen, err := old.Tickets.Update(ctx, "T", func(v *then.Ticket) error {
		v.Points, v.Last.Value.Text = 5, "changed"
		return nil
	})
	must(t, err)
	if seen.Kind != "CHORE" || seen.Kind.Valid() || seen.Extra == "" || seen.Last.Value.Extra == "" {
		t.Errorf("the old version sees %+v", seen)
	}
	row.Points, row.Last.Value.Text = 5, "changed"
	got, err := new.Tickets.Get(ctx, "T", store.Strong)
	must(t, err)
	same(t, got, row)

	// The old version lists the row under the value that it does not know.
	if n, err := old.Tickets.ByKind("CHORE").Count(ctx); n != 1 || err != nil {
		t.Errorf("%d rows of the new kind (%v), want 1", n, err)
	}
}

// TestAddedIndex reads the index that only the new version has: never a
// partial answer. While the old version may write, the index is not built, and
// Verify cannot build it; once it has gone, Verify lists what it wrote.
func TestAddedIndex(t *testing.T) {
	cfg := storetest.Redis(t)
	oldStore, newStore := open(t, cfg, then.Schema), open(t, cfg, now.Schema)
	old, new := then.New(oldStore), now.New(newStore)
	ctx := t.Context()
	must(t, new.Tickets.Put(ctx, now.Ticket{TicketID: "T", Status: now.StatusOpen, Kind: now.KindBug, Owner: "ann"}))
	must(t, old.Tickets.Put(ctx, then.Ticket{TicketID: "U", Status: then.StatusOpen, Kind: then.KindBug}))
	if n, err := new.Tickets.ByOwner("ann").Count(ctx); !errors.Is(err, store.ErrIndexNotBuilt) {
		t.Errorf("beside the old version: %d rows, %v, want %v", n, err, store.ErrIndexNotBuilt)
	}
	if _, err := new.Tickets.Verify(ctx, true); err != nil {
		t.Error(err)
	}
	if n, err := new.Tickets.ByOwner("ann").Count(ctx); !errors.Is(err, store.ErrIndexNotBuilt) {
		t.Errorf("after a Verify beside the old version: %d rows, %v, want %v", n, err, store.ErrIndexNotBuilt)
	}
	must(t, oldStore.Close(ctx))
	if _, err := new.Tickets.Verify(ctx, true); err != nil {
		t.Error(err)
	}
	if n, err := new.Tickets.ByOwner("ann").Count(ctx); n != 1 || err != nil {
		t.Errorf("once the old version has gone: %d rows of the owner, %v, want 1", n, err)
	}
}

// TestElements has both versions append to one list, put into one hash, and
// write one series.
func TestElements(t *testing.T) {
	old, new := processes(t)
	ctx := t.Context()
	row := now.Ticket{TicketID: "T", Status: now.StatusOpen, Kind: now.KindBug, Owner: "ann"}
	must(t, new.Tickets.AppendNotes(ctx, row, now.Note{NoteID: "1", Text: "a", Author: "ann"}))
	seen, err := old.Tickets.Get(ctx, "T", store.Strong)
	must(t, err)
	must(t, old.Tickets.AppendNotes(ctx, seen, then.Note{NoteID: "2", Text: "b"}))
	must(t, old.Tickets.AppendNotes(ctx, seen, then.Note{NoteID: "1", Text: "again"}))

	var notes []now.Note
	for n, err := range new.Tickets.Notes("T").All(ctx) {
		must(t, err)
		notes = append(notes, n)
	}
	same(t, notes, []now.Note{{NoteID: "1", Text: "a", Author: "ann"}, {NoteID: "2", Text: "b"}})
	got, err := new.Tickets.Get(ctx, "T", store.Strong)
	must(t, err)
	same(t, got, row)

	must(t, new.Tickets.Pinned("T").Put(ctx, "top", notes[0]))
	pinned, err := old.Tickets.Pinned("T").Get(ctx, "top")
	must(t, err)
	pinned.Text = "c"
	must(t, old.Tickets.Pinned("T").Put(ctx, "top", pinned))
	back, err := new.Tickets.Pinned("T").Get(ctx, "top")
	must(t, err)
	same(t, back, now.Note{NoteID: "1", Text: "c", Author: "ann"})

	must(t, new.Samples.Append(ctx, "s", now.Sample{TsEvent: 1, Value: 2, Unit: "ms"}, now.Sample{TsEvent: 3, Value: 4}))
	must(t, old.Samples.Append(ctx, "s", then.Sample{TsEvent: 5, Value: 6}))
	var samples []now.Sample
	for s, err := range new.Samples.All(ctx, "s") {
		must(t, err)
		samples = append(samples, s)
	}
	same(t, samples, []now.Sample{{TsEvent: 1, Value: 2, Unit: "ms"}, {TsEvent: 3, Value: 4}, {TsEvent: 5, Value: 6}})
	var values []int64
	for s, err := range old.Samples.All(ctx, "s") {
		must(t, err)
		values = append(values, s.Value)
	}
	same(t, values, []int64{2, 4, 6})
}

// TestAtOnce has both versions count up the same rows at the same time. No
// count and no field of the new version may be lost.
func TestAtOnce(t *testing.T) {
	old, new := processes(t)
	ctx := t.Context()
	const rows, rounds = 4, 50
	id := func(i int) string { return fmt.Sprintf("T-%d", i) }
	for i := range rows {
		must(t, new.Tickets.Put(ctx, now.Ticket{TicketID: now.TicketID(id(i)), Status: now.StatusOpen, Kind: now.KindChore, Owner: id(i)}))
	}
	var all sync.WaitGroup
	for i := range rows {
		all.Go(func() {
			for range rounds {
				if _, err := old.Tickets.Update(ctx, then.TicketID(id(i)), func(v *then.Ticket) error { v.Points++; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
		all.Go(func() {
			for range rounds {
				if _, err := new.Tickets.Update(ctx, now.TicketID(id(i)), func(v *now.Ticket) error { v.Points++; return nil }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for i := range rows {
		got, err := new.Tickets.Get(ctx, now.TicketID(id(i)), store.Strong)
		must(t, err)
		same(t, got, now.Ticket{TicketID: now.TicketID(id(i)), Status: now.StatusOpen, Kind: now.KindChore, Owner: id(i), Points: 2 * rounds})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, got, want any) {
	t.Helper()
	decimals := cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) && a.Exponent() == b.Exponent() })
	if d := cmp.Diff(want, got, decimals); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
