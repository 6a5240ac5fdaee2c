package docs

import (
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// This file shows the specification's TTL policy.

// expires checks how long a key lives yet; 0 is for ever.
func (tr *trader) expires(key string, want time.Duration) {
	tr.t.Helper()
	ms, err := strconv.ParseInt(tr.do("PTTL", key), 10, 64)
	if err != nil {
		tr.t.Fatal(err)
	}
	switch got := time.Duration(ms) * time.Millisecond; {
	case ms == -2:
		tr.t.Errorf("%s does not exist", key)
	case want == 0 && ms != -1:
		tr.t.Errorf("%s expires in %v, want never", key, got)
	// A thousandth more is what the store allows itself, and a moment because it takes the server's clock from its
	// last look at it.
	case want != 0 && (got > want+want/1000+time.Second || got < want-time.Minute):
		tr.t.Errorf("%s expires in %v, want %v", key, got, want)
	}
}

const week = 7 * 24 * time.Hour

func TestSpecTTLPosition(t *testing.T) {
	tr := openTrader(t, store.Config{})
	ctx := t.Context()
	const key = "trader-position:BTCUSDT-PERP.BINANCE-001"
	const fills = "trader-position.fills:BTCUSDT-PERP.BINANCE-001"
	fill := trading.OrderEvent{EventID: "e-1", Type: trading.OrderEventTypeFilled, Status: trading.OrderStatusFilled}
	p := position
	put(t, tr.Positions.AppendFills(ctx, p, fill))
	tr.expires(key, 0)
	tr.expires(fills, 0)
	p.Side = trading.PositionSideFlat
	put(t, tr.Positions.Put(ctx, p))
	tr.expires(key, week)
	tr.expires(fills, week)
	p.Side = trading.PositionSideShort // opened again
	put(t, tr.Positions.Put(ctx, p))
	tr.expires(key, 0)
	tr.expires(fills, 0)
}

func TestSpecTTLOrder(t *testing.T) {
	tr := openTrader(t, store.Config{})
	for status, ttl := range map[trading.OrderStatus]time.Duration{
		trading.OrderStatusInitialized: 0, trading.OrderStatusSubmitted: 0, trading.OrderStatusAccepted: 0,
		trading.OrderStatusPartiallyFilled: 0, trading.OrderStatusPendingCancel: 0,
		trading.OrderStatusFilled: week, trading.OrderStatusCanceled: week, trading.OrderStatusRejected: week,
		trading.OrderStatusExpired: week, trading.OrderStatusDenied: week,
	} {
		o := order
		o.ClientOrderID, o.Status = trading.ClientOrderID("O-"+status), status
		event := trading.OrderEvent{EventID: "e-1", Type: trading.OrderEventTypeInitialized, Status: status}
		put(t, tr.Orders.AppendEvents(t.Context(), o, event))
		tr.expires("trader-order:O-"+string(status), ttl)
		tr.expires("trader-order.events:O-"+string(status), ttl)
	}
}

func TestSpecTTLAccount(t *testing.T) {
	tr := openTrader(t, store.Config{})
	put(t, tr.Accounts.Put(t.Context(), account))
	put(t, tr.Accounts.Balances(account.AccountID).Put(t.Context(), "USDT", trading.Balance{Currency: "USDT"}))
	tr.expires("trader-account:BINANCE-USDT_FUTURES-master", 0)
	tr.expires("trader-account.balances:BINANCE-USDT_FUTURES-master", 0)
}

// TestSpecTTLInstrument: 24 hours, but not while an open position needs it.
func TestSpecTTLInstrument(t *testing.T) {
	tr := openTrader(t, store.Config{})
	ctx := t.Context()
	const key = "trader-instrument:BTCUSDT-PERP.BINANCE"
	put(t, tr.Instruments.Put(ctx, trading.Instrument{InstrumentID: "BTCUSDT-PERP.BINANCE"}))
	tr.expires(key, 24*time.Hour)
	p := position
	put(t, tr.Positions.Put(ctx, p))
	tr.expires(key, 0)
	p.Side = trading.PositionSideFlat
	put(t, tr.Positions.Put(ctx, p))
	tr.expires(key, 24*time.Hour)
}

// TestSpecCapacity: series are bounded by their capacity, which the options
// tick_capacity and bar_capacity override.
func TestSpecCapacity(t *testing.T) {
	tr := openTrader(t, store.Config{TickCapacity: 3, BarCapacity: 2})
	ctx := t.Context()
	one := decimal.NewFromInt(1)
	for i := range 5 {
		ts := store.Timestamp(i)
		put(t, tr.QuoteTicks.Append(ctx, "BTCUSDT-PERP.BINANCE", trading.QuoteTick{BidPrice: one, AskPrice: one, TsEvent: ts, TsInit: ts}))
		put(t, tr.TradeTicks.Append(ctx, "BTCUSDT-PERP.BINANCE", trading.TradeTick{TsEvent: ts, TsInit: ts, AggressorSide: "BUYER"}))
		put(t, tr.Bars.Append(ctx, "BTCUSDT-PERP.BINANCE-1-MINUTE-LAST-EXTERNAL", trading.Bar{TsEvent: ts, TsInit: ts}))
	}
	for key, n := range map[string]string{
		"trader-quote_tick:BTCUSDT-PERP.BINANCE":                 "3",
		"trader-trade_tick:BTCUSDT-PERP.BINANCE":                 "3",
		"trader-bar:BTCUSDT-PERP.BINANCE-1-MINUTE-LAST-EXTERNAL": "2",
	} {
		if got := tr.do("LLEN", key); got != n {
			t.Errorf("%s holds %s elements, want %s", key, got, n)
		}
	}
	var newest []store.Timestamp
	for tick, err := range tr.QuoteTicks.All(ctx, "BTCUSDT-PERP.BINANCE") {
		put(t, err)
		newest = append(newest, tick.TsEvent)
	}
	if len(newest) != 3 || newest[0] != 2 || newest[2] != 4 {
		t.Errorf("ticks kept: %v, want 2 3 4", newest)
	}
}

// TestSpecTTLOverride: the configuration overrides the schema.
func TestSpecTTLOverride(t *testing.T) {
	tr := openTrader(t, store.Config{TTL: map[string]string{"position.closed": "30d", "instrument": "12h"}})
	ctx := t.Context()
	p := position
	p.Side = trading.PositionSideFlat
	put(t, tr.Positions.Put(ctx, p))
	tr.expires("trader-position:BTCUSDT-PERP.BINANCE-001", 30*24*time.Hour)
	put(t, tr.Instruments.Put(ctx, trading.Instrument{InstrumentID: "ETHUSDT-PERP.BINANCE"}))
	tr.expires("trader-instrument:ETHUSDT-PERP.BINANCE", 12*time.Hour)
}
