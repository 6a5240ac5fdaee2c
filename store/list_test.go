package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

func counted(o trading.Order, n int64) trading.Order {
	o.EventCount = store.Some(n)
	return o
}

// An append that is repeated writes nothing at all: a late retry of the first
// event must not take a filled order back to submitted.
func TestAppendIsIdempotent(t *testing.T) {
	d, ctx := open(t), t.Context()
	submitted, filled := order("O-1", trading.OrderStatusSubmitted), order("O-1", trading.OrderStatusFilled)
	first := event("E-1", trading.OrderEventTypeSubmitted, trading.OrderStatusSubmitted)
	must(t, d.Orders.AppendEvents(ctx, counted(submitted, 1), first))
	must(t, d.Orders.AppendEvents(ctx, counted(filled, 2), event("E-2", trading.OrderEventTypeFilled, trading.OrderStatusFilled)))
	resent := first
	resent.TsInit += 5 // an exchange re-delivers with another receive time
	must(t, d.Orders.AppendEvents(ctx, counted(submitted, 1), resent))
	got, err := d.Orders.Get(ctx, "O-1")
	must(t, err)
	if got.Status != trading.OrderStatusFilled || got.EventCount.Value != 2 {
		t.Errorf("status %s with %d events after a repeated append", got.Status, got.EventCount.Value)
	}
	events := all(t, d.Orders.Events("O-1").All(ctx))
	if len(events) != 2 || events[0].EventID != "E-1" || events[0].TsInit != first.TsInit || events[1].EventID != "E-2" {
		t.Errorf("events: %v", events)
	}
	if last := all(t, d.Orders.Events("O-1").Last(ctx, 1)); len(last) != 1 || last[0].EventID != "E-2" {
		t.Errorf("last: %v", last)
	}
	if n, err := d.Orders.Events("O-1").Len(ctx); n != 2 || err != nil {
		t.Errorf("Len = %d, %v", n, err)
	}
	d.wantTTL(t, "trader-order.events:O-1", week)
}

func TestAppendChecksTheLength(t *testing.T) {
	d, ctx := open(t), t.Context()
	o := order("O-1", trading.OrderStatusAccepted)
	must(t, d.Orders.AppendEvents(ctx, counted(o, 1), event("E-1", trading.OrderEventTypeAccepted, o.Status)))
	// Another writer that has not seen E-1 expects an empty list.
	err := d.Orders.AppendEvents(ctx, counted(o, 1), event("E-9", trading.OrderEventTypeCanceled, trading.OrderStatusCanceled))
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("append to a list that has grown: %v", err)
	}
	if n, _ := d.Orders.Events("O-1").Len(ctx); n != 1 {
		t.Errorf("%d events after a conflict, want 1", n)
	}
	// Without a count, nothing is expected.
	must(t, d.Orders.AppendEvents(ctx, o, event("E-2", trading.OrderEventTypeFilled, o.Status)))
	if err := d.Orders.AppendEvents(ctx, counted(o, 0), event("E-3", trading.OrderEventTypeFilled, o.Status)); !errors.Is(err, store.ErrRefused) {
		t.Errorf("append of more events than the row counts: %v", err)
	}
}

// A list with a capacity forgets the oldest elements and their ids, but goes
// on counting what was ever appended.
func TestCappedList(t *testing.T) {
	d, ctx := open(t), t.Context()
	p := position("P-1", trading.PositionSideLong)
	const n, capacity = 1100, 1000
	cycle := func(i int) trading.PositionCycle {
		return trading.PositionCycle{TsOpened: store.Timestamp(i + 1), TsClosed: store.Timestamp(i + 2), Entry: trading.OrderSideBuy, PeakQty: dec("1"), AvgPxOpen: dec("1"), AvgPxClose: dec("2"), RealizedPnl: dec("1")}
	}
	for i := 0; i < n; i += 100 {
		var cs []trading.PositionCycle
		for j := range 100 {
			cs = append(cs, cycle(i+j))
		}
		must(t, d.Positions.AppendCycles(ctx, p, cs...))
	}
	cs := all(t, d.Positions.Cycles("P-1").All(ctx))
	if len(cs) != capacity || cs[0].TsOpened != n-capacity+1 || cs[capacity-1].TsOpened != n {
		t.Fatalf("%d cycles from %d", len(cs), cs[0].TsOpened)
	}
	d.want(t, fmt.Sprint(2*capacity+1), "HLEN", "trader-position.seen_cycles:P-1")
	d.want(t, fmt.Sprint(n), "HGET", "trader-position.seen_cycles:P-1", "")
	must(t, d.Positions.AppendCycles(ctx, p, cycle(n-1))) // still known
	if again := all(t, d.Positions.Cycles("P-1").All(ctx)); len(again) != capacity || again[capacity-1].TsOpened != n {
		t.Errorf("a repeated append changed the list")
	}
}

func TestListErrorsNameThePlace(t *testing.T) {
	d, ctx := open(t), t.Context()
	o := order("O-1", trading.OrderStatusAccepted)
	for i := range 3 {
		must(t, d.Orders.AppendEvents(ctx, o, event(fmt.Sprint("E-", i), trading.OrderEventTypeAccepted, o.Status)))
	}
	d.do(t, "LSET", "trader-order.events:O-1", "1", "\x81\xa8event_id\xc3")
	good := 0
	for _, err := range d.Orders.Events("O-1").All(ctx) {
		var re *store.RowError
		switch {
		case err == nil:
			good++
		case !errors.As(err, &re) || re.Table != "order" || re.ID != "O-1" || !strings.HasPrefix(re.Field, "events[1]"):
			t.Errorf("%v", err)
		}
	}
	if good != 2 {
		t.Errorf("%d good elements, want 2", good)
	}
}

func TestAccountEventsCanBeLeftOut(t *testing.T) {
	no := false
	d, ctx := open(t, func(c *store.Config) { c.PersistAccountEvents = &no }), t.Context()
	a := trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeCash}
	must(t, d.Accounts.AppendEvents(ctx, a, trading.AccountEvent{EventID: "E-1", AccountType: a.AccountType}))
	if n, _ := d.Accounts.Events("A-1").Len(ctx); n != 0 {
		t.Errorf("%d events were kept", n)
	}
	if _, err := d.Accounts.Get(ctx, "A-1"); err != nil {
		t.Errorf("the row: %v", err)
	}
}

func TestHash(t *testing.T) {
	d, ctx := open(t), t.Context()
	usdt := trading.Balance{Currency: "USDT", Total: dec("100.50"), Locked: dec("0.50"), Free: dec("100.00")}
	h := d.Accounts.Balances("A-1")
	if err := h.Put(ctx, "USDT", usdt); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a balance without an account: %v", err)
	}
	d.wantEmpty(t)
	must(t, d.Accounts.Put(ctx, trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeCash}))
	must(t, h.Put(ctx, "USDT", usdt))
	got, err := h.Get(ctx, "USDT")
	if diff := cmp.Diff(usdt, got); err != nil || diff != "" {
		t.Errorf("Get: %v\n%s", err, diff)
	}
	must(t, h.Put(ctx, "BTC", trading.Balance{Currency: "BTC"}))
	balances, err := h.All(ctx)
	if err != nil || len(balances) != 2 {
		t.Errorf("All: %v, %v", balances, err)
	}
	must(t, h.Delete(ctx, "BTC", "ETH"))
	if _, err := h.Get(ctx, "BTC"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get of a deleted value: %v", err)
	}
	must(t, d.Accounts.Delete(ctx, "A-1"))
	d.wantEmpty(t)
}

func TestSeries(t *testing.T) {
	d, ctx := open(t, func(c *store.Config) { c.TickCapacity = 50 }), t.Context()
	tick := func(i int) trading.QuoteTick {
		return trading.QuoteTick{BidPrice: dec("86.655"), AskPrice: dec("86.728"), TsEvent: store.Timestamp(i), TsInit: store.Timestamp(i)}
	}
	for i := range 120 {
		must(t, d.QuoteTicks.Append(ctx, "USD/JPY.SIM", tick(i)))
	}
	ticks := all(t, d.QuoteTicks.All(ctx, "USD/JPY.SIM"))
	if len(ticks) != 50 || ticks[0].TsEvent != 70 || ticks[49].TsEvent != 119 {
		t.Fatalf("%d ticks", len(ticks))
	}
	if last := all(t, d.QuoteTicks.Last(ctx, "USD/JPY.SIM", 2)); len(last) != 2 || last[0].TsEvent != 118 {
		t.Errorf("last: %v", last)
	}
	d.want(t, "50", "LLEN", "trader-quote_tick:USD/JPY.SIM")
}

// A position or order keeps its instrument from expiring while it is open,
// whichever is written first, and lets it go when it closes.
func TestInstrumentIsKept(t *testing.T) {
	d, ctx := open(t), t.Context()
	const key = "trader-instrument:BTCUSDT-PERP.BINANCE"
	instrument := trading.Instrument{InstrumentID: "BTCUSDT-PERP.BINANCE"}
	must(t, d.Instruments.Put(ctx, instrument))
	d.wantTTL(t, key, 24*time.Hour)
	d.want(t, "inf", "ZSCORE", "trader-instrument.ids", "BTCUSDT-PERP.BINANCE") // a hold cannot change a score
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	d.wantTTL(t, key, 0)
	must(t, d.Instruments.Put(ctx, instrument))
	d.wantTTL(t, key, 0)
	must(t, d.Orders.Put(ctx, order("O-1", trading.OrderStatusSubmitted))) // pending
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideFlat)))
	d.wantTTL(t, key, 0)
	must(t, d.Orders.Put(ctx, order("O-1", trading.OrderStatusAccepted)))
	d.wantTTL(t, key, 0)
	must(t, d.Orders.Put(ctx, order("O-1", trading.OrderStatusFilled)))
	d.wantTTL(t, key, 24*time.Hour)
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideShort)))
	d.wantTTL(t, key, 0)
	must(t, d.Positions.Delete(ctx, "P-1"))
	d.wantTTL(t, key, 24*time.Hour)
	d.want(t, "0", "EXISTS", "trader-instrument.held:BTCUSDT-PERP.BINANCE")
	// The reference first, the instrument later.
	must(t, d.Instruments.Delete(ctx, instrument.InstrumentID))
	must(t, d.Positions.Put(ctx, position("P-2", trading.PositionSideLong)))
	must(t, d.Instruments.Put(ctx, instrument))
	d.wantTTL(t, key, 0)
	// A position that changes its instrument lets the old one go.
	p := position("P-2", trading.PositionSideLong)
	p.InstrumentID = "ETHUSDT-PERP.BINANCE"
	must(t, d.Positions.Put(ctx, p))
	d.wantTTL(t, key, 24*time.Hour)
}

func TestTenantsAreApart(t *testing.T) {
	d, ctx := open(t), t.Context()
	names := []string{"a", "a-b", "order:x", "*", "001", "001-abc"}
	for _, n := range names {
		s, err := d.Tenant(n, "")
		must(t, err)
		p := position("P-1", trading.PositionSideLong)
		p.StrategyID = n
		must(t, trading.New(s).Positions.Put(ctx, p))
	}
	s, err := d.Tenant("001", "")
	must(t, err)
	must(t, s.Purge(ctx))
	for _, n := range names {
		s, err := d.Tenant(n, "")
		must(t, err)
		p, err := trading.New(s).Positions.Get(ctx, "P-1")
		if n == "001" {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("tenant %q after its purge: %v", n, err)
			}
		} else if err != nil || p.StrategyID != n {
			t.Errorf("tenant %q: %v, %v", n, p.StrategyID, err)
		}
	}
}

func TestCommit(t *testing.T) {
	d, ctx := open(t), t.Context()
	book := func(tx *store.Tx) error {
		tt := trading.New(tx)
		if err := tt.Orders.AppendEvents(ctx, order("O-1", trading.OrderStatusFilled), event("E-1", trading.OrderEventTypeFilled, trading.OrderStatusFilled)); err != nil {
			return err
		}
		if err := tt.Positions.Put(ctx, position("P-1", trading.PositionSideLong)); err != nil {
			return err
		}
		if err := tt.Accounts.Put(ctx, trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeCash}); err != nil {
			return err
		}
		if err := tt.Accounts.Balances("A-1").Put(ctx, "USDT", trading.Balance{Currency: "USDT"}); err != nil {
			return err
		}
		if p, err := tt.Positions.Get(ctx, "P-1"); err != nil || p.Side != trading.PositionSideLong {
			t.Errorf("own write inside the Commit: %v, %v", p.Side, err)
		}
		if _, err := tt.Accounts.Balances("A-1").Get(ctx, "USDT"); err != nil {
			t.Errorf("own balance inside the Commit: %v", err)
		}
		if n, err := tt.Orders.Events("O-1").Len(ctx); n != 1 || err != nil {
			t.Errorf("own events inside the Commit: %d, %v", n, err)
		}
		if _, err := tt.Positions.Count(ctx); !errors.Is(err, store.ErrUnsupported) {
			t.Errorf("Count inside a Commit: %v", err)
		}
		if err := tt.QuoteTicks.Append(ctx, "X", trading.QuoteTick{}); !errors.Is(err, store.ErrUnsupported) {
			t.Errorf("series inside a Commit: %v", err)
		}
		return nil
	}
	failure := errors.New("no")
	if err := d.Commit(ctx, func(tx *store.Tx) error {
		must(t, book(tx))
		return failure
	}); !errors.Is(err, failure) {
		t.Errorf("Commit of a failing function: %v", err)
	}
	d.wantEmpty(t)
	must(t, d.Commit(ctx, book))
	if n := count(t, d.Positions.Open()); n != 1 {
		t.Errorf("%d open positions", n)
	}
	if n, _ := d.Orders.Events("O-1").Len(ctx); n != 1 {
		t.Errorf("%d events", n)
	}
}

// What a Commit read, absence included, must still be so.
func TestCommitChecksWhatItRead(t *testing.T) {
	d, ctx := open(t), t.Context()
	runs := 0
	must(t, d.Commit(ctx, func(tx *store.Tx) error {
		tt := trading.New(tx)
		_, err := tt.Positions.Get(ctx, "P-1")
		if runs++; runs == 1 {
			if !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%v", err)
			}
			must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideShort)))
			return tt.Positions.Put(ctx, position("P-1", trading.PositionSideLong))
		}
		must(t, err)
		return nil
	}))
	if runs != 2 {
		t.Errorf("the function ran %d times, want 2", runs)
	}
	if p, _ := d.Positions.Get(ctx, "P-1"); p.Side != trading.PositionSideShort {
		t.Errorf("the Commit overwrote what it had not seen: %s", p.Side)
	}
}

// Many goroutines update one row: no update is lost.
func TestUpdateLosesNothing(t *testing.T) {
	d, ctx := open(t), t.Context()
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	var wg sync.WaitGroup
	const writers, each = 4, 25
	for range writers {
		wg.Go(func() {
			for range each {
				if _, err := d.Positions.Update(ctx, "P-1", func(p *trading.Position) error {
					p.FillCount = store.Some(p.FillCount.Value + 1)
					return nil
				}); err != nil && !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				} else if err != nil {
					t.Log(err)
				}
			}
		})
	}
	wg.Wait()
	if p, _ := d.Positions.Get(ctx, "P-1"); p.FillCount.Value != writers*each {
		t.Errorf("%d updates of %d survive", p.FillCount.Value, writers*each)
	}
	if _, err := d.Positions.Update(ctx, "P-2", func(*trading.Position) error { return nil }); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Update of nothing: %v", err)
	}
	if _, err := d.Positions.Update(ctx, "P-1", func(p *trading.Position) error { p.PositionID = "P-2"; return nil }); !errors.Is(err, store.ErrRefused) {
		t.Errorf("Update that changes the id: %v", err)
	}
}
