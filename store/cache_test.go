package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// soon waits for a condition that must come true within a second or two.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Microsecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("not within 3 s: %s", what)
}

// another opens a second store on the same server.
func (d *desk) another(t testing.TB, change ...func(*store.Config)) *desk {
	t.Helper()
	return openOn(t, d.srv, append([]func(*store.Config){func(c *store.Config) {
		c.TraderID, c.MaxAge, c.TTL = d.cfg.TraderID, d.cfg.MaxAge, d.cfg.TTL
	}}, change...)...)
}

func get(t testing.TB, d *desk, id trading.PositionID, opts ...store.ReadOption) trading.Position {
	t.Helper()
	p, err := d.Positions.Get(t.Context(), id, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// near reads a row until it is in the cache: the push of a write just before
// may still be under way.
func near(t testing.TB, d *desk, id trading.PositionID) {
	t.Helper()
	soon(t, "the row is near", func() bool {
		get(t, d, id)
		_, ok := d.Positions.Peek(id)
		return ok
	})
}

// hits is what f adds to the counters of the cache.
func hits(d *desk, f func()) (hits, misses int64) {
	was := d.Stats().Cache
	f()
	is := d.Stats().Cache
	return is.Hits - was.Hits, is.Misses - was.Misses
}

func wantHits(t testing.TB, d *desk, hit, miss int64, f func()) {
	t.Helper()
	if h, m := hits(d, f); h != hit || m != miss {
		t.Errorf("%d hits and %d misses, want %d and %d", h, m, hit, miss)
	}
}

func TestHits(t *testing.T) {
	a := open(t)
	b := a.another(t)
	p := position("P-1", trading.PositionSideLong)
	p.Commissions = map[string]decimal.Decimal{"USDT": dec("1.0")}
	must(t, a.Positions.Put(t.Context(), p))

	// The writer has its row near, as Redis has it, and shares nothing with
	// what was passed in.
	p.Commissions["USDT"] = dec("2.0")
	var got trading.Position
	wantHits(t, a, 1, 0, func() { got = get(t, a, "P-1") })
	p.Commissions["USDT"] = dec("1.0")
	if d := cmp.Diff(get(t, a, "P-1", store.Strong), got, cmp.Comparer(decimal.Decimal.Equal)); d != "" {
		t.Errorf("the cache and Redis differ (-redis +cache):\n%s", d)
	}
	// A reader has it from the second time on.
	near(t, b, "P-1")
	wantHits(t, b, 2, 0, func() { get(t, b, "P-1"); get(t, b, "P-1") })
	// A foreign write takes it away.
	p.Side = trading.PositionSideShort
	must(t, a.Positions.Put(t.Context(), p))
	soon(t, "the reader sees the new row", func() bool { return get(t, b, "P-1").Side == trading.PositionSideShort })
	// So does any other client's.
	raw := a.do(t, "GET", "trader-position:P-1")
	a.do(t, "SET", "trader-position:P-1", strings.Replace(raw, "SHORT", "LONG!", 1))
	soon(t, "both see the raw row", func() bool { return get(t, a, "P-1").Side == "LONG!" && get(t, b, "P-1").Side == "LONG!" })
	a.do(t, "DEL", "trader-position:P-1")
	soon(t, "both see that it is gone", func() bool {
		_, err1 := a.Positions.Get(t.Context(), "P-1")
		_, err2 := b.Positions.Get(t.Context(), "P-1")
		return errors.Is(err1, store.ErrNotFound) && errors.Is(err2, store.ErrNotFound)
	})
}

// Every way to write leaves the store with its own row and others without the
// old one.
func TestEveryWriteIsSeen(t *testing.T) {
	a := open(t)
	b := a.another(t)
	ctx := t.Context()
	side := trading.PositionSideLong
	flip := func() trading.Position {
		if side == trading.PositionSideLong {
			side = trading.PositionSideShort
		} else {
			side = trading.PositionSideLong
		}
		return position("P-1", side)
	}
	for name, write := range map[string]func() error{
		"Put": func() error { return a.Positions.Put(ctx, flip()) },
		"PutMany": func() error {
			return a.Positions.PutMany(ctx, func(yield func(trading.Position) bool) { yield(flip()) })
		},
		"Append": func() error {
			return a.Positions.AppendFills(ctx, flip(), event(fmt.Sprint(time.Now().UnixNano()), trading.OrderEventTypeFilled, trading.OrderStatusFilled))
		},
		"Update": func() error {
			_, err := a.Positions.Update(ctx, "P-1", func(p *trading.Position) error { p.Side = flip().Side; return nil })
			return err
		},
		"Commit": func() error {
			p := flip()
			return a.Commit(ctx, func(tx *store.Tx) error {
				in := trading.New(tx)
				if _, err := in.Positions.Get(ctx, "P-1"); err != nil {
					return err
				}
				old := p
				old.Side = trading.PositionSideFlat
				return errors.Join(in.Positions.Put(ctx, old), in.Positions.Put(ctx, p))
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, a.Positions.Put(ctx, flip()))
			get(t, a, "P-1")
			get(t, b, "P-1")
			must(t, write())
			if got := get(t, a, "P-1").Side; got != side {
				t.Errorf("the writer reads %s, want %s", got, side)
			}
			soon(t, "the other sees it", func() bool { return get(t, b, "P-1").Side == side })
		})
	}
	must(t, a.Positions.Delete(ctx, "P-1"))
	if p, err := a.Positions.Get(ctx, "P-1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a deleted row is read: %v %v", p.PositionID, err)
	}
	must(t, a.Positions.Put(ctx, flip()))
	get(t, a, "P-1")
	must(t, a.Purge(ctx))
	if p, err := a.Positions.Get(ctx, "P-1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a purged row is read: %v %v", p.PositionID, err)
	}
}

// What Update's function does to its row shows nowhere unless it is stored.
func TestUpdateWorksOnItsOwnRow(t *testing.T) {
	d := open(t)
	p := position("P-1", trading.PositionSideLong)
	p.Commissions = map[string]decimal.Decimal{"USDT": dec("1")}
	must(t, d.Positions.Put(t.Context(), p))
	get(t, d, "P-1")
	no := errors.New("no")
	if _, err := d.Positions.Update(t.Context(), "P-1", func(p *trading.Position) error {
		p.Commissions["USDT"] = dec("7")
		return no
	}); err != no {
		t.Fatal(err)
	}
	if got := get(t, d, "P-1").Commissions["USDT"]; !got.Equal(dec("1")) {
		t.Errorf("the row has %s, want 1", got)
	}
}

func TestReadOptions(t *testing.T) {
	d := open(t, func(c *store.Config) { c.MaxAge = time.Second })
	if _, ok := d.Positions.Peek("P-1"); ok {
		t.Error("Peek of a row that nobody read")
	}
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	if _, ok := d.Positions.Peek("P-1"); !ok {
		t.Error("Peek does not see what was put")
	}
	wantHits(t, d, 0, 0, func() { get(t, d, "P-1", store.Strong) })
	wantHits(t, d, 0, 1, func() { get(t, d, "P-1", store.MaxAge(time.Nanosecond)) })
	wantHits(t, d, 1, 0, func() { get(t, d, "P-1", store.MaxAge(time.Hour)) })
	wantHits(t, d, 1, 0, func() { get(t, d, "P-1") })
}

func TestGetManyFillsAndHits(t *testing.T) {
	a := open(t)
	b := a.another(t)
	var ids []trading.PositionID
	for i := range 300 {
		p := position(fmt.Sprint("P-", i), trading.PositionSideLong)
		ids = append(ids, p.PositionID)
		must(t, a.Positions.Put(t.Context(), p))
	}
	ids = append(ids, "none", "P-0")
	read := func(d *desk) {
		t.Helper()
		n := 0
		for p, err := range d.Positions.GetMany(t.Context(), ids...) {
			want := ids[n]
			if n++; want == "none" {
				if !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s: %v", want, err)
				}
			} else if err != nil || p.PositionID != want {
				t.Fatalf("%s instead of %s (%v)", p.PositionID, want, err)
			}
		}
		if n != len(ids) {
			t.Errorf("%d rows, want %d", n, len(ids))
		}
	}
	near(t, b, "P-299")                        // all pushes of the writes are through
	wantHits(t, b, 2, 300, func() { read(b) }) // P-299, and the second P-0, in a later part
	wantHits(t, b, 301, 1, func() { read(b) })
	a.do(t, "FLUSHALL")
	soon(t, "all is forgotten", func() bool {
		_, err := b.Positions.Get(t.Context(), "P-7")
		return errors.Is(err, store.ErrNotFound)
	})
}

// A row is gone at the end of its time, whether or not Redis has told.
func TestExpiryWithoutPush(t *testing.T) {
	a := openOn(t, redistest.New(t, "--enable-debug-command", "yes"), func(c *store.Config) {
		c.TTL = map[string]string{"position.closed": "300ms"}
	})
	b := a.another(t)
	// A server that deletes nothing by itself sends no push.
	a.do(t, "DEBUG", "SET-ACTIVE-EXPIRE", "0")
	must(t, a.Positions.Put(t.Context(), position("P-1", trading.PositionSideFlat)))
	put := time.Now()
	near(t, a, "P-1")
	near(t, b, "P-1")
	time.Sleep(time.Until(put.Add(320 * time.Millisecond)))
	for _, d := range []*desk{a, b} { // both before the first Get, which makes Redis tell
		if _, ok := d.Positions.Peek("P-1"); ok {
			t.Error("an expired row is a hit")
		}
	}
	for _, d := range []*desk{a, b} {
		if _, err := d.Positions.Get(t.Context(), "P-1"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("Get: %v", err)
		}
	}
}

func TestHitAllocatesNothing(t *testing.T) {
	d := open(t)
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	ctx, id := t.Context(), trading.PositionID("P-1")
	get(t, d, id)
	for name, f := range map[string]func(){
		"Get":    func() { _, _ = d.Positions.Get(ctx, id) },
		"Peek":   func() { _, _ = d.Positions.Peek(id) },
		"MaxAge": func() { _, _ = d.Positions.Get(ctx, id, store.MaxAge(time.Minute)) },
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if d.Stats().Cache.Hits < 3000 {
		t.Error("these were no hits")
	}
}
