package docs

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/tinylib/msgp/msgp"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// This file shows the specification's data model, data-model.md, on a real
// Redis: keys, fields with their types, collections, expiry. What the store
// wrote is read without it.

// trader is a store on a server of its own.
type trader struct {
	trading.Tables
	*store.Store
	t     *testing.T
	redis *storetest.Server
}

// openOn opens a store with cfg on a server; the test closes it.
func openOn(t *testing.T, redis *storetest.Server, cfg store.Config) *trader {
	t.Helper()
	if cfg.Database.Host == "" && cfg.Database.Unix == "" {
		cfg.Database.Host, cfg.Database.Port = "127.0.0.1", redis.Port()
	}
	cfg.Schemas, cfg.Logger = []store.Schema{trading.Schema}, slog.New(slog.NewTextHandler(t.Output(), nil))
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return &trader{trading.New(s), s, t, redis}
}

func openTrader(t *testing.T, cfg store.Config) *trader {
	t.Helper()
	return openOn(t, storetest.Run(t, storetest.ServerOptions{}), cfg)
}

// do is what redis-cli would show.
func (tr *trader) do(args ...string) string {
	tr.t.Helper()
	out, err := tr.redis.Do(args...)
	if err != nil {
		tr.t.Fatalf("%v: %v", args, err)
	}
	return out
}

func (tr *trader) keys() []string {
	tr.t.Helper()
	var keys []string
	for key := range strings.Lines(tr.do("KEYS", "*")) {
		keys = append(keys, strings.TrimSuffix(key, "\n"))
	}
	slices.Sort(keys)
	return keys
}

// row decodes a stored row with another decoder than the store's.
func (tr *trader) row(key string) map[string]any {
	tr.t.Helper()
	v, rest, err := msgp.ReadIntfBytes([]byte(tr.do("GET", key)))
	if err != nil || len(rest) > 0 {
		tr.t.Fatalf("%s: %v, %d bytes behind it", key, err, len(rest))
	}
	return v.(map[string]any)
}

// want checks a field's type in Redis and its value.
func want(t *testing.T, row map[string]any, field string, value any) {
	t.Helper()
	got, ok := row[field]
	if n, isInt := got.(int64); isInt && n >= 0 {
		got = uint64(n) // one integer in MessagePack, whatever its sign bit
	}
	if !ok || got != value {
		t.Errorf("%s = %T %v, want %T %v", field, got, got, value, value)
	}
}

func put(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

var (
	position = trading.Position{
		PositionID: "BTCUSDT-PERP.BINANCE-001", InstrumentID: "BTCUSDT-PERP.BINANCE", StrategyID: "EMACross-001",
		Side: trading.PositionSideLong, Quantity: decimal.RequireFromString("1.10"),
		AvgPxOpen: decimal.RequireFromString("47000.5"), TsOpened: 1_767_052_800_000_000_001, TsLast: 1_767_052_800_000_000_002,
	}
	order = trading.Order{
		ClientOrderID: "O-20251230-001", VenueOrderID: "8389765", InstrumentID: "BTCUSDT-PERP.BINANCE",
		OrderType: trading.OrderTypeLimit, Side: trading.OrderSideBuy, Quantity: decimal.RequireFromString("0.5"),
		Status: trading.OrderStatusAccepted,
	}
	account = trading.Account{AccountID: "BINANCE-USDT_FUTURES-master", AccountType: trading.AccountTypeMargin}
)

func TestSpecPosition(t *testing.T) {
	tr := openTrader(t, store.Config{})
	put(t, tr.Positions.Put(t.Context(), position))
	row := tr.row("trader-position:BTCUSDT-PERP.BINANCE-001")
	want(t, row, "position_id", "BTCUSDT-PERP.BINANCE-001")
	want(t, row, "instrument_id", "BTCUSDT-PERP.BINANCE")
	want(t, row, "strategy_id", "EMACross-001")
	want(t, row, "side", "LONG")
	want(t, row, "quantity", "1.10")
	want(t, row, "avg_px_open", "47000.5")
	want(t, row, "ts_opened", uint64(1_767_052_800_000_000_001))
	want(t, row, "ts_last", uint64(1_767_052_800_000_000_002))
	for side, word := range map[trading.PositionSide]string{
		trading.PositionSideLong: "LONG", trading.PositionSideShort: "SHORT", trading.PositionSideFlat: "FLAT",
	} {
		if string(side) != word || !side.Valid() {
			t.Errorf("side %q, want %q", side, word)
		}
	}
}

func TestSpecOrder(t *testing.T) {
	tr := openTrader(t, store.Config{})
	events := []trading.OrderEvent{
		{EventID: "e-1", Type: trading.OrderEventTypeInitialized, Status: trading.OrderStatusInitialized, TsEvent: 1, TsInit: 1},
		{EventID: "e-2", Type: trading.OrderEventTypeAccepted, Status: trading.OrderStatusAccepted, TsEvent: 2, TsInit: 2},
	}
	put(t, tr.Orders.AppendEvents(t.Context(), order, events...))
	row := tr.row("trader-order:O-20251230-001")
	want(t, row, "client_order_id", "O-20251230-001")
	want(t, row, "venue_order_id", "8389765")
	want(t, row, "instrument_id", "BTCUSDT-PERP.BINANCE")
	want(t, row, "order_type", "LIMIT")
	want(t, row, "side", "BUY")
	want(t, row, "quantity", "0.5")
	want(t, row, "status", "ACCEPTED")

	const history = "trader-order.events:O-20251230-001"
	if got := tr.do("TYPE", history); got != "list" {
		t.Errorf("events are a %s", got)
	}
	if got := tr.do("LLEN", history); got != "2" {
		t.Errorf("%s events, want 2", got)
	}
	first, _, err := msgp.ReadIntfBytes([]byte(tr.do("LINDEX", history, "0")))
	put(t, err)
	want(t, first.(map[string]any), "type", "INITIALIZED")

	words := []string{string(trading.OrderTypeMarket), string(trading.OrderTypeLimit), string(trading.OrderTypeStop), string(trading.OrderSideBuy), string(trading.OrderSideSell)}
	if got := strings.Join(words, " "); got != "MARKET LIMIT STOP BUY SELL" {
		t.Errorf("words of the specification: %s", got)
	}
}

func TestSpecAccount(t *testing.T) {
	tr := openTrader(t, store.Config{})
	ctx := t.Context()
	put(t, tr.Accounts.Put(ctx, account))
	one := decimal.NewFromInt(1)
	put(t, tr.Accounts.Balances(account.AccountID).Put(ctx, "USDT", trading.Balance{Currency: "USDT", Total: one, Free: one}))
	put(t, tr.Accounts.Margins(account.AccountID).Put(ctx, "BTCUSDT-PERP.BINANCE", trading.Margin{Currency: "USDT", Initial: one, Maintenance: one}))
	row := tr.row("trader-account:BINANCE-USDT_FUTURES-master")
	want(t, row, "account_id", "BINANCE-USDT_FUTURES-master")
	want(t, row, "account_type", "MARGIN")
	for hash, field := range map[string]string{
		"trader-account.balances:BINANCE-USDT_FUTURES-master": "USDT",
		"trader-account.margins:BINANCE-USDT_FUTURES-master":  "BTCUSDT-PERP.BINANCE",
	} {
		if got := tr.do("TYPE", hash); got != "hash" {
			t.Errorf("%s is a %s", hash, got)
		}
		if got := tr.do("HKEYS", hash); got != field {
			t.Errorf("%s has the fields %q, want %q", hash, got, field)
		}
	}
	if got := string(trading.AccountTypeCash); got != "CASH" {
		t.Errorf("account type %s", got)
	}
}

// TestSpecKeys stores one row of each kind that the specification names, under
// its examples' ids, and looks for its examples' keys.
func TestSpecKeys(t *testing.T) {
	tr := openTrader(t, store.Config{})
	ctx := t.Context()
	put(t, tr.Positions.Put(ctx, position))
	put(t, tr.Orders.Put(ctx, order))
	put(t, tr.Accounts.Put(ctx, account))
	put(t, tr.Instruments.Put(ctx, trading.Instrument{InstrumentID: "BTCUSDT-PERP.BINANCE"}))
	for key, kind := range map[string]string{
		"trader-position:BTCUSDT-PERP.BINANCE-001":    "string",
		"trader-order:O-20251230-001":                 "string",
		"trader-account:BINANCE-USDT_FUTURES-master":  "string",
		"trader-instrument:BTCUSDT-PERP.BINANCE":      "string",
		"trader-order.open":                           "zset",
		"trader-order.ids":                            "zset",
		"trader-position.by_strategy:EMACross-001":    "zset",
		"trader-instrument.held:BTCUSDT-PERP.BINANCE": "set",
	} {
		if got := tr.do("TYPE", key); got != kind {
			t.Errorf("%s is a %s, want %s; keys:\n%s", key, got, kind, strings.Join(tr.keys(), "\n"))
		}
	}
}
