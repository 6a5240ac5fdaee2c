package store_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// A live store is switched between encodings without a flush: each store reads
// what the others wrote.
func TestEncodingsLiveTogether(t *testing.T) {
	first, ctx := open(t), t.Context()
	stores := map[string]*desk{
		"msgpack":     first,
		"json":        openOn(t, first.srv, func(c *store.Config) { c.Encoding = "json" }),
		"msgpack iso": openOn(t, first.srv, func(c *store.Config) { c.TimestampsAsISO8601 = true }),
		"json iso":    openOn(t, first.srv, func(c *store.Config) { c.Encoding, c.TimestampsAsISO8601 = "json", true }),
	}
	o := order("O-1", trading.OrderStatusAccepted)
	o.Price, o.TsInit, o.Tags = store.Some(dec("46319.10")), 1700000000123456789, []string{"a", "ü"}
	tick := trading.QuoteTick{BidPrice: dec("1.10"), AskPrice: dec("1.20"), TsEvent: 1, TsInit: 1700000000123456789}
	for name, w := range stores {
		must(t, w.Orders.Delete(ctx, "O-1"))
		must(t, w.Orders.AppendEvents(ctx, o, event("E-1", trading.OrderEventTypeAccepted, o.Status)))
		must(t, w.QuoteTicks.Append(ctx, trading.InstrumentID(name), tick))
		must(t, w.Accounts.Put(ctx, trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeCash}))
		must(t, w.Accounts.Balances("A-1").Put(ctx, "USDT", trading.Balance{Currency: "USDT", Total: dec("1.10")}))
		for other, r := range stores {
			got, err := r.Orders.Get(ctx, "O-1")
			if diff := cmp.Diff(o, got); err != nil || diff != "" {
				t.Errorf("%s reads a row of %s: %v\n%s", other, name, err, diff)
			}
			if es := all(t, r.Orders.Events("O-1").All(ctx)); len(es) != 1 || es[0].EventID != "E-1" {
				t.Errorf("%s reads events of %s: %v", other, name, es)
			}
			if ticks := all(t, r.QuoteTicks.All(ctx, trading.InstrumentID(name))); len(ticks) != 1 || cmp.Diff(tick, ticks[0]) != "" {
				t.Errorf("%s reads ticks of %s: %v", other, name, ticks)
			}
			if b, err := r.Accounts.Balances("A-1").Get(ctx, "USDT"); err != nil || b.Total.Exponent() != -2 {
				t.Errorf("%s reads a balance of %s: %v, %v", other, name, b, err)
			}
		}
		raw := first.do(t, "GET", "trader-order:O-1")
		isJSON, isISO := json.Valid([]byte(raw)), strings.Contains(raw, "2023-11-14T22:13:20.123456789Z")
		if isJSON != strings.HasPrefix(name, "json") || isISO != strings.HasSuffix(name, "iso") {
			t.Errorf("%s stores %q", name, raw)
		}
		if name == "json" && !strings.Contains(raw, `"ts_init":"1700000000123456789"`) {
			t.Errorf("nanoseconds are no digit string: %s", raw)
		}
	}
	// One history, series and hash to which all of them have written.
	shared := order("O-2", trading.OrderStatusAccepted)
	for name, w := range stores {
		must(t, w.Orders.AppendEvents(ctx, shared, event("E-"+name, trading.OrderEventTypeAccepted, o.Status)))
		must(t, w.QuoteTicks.Append(ctx, "shared", tick))
		must(t, w.Accounts.Balances("A-1").Put(ctx, name, trading.Balance{Currency: name, Total: dec("1.10")}))
	}
	for name, r := range stores {
		es, ticks := all(t, r.Orders.Events("O-2").All(ctx)), all(t, r.QuoteTicks.All(ctx, "shared"))
		balances, err := r.Accounts.Balances("A-1").All(ctx)
		if len(es) != len(stores) || len(ticks) != len(stores) || len(balances) != len(stores)+1 || err != nil {
			t.Errorf("%s reads %d events, %d ticks, %d balances; %v", name, len(es), len(ticks), len(balances), err)
		}
		for writer := range stores {
			if b := balances[writer]; b.Currency != writer || !b.Total.Equal(dec("1.1")) {
				t.Errorf("%s reads %+v of %s", name, b, writer)
			}
		}
		for _, got := range ticks {
			if diff := cmp.Diff(tick, got); diff != "" {
				t.Errorf("%s reads a shared tick:\n%s", name, diff)
			}
		}
	}
}
