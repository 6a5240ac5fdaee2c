package store_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

func TestWatch(t *testing.T) {
	d := open(t)
	o := d.another(t)
	ctx := t.Context()
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	must(t, d.Positions.Put(ctx, position("P-2", trading.PositionSideFlat)))

	all := watching(t, d.Positions.Set)
	openOnes := watching(t, d.Positions.Open())
	mine := watching(t, d.Positions.ByStrategy("EMACross-001"))
	nobody := watching(t, d.Positions.ByStrategy("nobody"))
	openOnes.wait("Present P-1", "Synced")
	soon(t, "all have begun", func() bool { return len(all.text()) == 3 && len(mine.text()) == 3 && len(nobody.text()) == 1 })
	for _, w := range []*watch[trading.PositionID, trading.Position]{all, mine} {
		got := w.text()
		slices.Sort(got)
		if !slices.Equal(got, []string{"Present P-1", "Present P-2", "Synced"}) {
			t.Errorf("the beginning is %q", got)
		}
		w.got = nil
	}
	nobody.wait("Synced")

	// Another client's write, our own, and what they say of old and new.
	must(t, o.Positions.Put(ctx, position("P-3", trading.PositionSideLong)))
	all.wait("Added P-3")
	openOnes.wait("Added P-3")
	mine.wait("Added P-3")
	must(t, d.Positions.Put(ctx, position("P-3", trading.PositionSideShort)))
	c := openOnes.wait("Updated P-3")[0]
	if c.Old.Side != trading.PositionSideLong || c.New.Side != trading.PositionSideShort {
		t.Errorf("from %s to %s", c.Old.Side, c.New.Side)
	}
	all.wait("Updated P-3")
	mine.wait("Updated P-3")

	// Leaving an index is no end of the row.
	must(t, o.Positions.Put(ctx, position("P-3", trading.PositionSideFlat)))
	c = openOnes.wait("Removed P-3")[0]
	if c.Old.Side != trading.PositionSideShort || c.New.Side != trading.PositionSideFlat {
		t.Errorf("from %s to %s", c.Old.Side, c.New.Side)
	}
	all.wait("Updated P-3")
	mine.wait("Updated P-3")
	must(t, d.Positions.Delete(ctx, "P-3"))
	c = all.wait("Removed P-3")[0]
	if c.Old.Side != trading.PositionSideFlat || c.New.PositionID != "" {
		t.Errorf("from %s to a row of %q", c.Old.Side, c.New.PositionID)
	}
	mine.wait("Removed P-3")

	// A write that changes nothing is no change; then all at once.
	must(t, o.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	must(t, o.Positions.Put(ctx, position("P-4", trading.PositionSideLong)))
	openOnes.wait("Added P-4")
	all.wait("Added P-4")
	d.do(t, "FLUSHALL")
	soon(t, "all have gone", func() bool { return len(all.text()) == 3 && len(openOnes.text()) == 2 })
	for _, s := range all.text() {
		if !strings.HasPrefix(s, "Removed ") {
			t.Errorf("FLUSHALL: %s", s)
		}
	}
	if got := nobody.text(); len(got) != 0 {
		t.Errorf("of nobody's rows: %q", got)
	}
	for _, w := range []*watch[trading.PositionID, trading.Position]{all, openOnes, mine, nobody} {
		w.stop()
		if len(w.errs) != 1 || !errors.Is(w.errs[0], context.Canceled) {
			t.Errorf("errors %v, want one for the end of the context", w.errs)
		}
	}
}

// A row is told as Removed when it expires, also where Redis says nothing.
func TestWatchExpiry(t *testing.T) {
	d := openOn(t, redistest.New(t, "--enable-debug-command", "yes"), func(c *store.Config) {
		c.TTL = map[string]string{"position.closed": "200ms"}
	})
	d.do(t, "DEBUG", "SET-ACTIVE-EXPIRE", "0")
	o := d.another(t)
	w := watching(t, d.Positions.Set)
	w.wait("Synced")
	for _, by := range []*desk{d, o} {
		must(t, by.Positions.Put(t.Context(), position("P-1", trading.PositionSideFlat)))
		put := time.Now()
		w.wait("Added P-1")
		w.wait("Removed P-1")
		if late := time.Since(put); late < 190*time.Millisecond || late > 350*time.Millisecond {
			t.Errorf("told after %v", late)
		}
	}
	// A row that lives again is not told as gone.
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideFlat)))
	must(t, o.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	time.Sleep(300 * time.Millisecond)
	w.stop()
	if got := w.text(); got[len(got)-1] == "Removed P-1" {
		t.Errorf("%q, and the row lives", got)
	}
}

func TestWatchEnds(t *testing.T) {
	d := open(t)
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	// By break, at each place.
	for n := range 3 {
		for range d.Positions.Watch(t.Context()) {
			if n--; n <= 0 {
				break
			}
		}
	}
	// By the context.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var last error
	for _, err := range d.Positions.Watch(ctx) {
		last = err
	}
	if !errors.Is(last, context.DeadlineExceeded) {
		t.Errorf("the last error is %v", last)
	}
	// By Close of the store, or of a tenant.
	s, err := d.Tenant("T", "")
	must(t, err)
	tenant, own := watching(t, trading.New(s).Positions.Set), watching(t, d.Positions.Set)
	tenant.wait("Synced")
	own.wait("Present P-1", "Synced")
	must(t, s.Close(t.Context()))
	<-tenant.over
	must(t, d.Positions.Put(t.Context(), position("P-2", trading.PositionSideLong)))
	own.wait("Added P-2")
	must(t, d.Close(t.Context()))
	<-own.over
	for _, w := range []*watch[trading.PositionID, trading.Position]{tenant, own} {
		if len(w.errs) != 1 || !errors.Is(w.errs[0], store.ErrClosed) {
			t.Errorf("errors %v, want ErrClosed", w.errs)
		}
	}
	for _, err := range d.Positions.Watch(t.Context()) {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("Watch of a closed store: %v", err)
		}
	}
}

func TestWatchUnsupported(t *testing.T) {
	d := open(t, func(c *store.Config) { c.Cache = "off" })
	n := 0
	for _, err := range d.Positions.Watch(t.Context()) {
		if n++; !errors.Is(err, store.ErrUnsupported) || !strings.Contains(err.Error(), "configuration") {
			t.Errorf("without a cache: %v", err)
		}
	}
	d = open(t)
	must(t, d.Commit(t.Context(), func(tx *store.Tx) error {
		for _, err := range trading.New(tx).Positions.Watch(t.Context()) {
			if n++; !errors.Is(err, store.ErrUnsupported) {
				t.Errorf("in a Commit: %v", err)
			}
		}
		return nil
	}))
	if n != 2 {
		t.Errorf("%d errors, want 2", n)
	}
}

// A row that cannot be read is one error, and what was told of it stands.
func TestWatchCorruptRow(t *testing.T) {
	d := open(t)
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	w := watching(t, d.Positions.Set)
	w.wait("Present P-1", "Synced")
	d.do(t, "SET", "trader-position:P-1", "rubbish")
	soon(t, "the error", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.errs) > 0 })
	if re, ok := errors.AsType[*store.RowError](w.errs[0]); !ok || re.ID != "P-1" {
		t.Errorf("%v", w.errs[0])
	}
	d.change(t, trading.PositionSideShort)
	if c := w.wait("Updated P-1")[0]; c.Old.Side != trading.PositionSideLong {
		t.Errorf("from %s", c.Old.Side)
	}
}
