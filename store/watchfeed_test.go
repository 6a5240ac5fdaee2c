package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
)

// However a connection is lost, the final state is told.
func TestWatchSurvivesLostConnections(t *testing.T) {
	for name, lose := range map[string]func(d *desk, p *faultproxy.Proxy) (restore func()){
		"killed": func(d *desk, p *faultproxy.Proxy) func() {
			d.do(t, "CLIENT", "KILL", "TYPE", "normal")
			return func() {}
		},
		"cut": func(d *desk, p *faultproxy.Proxy) func() { p.Cut(); return func() {} },
		"refused": func(d *desk, p *faultproxy.Proxy) func() {
			p.Refuse(true)
			p.Cut()
			return func() { p.Refuse(false) }
		},
		"frozen": func(d *desk, p *faultproxy.Proxy) func() { p.Freeze(); return p.Thaw },
		"frozen until it is given up": func(d *desk, p *faultproxy.Proxy) func() {
			p.Freeze()
			return func() { p.Cut(); p.Thaw() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, p := behind(t, 200*time.Millisecond)
			direct := openOn(t, d.srv)
			must(t, d.Positions.Put(t.Context(), position("P-2", trading.PositionSideLong)))
			must(t, d.Positions.Put(t.Context(), position("P-3", trading.PositionSideLong)))
			w := watching(t, d.Positions.Open())
			soon(t, "it has begun", func() bool { return slices.Contains(w.text(), "Synced") })
			w.mu.Lock()
			w.got = nil
			w.mu.Unlock()
			restore := lose(d, p)
			for _, write := range []func() error{
				func() error { return direct.Positions.Delete(t.Context(), "P-1") },
				func() error { return direct.Positions.Put(t.Context(), position("P-2", trading.PositionSideShort)) },
				func() error { return direct.Positions.Put(t.Context(), position("P-3", trading.PositionSideFlat)) },
				func() error { return direct.Positions.Put(t.Context(), position("P-4", trading.PositionSideLong)) },
			} {
				soon(t, "the write", func() bool { return write() == nil }) // this connection may be killed as well
			}
			restore()
			soon(t, "all is told", func() bool { return len(w.text()) >= 4 })
			got := w.text()
			slices.Sort(got)
			if !slices.Equal(got, []string{"Added P-4", "Removed P-1", "Removed P-3", "Updated P-2"}) {
				t.Errorf("%q", got)
			}
		})
	}
}

// From the acknowledgement of a foreign write to the loop, 19 of 20 within 5 ms.
func TestWatchDelay(t *testing.T) {
	const n = 400
	d := open(t)
	raw, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{d.srv.Addr()}, DisableCache: true, ForceSingleClient: true})
	must(t, err)
	defer raw.Close()
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan time.Time)
	var loop sync.WaitGroup
	defer loop.Wait()
	defer cancel()
	loop.Go(func() {
		for c := range d.Currencies.Watch(ctx) {
			if now := time.Now(); c.Kind != store.Present && ctx.Err() == nil {
				told <- now
			}
		}
	})
	<-told // Synced
	var delays []time.Duration
	for i := range n {
		c := currency(i%10, int64(i+1))
		b, err := c.MarshalMsg(nil)
		must(t, err)
		must(t, raw.Do(ctx, raw.B().Set().Key("trader-currency:"+string(c.CurrencyCode)).Value(string(b)).Build()).Error())
		acked := time.Now()
		delays = append(delays, (<-told).Sub(acked))
	}
	slices.Sort(delays)
	t.Logf("p50 %v, p95 %v, p99 %v", delays[n/2], delays[n*95/100], delays[n*99/100])
	if p95 := delays[n*95/100]; p95 > 5*time.Millisecond {
		t.Errorf("p95 is %v, want 5 ms or less", p95)
	}
}

// Watchers of one table share the reading of its rows.
func TestWatchersShareAFeed(t *testing.T) {
	d := open(t)
	const n = 20
	var ws []*watch[trading.CurrencyCode, trading.Currency]
	for range n {
		ws = append(ws, watching(t, d.Currencies.Set))
	}
	for _, w := range ws {
		w.wait("Synced")
	}
	gets := func() (n int64) {
		for _, name := range []string{"get", "mget"} {
			_, rest, _ := strings.Cut(d.do(t, "INFO", "commandstats"), "cmdstat_"+name+":calls=")
			var calls int64
			_, _ = fmt.Sscanf(rest, "%d", &calls)
			n += calls
		}
		return n
	}
	before := gets()
	for v := range 50 {
		c := currency(1, int64(v+1))
		b, err := c.MarshalMsg(nil)
		must(t, err)
		d.do(t, "SET", "trader-currency:"+string(codes[1]), string(b))
		for _, w := range ws {
			w.wait([]string{"Updated " + string(codes[1]), "Added " + string(codes[1])}[min(1, max(0, 1-v))])
		}
	}
	if reads := gets() - before; reads > 2*50 {
		t.Errorf("%d reads for 50 changes and %d watchers", reads, n)
	}
}

// A loop that takes its time is told each row once, as it is in the end.
func TestWatchSlowLoop(t *testing.T) {
	d := open(t)
	must(t, d.Currencies.PutMany(t.Context(), func(yield func(trading.Currency) bool) {
		for k := range 1500 {
			if !yield(currency(k, 1)) {
				return
			}
		}
	}))
	rows := map[trading.CurrencyCode]int64{}
	updates := 0
	for c, err := range d.Currencies.Watch(t.Context()) {
		must(t, err)
		switch c.Kind {
		case store.Synced:
			if len(rows) != 1500 {
				t.Fatalf("%d rows at the beginning, want 1,500", len(rows))
			}
			for v := range 200 {
				must(t, d.Currencies.Put(t.Context(), currency(7, int64(v+2))))
			}
		case store.Updated:
			updates++
		}
		if c.Kind != store.Synced {
			rows[c.ID] = c.New.Precision
		}
		if rows[codes[7]] == 201 {
			break
		}
	}
	if updates > 3 {
		t.Errorf("%d updates were told of one row while the loop did not ask", updates)
	}
}
