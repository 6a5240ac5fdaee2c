package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// behind opens a store behind a proxy, with a row in its cache.
func behind(t *testing.T, maxAge time.Duration) (*desk, *faultproxy.Proxy) {
	t.Helper()
	srv := redistest.New(t)
	p := faultproxy.Run(t, srv.Addr())
	d := openOn(t, srv, func(c *store.Config) { c.Database.Port, c.MaxAge = p.Port(), maxAge })
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	near(t, d, "P-1")
	return d, p
}

// change writes another side into the row, past the store.
func (d *desk) change(t testing.TB, side trading.PositionSide) {
	t.Helper()
	p := position("P-1", side)
	raw, err := p.MarshalMsg(nil)
	must(t, err)
	d.do(t, "SET", "trader-position:P-1", string(raw))
}

func (d *desk) sees(t testing.TB, side trading.PositionSide) {
	t.Helper()
	soon(t, "the new row", func() bool {
		p, err := d.Positions.Get(t.Context(), "P-1")
		return err == nil && p.Side == side
	})
	near(t, d, "P-1") // and is cached again
}

func TestLostConnections(t *testing.T) {
	for name, lose := range map[string]func(d *desk, p *faultproxy.Proxy) (restore func()){
		"killed": func(d *desk, p *faultproxy.Proxy) func() {
			d.do(t, "CLIENT", "KILL", "TYPE", "normal")
			return func() {}
		},
		"cut": func(d *desk, p *faultproxy.Proxy) func() { p.Cut(); return func() {} },
		"cut, and refused for a while": func(d *desk, p *faultproxy.Proxy) func() {
			p.Refuse(true)
			p.Cut()
			return func() { p.Refuse(false) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, p := behind(t, time.Minute) // no sign of life is due: only the loss itself may tell
			restore := lose(d, p)
			d.change(t, trading.PositionSideShort) // nobody can be told
			soon(t, "the loss is noticed", func() bool { _, ok := d.Positions.Peek("P-1"); return !ok })
			restore()
			d.sees(t, trading.PositionSideShort)
			if st := d.Stats(); st.Reconnects == 0 || st.Cache.Losses == 0 {
				t.Errorf("not counted: %+v", st)
			}
			d.change(t, trading.PositionSideLong) // and the new connection tells
			d.sees(t, trading.PositionSideLong)
		})
	}
}

// A silent link: hits end after MaxAge, and not much before.
func TestFrozenLink(t *testing.T) {
	const maxAge = 300 * time.Millisecond
	for _, dirs := range [][]faultproxy.Direction{nil, {faultproxy.Up}, {faultproxy.Down}} {
		d, p := behind(t, maxAge)
		p.Freeze(dirs...)
		frozen := time.Now()
		d.change(t, trading.PositionSideShort)
		written := time.Now()
		var last time.Time
		for time.Since(frozen) < 2*maxAge {
			began := time.Now()
			row, ok := d.Positions.Peek("P-1")
			if ok && row.Side == trading.PositionSideLong {
				last = began
			}
			time.Sleep(time.Millisecond)
		}
		if late := last.Sub(written); late > maxAge {
			t.Errorf("%v: the old row was a hit %v after the new one was written, with a MaxAge of %v", dirs, late, maxAge)
		}
		told := len(dirs) == 1 && dirs[0] == faultproxy.Up // the push still comes down
		if early := last.Sub(frozen); early < maxAge/2 && !told {
			t.Errorf("%v: hits ended after %v already", dirs, early)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if _, err := d.Positions.Get(ctx, "P-1"); !errors.Is(err, store.ErrUnavailable) {
			t.Errorf("%v: Get over a frozen link: %v", dirs, err)
		}
		cancel()
		p.Thaw()
		d.sees(t, trading.PositionSideShort)
	}
}

func TestServerRestart(t *testing.T) {
	for _, persistent := range []bool{true, false} {
		d := openOn(t, redistest.Run(t, redistest.Options{InMemory: !persistent}))
		must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
		near(t, d, "P-1")
		must(t, d.srv.Restart())
		soon(t, "the loss is noticed", func() bool { _, ok := d.Positions.Peek("P-1"); return !ok })
		soon(t, "what is left is seen", func() bool {
			_, err := d.Positions.Get(t.Context(), "P-1")
			return persistent && err == nil || !persistent && errors.Is(err, store.ErrNotFound)
		})
	}
}

// A master that becomes a replica answers reads for ever; its heartbeat ends
// the hits.
func TestDemotedMaster(t *testing.T) {
	d := open(t, func(c *store.Config) { c.MaxAge = 500 * time.Millisecond })
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	near(t, d, "P-1")
	d.do(t, "REPLICAOF", "127.0.0.1", "1") // whom it will not find: its data stay
	soon(t, "hits end", func() bool { _, ok := d.Positions.Peek("P-1"); return !ok })
	for range 100 {
		if _, err := d.Positions.Get(t.Context(), "P-1"); err != nil {
			t.Fatal(err)
		}
		if _, ok := d.Positions.Peek("P-1"); ok {
			t.Fatal("a row of a replica is a hit")
		}
	}
	if err := d.Health(t.Context()); err == nil || !strings.Contains(err.Error(), "master") {
		t.Errorf("Health: %v", err)
	}
	d.do(t, "REPLICAOF", "NO", "ONE")
	soon(t, "hits are back", func() bool {
		get(t, d, "P-1")
		_, ok := d.Positions.Peek("P-1")
		return ok
	})
}

// A row that expires, is renamed over, copied over or restored is a change like
// any other.
func TestRawChanges(t *testing.T) {
	d := open(t)
	for _, cmd := range [][]string{
		{"PEXPIRE", "trader-position:P-1", "1"},
		{"RENAME", "trader-position:P-1", "elsewhere"},
		{"COPY", "trader-position:P-2", "trader-position:P-1", "REPLACE"},
		{"GETDEL", "trader-position:P-1"},
		{"FLUSHDB"},
		{"EVAL", "redis.call('DEL', KEYS[1])", "1", "trader-position:P-1"},
	} {
		must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
		must(t, d.Positions.Put(t.Context(), position("P-2", trading.PositionSideShort)))
		near(t, d, "P-1")
		d.do(t, cmd...)
		soon(t, strings.Join(cmd, " "), func() bool {
			_, err := d.Positions.Get(t.Context(), "P-1")
			return err != nil // gone, or the row of another id
		})
	}
}
