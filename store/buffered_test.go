package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// buffering opens a store whose buffer sends nothing by itself for so long.
func buffering(interval time.Duration, change ...func(*store.Config)) func(*store.Config) {
	return func(c *store.Config) {
		c.BufferIntervalMS = int(interval.Milliseconds())
		for _, f := range change {
			f(c)
		}
	}
}

// What is accepted is seen by the store itself, and by others when it is
// flushed.
func TestBufferedReadsItsWrites(t *testing.T) {
	for _, cached := range []string{"on", "off"} {
		t.Run("cache "+cached, func(t *testing.T) {
			d, ctx := open(t, buffering(time.Hour), func(c *store.Config) { c.Cache = cached }), t.Context()
			long, flat := position("P-1", trading.PositionSideLong), position("P-1", trading.PositionSideFlat)
			must(t, d.Positions.Put(ctx, long))
			d.want(t, "0", "EXISTS", "trader-position:P-1")
			if !d.Positions.Pending("P-1") || d.Positions.Pending("P-2") {
				t.Error("Pending is wrong")
			}
			if p, err := d.Positions.Get(ctx, "P-1"); err != nil || p.Side != trading.PositionSideLong {
				t.Errorf("Get of a pending row: %v, %v", p.Side, err)
			}
			must(t, d.Positions.Put(ctx, flat))
			if p, ok := d.Positions.Peek("P-1"); !ok || p.Side != trading.PositionSideFlat {
				t.Errorf("Peek at a pending row: %v, %v", p.Side, ok)
			}
			must(t, d.Flush(ctx))
			d.want(t, "1", "EXISTS", "trader-position:P-1")
			d.wantTTL(t, "trader-position:P-1", week)
			if d.Positions.Pending("P-1") {
				t.Error("pending after a Flush")
			}
			must(t, d.Positions.Delete(ctx, "P-1"))
			must(t, d.Positions.Put(ctx, position("P-2", trading.PositionSideLong)))
			if _, err := d.Positions.Get(ctx, "P-1"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Get of a row that will be deleted: %v", err)
			}
			var many []string
			for p, err := range d.Positions.GetMany(ctx, "P-2", "P-1", "P-3", "P-2") {
				if errors.Is(err, store.ErrNotFound) {
					many = append(many, "-")
				} else if must(t, err); err == nil {
					many = append(many, string(p.PositionID))
				}
			}
			if !slices.Equal(many, []string{"P-2", "-", "-", "P-2"}) {
				t.Errorf("GetMany: %q", many)
			}
			d.want(t, "1", "EXISTS", "trader-position:P-1")
			if _, err := d.Positions.Get(ctx, "P-1", store.Strong); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("strong Get of a row that will be deleted: %v", err)
			}
			d.want(t, "0", "EXISTS", "trader-position:P-1")
			d.want(t, "0", "EXISTS", "trader-position:P-2") // of another key
			if st := d.Stats().Buffer; st.Accepted != 4 || st.Coalesced != 1 || st.Entries != 1 {
				t.Errorf("%+v", st)
			}
		})
	}
}

// Operations that go to Redis send first what is pending of their keys; those
// that look at many rows, everything of the tenant.
func TestDirectOperationsFlushTheirKeys(t *testing.T) {
	d, ctx := open(t, buffering(time.Hour)), t.Context()
	other, err := d.Tenant("T-2", "")
	must(t, err)
	pending := func(do func() error, keys ...string) {
		t.Helper()
		must(t, do())
		for _, k := range keys {
			d.want(t, "1", "EXISTS", k)
		}
	}
	must(t, trading.New(other).Positions.Put(ctx, position("P-9", trading.PositionSideLong)))
	must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusSubmitted), 1), filled("E-1")))
	must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusAccepted), 2), filled("E-2")))
	must(t, d.Accounts.Put(ctx, trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeCash}))
	must(t, d.Accounts.Balances("A-1").Put(ctx, "USDT", trading.Balance{Currency: "USDT"}))
	must(t, d.QuoteTicks.Append(ctx, "X.Y", trading.QuoteTick{BidPrice: dec("1")}))
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	d.want(t, "0", "EXISTS", "trader-order:O-1", "trader-account:A-1", "trader-quote_tick:X.Y", "trader-position:P-1")

	pending(func() error {
		if n, err := d.Orders.Events("O-1").Len(ctx); n != 2 || err != nil {
			t.Errorf("%d events, %v", n, err)
		}
		return nil
	}, "trader-order:O-1")
	pending(func() error {
		_, err := d.Accounts.Balances("A-1").Get(ctx, "USDT")
		return err
	}, "trader-account:A-1")
	if ticks := all(t, d.QuoteTicks.All(ctx, "X.Y")); len(ticks) != 1 {
		t.Errorf("%d ticks", len(ticks))
	}
	must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusFilled), 3), filled("E-3")))
	must(t, d.Commit(ctx, func(tx *store.Tx) error {
		tt := trading.New(tx)
		o, err := tt.Orders.Get(ctx, "O-1")
		must(t, err)
		if o.Status != trading.OrderStatusFilled {
			t.Errorf("the Commit read %s", o.Status)
		}
		return tt.Positions.Put(ctx, position("P-1", trading.PositionSideFlat)) // blind, and behind the pending LONG
	}))
	if p, err := d.Positions.Get(ctx, "P-1"); err != nil || p.Side != trading.PositionSideFlat {
		t.Errorf("after the Commit: %v, %v", p.Side, err)
	}
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideShort)))
	if _, err := d.Positions.Update(ctx, "P-1", func(p *trading.Position) error {
		if p.Side != trading.PositionSideShort {
			t.Errorf("the Update read %s", p.Side)
		}
		p.Side = trading.PositionSideLong
		return nil
	}); err != nil {
		t.Error(err)
	}
	must(t, d.Positions.Put(ctx, position("P-2", trading.PositionSideLong)))
	if n := count(t, d.Positions.Open()); n != 2 {
		t.Errorf("%d open positions, want 2: one was just accepted", n)
	}
	d.want(t, "0", "EXISTS", "trader-T-2-position:P-9")
	must(t, other.Flush(ctx))
	d.want(t, "1", "EXISTS", "trader-T-2-position:P-9")
	must(t, d.Positions.Put(ctx, position("P-3", trading.PositionSideLong)))
	must(t, d.Purge(ctx))
	if n := count(t, d.Positions.Set); n != 0 {
		t.Errorf("%d rows after a Purge", n)
	}
}

// The interval is what a write waits at most, and what comes meanwhile goes
// with it.
func TestBufferedInterval(t *testing.T) {
	d, ctx := open(t, buffering(50*time.Millisecond)), t.Context()
	start := time.Now()
	for i := range 1000 {
		must(t, d.Positions.Put(ctx, position(fmt.Sprint("P-", i%20), trading.PositionSideLong)))
	}
	for d.Positions.Pending("P-0") {
		time.Sleep(time.Millisecond)
		if time.Since(start) > 5*time.Second {
			t.Fatal("nothing is sent")
		}
	}
	if st := d.Stats().Buffer; st.Acked > 200 || st.Accepted != 1000 {
		t.Errorf("%+v", st)
	}
}

// A permanent failure is told and returned by the next Flush, and concerns
// nobody else.
func TestBufferedFailures(t *testing.T) {
	var mu sync.Mutex
	var told []error
	d, ctx := open(t, buffering(time.Millisecond), func(c *store.Config) {
		c.OnError = func(err error) { mu.Lock(); told = append(told, err); mu.Unlock() }
	}), t.Context()
	d.do(t, "HSET", "trader-instrument:X.Y", "a", "b")
	must(t, d.Instruments.Put(ctx, trading.Instrument{InstrumentID: "X.Y"}))
	must(t, d.Accounts.Balances("A-none").Put(ctx, "USDT", trading.Balance{Currency: "USDT"}))
	must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusFilled), 5), filled("E-1")))
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	err := d.Flush(ctx)
	for class, id := range map[error]string{store.ErrRefused: "X.Y", store.ErrNotFound: "A-none", store.ErrConflict: "O-1"} {
		if !errors.Is(err, class) || !strings.Contains(err.Error(), id) {
			t.Errorf("Flush: %v, want %v of %s", err, class, id)
		}
	}
	must(t, d.Flush(ctx))
	d.want(t, "1", "EXISTS", "trader-position:P-1")
	if err := d.Positions.Put(ctx, position("", trading.PositionSideLong)); !errors.Is(err, store.ErrRefused) {
		t.Errorf("Put of a row without an id: %v", err) // at once
	}
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 3 {
		t.Errorf("told %v", told)
	}
}

// The policies of a full buffer, with a server that does not answer.
func TestBufferFull(t *testing.T) {
	for policy, want := range map[string]error{"fail": store.ErrBufferFull, "block": store.ErrBufferFull, "sync": store.ErrUnknownOutcome} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			srv := redistest.New(t)
			d, ctx := openOn(t, srv, buffering(time.Hour, func(c *store.Config) {
				c.BufferEntries, c.BufferFull, c.MaxBlock = 10, policy, 100*time.Millisecond
			})), t.Context()
			must(t, d.Positions.Put(ctx, position("P-0", trading.PositionSideLong)))
			must(t, d.Flush(ctx))
			must(t, srv.Pause())
			for i := range 10 {
				must(t, d.Positions.Put(ctx, position(fmt.Sprint("P-", i), trading.PositionSideLong)))
			}
			short, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
			defer cancel()
			start := time.Now()
			err := d.Positions.Put(short, position("P-new", trading.PositionSideLong))
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			if took := time.Since(start); policy == "block" && took < 100*time.Millisecond || policy == "fail" && took > 50*time.Millisecond {
				t.Errorf("it took %v", took)
			}
			must(t, srv.Resume())
			must(t, d.Flush(ctx))
			if n := count(t, d.Positions.Open()); n < 10 {
				t.Errorf("%d positions", n)
			}
		})
	}
}

// Close drains, and where it cannot it names what is left and what became of
// it.
func TestBufferedClose(t *testing.T) {
	srv := redistest.New(t)
	proxy := faultproxy.Run(t, srv.Addr())
	d, ctx := openOn(t, srv, buffering(time.Hour)), t.Context()
	for i := range 500 {
		must(t, d.Positions.Put(ctx, position(fmt.Sprint("P-", i), trading.PositionSideLong)))
	}
	must(t, d.Close(ctx))
	d.want(t, "500", "ZCARD", "trader-position.open")
	if err := d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Put after Close: %v", err)
	}
	if _, err := d.Positions.Get(ctx, "P-1"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Get after Close: %v", err)
	}

	told := make(chan error, 100)
	d = openOn(t, srv, buffering(time.Hour, func(c *store.Config) {
		c.Database.Port, c.OnError = proxy.Port(), func(err error) { told <- err }
	}))
	proxy.Refuse(true)
	proxy.Cut()
	for i := range 3 {
		must(t, d.Orders.AppendEvents(ctx, order(fmt.Sprint("O-", i), trading.OrderStatusFilled), filled("E-1")))
	}
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := d.Close(short)
	if took := time.Since(start); took > 700*time.Millisecond {
		t.Errorf("Close took %v", took)
	}
	for i := range 3 {
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint("O-", i)) {
			t.Errorf("Close names no O-%d: %v", i, err)
		}
	}
	if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrUnknownOutcome) {
		t.Errorf("Close: %v", err)
	}
	if len(told) != 3 {
		t.Errorf("%d errors were told", len(told))
	}
}

// The barrier of one tenant does not wait for another one, and an operation
// with a background context ends though nothing drains.
func TestBufferedOperationsEnd(t *testing.T) {
	srv := redistest.New(t)
	proxy := faultproxy.Run(t, srv.Addr())
	d := openOn(t, srv, buffering(time.Millisecond, func(c *store.Config) { c.Database.Port = proxy.Port() }))
	proxy.Refuse(true)
	proxy.Cut()
	ctx := context.Background()
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	start := time.Now()
	var wg sync.WaitGroup
	for name, do := range map[string]func() error{
		"Count": func() error { _, err := d.Positions.Count(ctx); return err },
		"Update": func() error {
			_, err := d.Positions.Update(ctx, "P-1", func(*trading.Position) error { return nil })
			return err
		},
		"Len":    func() error { _, err := d.Positions.Fills("P-1").Len(ctx); return err },
		"Health": func() error { time.Sleep(1500 * time.Millisecond); return d.Health(ctx) },
	} {
		wg.Go(func() {
			if err := do(); !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	wg.Wait()
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	if err := d.Flush(short); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), `"P-1"`) {
		t.Errorf("Flush: %v", err)
	}
	proxy.Refuse(false)
	must(t, d.Flush(ctx))
	d.want(t, "1", "EXISTS", "trader-position:P-1")
}
