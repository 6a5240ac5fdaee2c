package sim

import (
	"math/big"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/bench/binance"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

const data = "../../testdata/market/"

var market = sync.OnceValue(func() *Market {
	f, err := os.Open(data + "binance-usdm-exchange-info-2022-05-04.json")
	if err != nil {
		panic(err)
	}
	defer f.Close()
	info, err := binance.Parse(f)
	if err != nil {
		panic(err)
	}
	rows, err := binance.ToRows(info)
	if err != nil {
		panic(err)
	}
	bars, err := ReadBars(data + "btc-perp-1m-2021-12-31.csv")
	if err != nil {
		panic(err)
	}
	m, err := NewMarket(bars, rows.Instruments)
	if err != nil {
		panic(err)
	}
	return m
})

var flow = sync.OnceValue(func() *Flow {
	f, err := market().Run(Options{Events: true})
	if err != nil {
		panic(err)
	}
	return f
})

func TestReadMarketData(t *testing.T) {
	bars, err := ReadBars(data + "btc-perp-1m-2021-12-31.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(bars) != 10_080 {
		t.Errorf("%d bars, want 10,080", len(bars))
	}
	if got := bars[0].TsEvent.Time().Format(time.RFC3339); got != "2021-12-31T23:01:00Z" {
		t.Errorf("first bar closes at %s", got)
	}
	quotes, err := ReadQuotes(data + "usdjpy-quotes-2013-01-01.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(quotes) != 1000 || quotes[0].BidPrice.String() != "86.655" || quotes[0].BidSize.Valid {
		t.Errorf("%d quotes, first %+v", len(quotes), quotes[0])
	}
}

func TestSameSeedSameFlow(t *testing.T) {
	o := Options{Seed: 7, Orders: 500, Events: true}
	run := func() *Flow {
		f, err := market().Run(o)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	a, b := run(), run()
	if !reflect.DeepEqual(a, b) {
		t.Error("the same seed gave two flows")
	}
	o.Events = false
	for i, bare := range run().Orders {
		if !reflect.DeepEqual(bare.Row, a.Orders[i].Row) || bare.Events != nil {
			t.Fatalf("order %d differs without events:\n%+v\n%+v", i, bare.Row, a.Orders[i].Row)
		}
	}
	for i, bare := range run().Positions {
		if !reflect.DeepEqual(bare.Row, a.Positions[i].Row) || bare.Fills != nil {
			t.Fatalf("position %s differs without events", bare.Row.PositionID)
		}
	}
	for i, bare := range run().Accounts {
		if !reflect.DeepEqual(bare.Row, a.Accounts[i].Row) || !reflect.DeepEqual(bare.Balances, a.Accounts[i].Balances) {
			t.Fatalf("account %s differs without events", bare.Row.AccountID)
		}
	}
}

func TestSeedsShareNoID(t *testing.T) {
	seen := map[string]uint64{}
	for seed := range uint64(3) {
		f, err := market().Run(Options{Seed: seed, Orders: 2000})
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, o := range f.Orders {
			ids = append(ids, "order "+string(o.Row.ClientOrderID))
			if o.Row.VenueOrderID != "" {
				ids = append(ids, "venue "+o.Row.VenueOrderID)
			}
		}
		for _, p := range f.Positions {
			ids = append(ids, "position "+string(p.Row.PositionID))
		}
		for _, a := range f.Accounts {
			ids = append(ids, "account "+string(a.Row.AccountID))
		}
		for _, id := range ids {
			if other, ok := seen[id]; ok {
				t.Fatalf("%s under seed %d and %d", id, other, seed)
			}
			seen[id] = seed
		}
	}
}

func TestFlowCoversTheTables(t *testing.T) {
	f := flow()
	if len(f.Orders) < 10_000 {
		t.Errorf("%d orders, want at least 10,000", len(f.Orders))
	}
	status, events, kinds := map[trading.OrderStatus]int{}, map[trading.OrderEventType]int{}, map[trading.OrderType]int{}
	strategies, instruments := map[string]int{}, map[trading.InstrumentID]int{}
	least, most, working := int64(1000), int64(0), 0
	for _, o := range f.Orders {
		status[o.Row.Status]++
		kinds[o.Row.OrderType]++
		strategies[o.Row.StrategyID]++
		instruments[o.Row.InstrumentID]++
		least, most = min(least, o.Row.EventCount.Value), max(most, o.Row.EventCount.Value)
		if o.Row.TsClosed == 0 {
			working++
		}
		for _, e := range o.Events {
			events[e.Type]++
		}
	}
	t.Logf("%d orders, %d positions, %d accounts; %d to %d events; %d pending or open; %v; %v; %v",
		len(f.Orders), len(f.Positions), len(f.Accounts), least, most, working, status, events, kinds)
	if len(status) != 14 || len(events) != 16 || len(kinds) != 10 {
		t.Errorf("%d of 14 statuses, %d of 16 event types, %d of 10 order types", len(status), len(events), len(kinds))
	}
	if len(strategies) != 20 || len(instruments) != 50 {
		t.Errorf("%d strategies and %d instruments, want 20 and 50", len(strategies), len(instruments))
	}
	if least < 2 || most > 40 || most < 30 {
		t.Errorf("%d to %d events an order, want 2 to 40", least, most)
	}
	if working*5 < len(f.Orders) {
		t.Errorf("%d of %d orders pending or open, want at least 20 %%", working, len(f.Orders))
	}
	flips, sides, modes := 0, map[trading.PositionSide]int{}, map[trading.OmsType]int{}
	for _, p := range f.Positions {
		sides[p.Row.Side]++
		modes[p.Row.OmsType]++
		flips += len(p.Cycles)
	}
	t.Logf("%d closed cycles, %v, %v", flips, sides, modes)
	if flips < 500 || len(sides) != 3 || len(modes) != 2 {
		t.Errorf("%d closed cycles, sides %v, modes %v", flips, sides, modes)
	}
	for _, a := range f.Accounts {
		if a.Row.AccountType != trading.AccountTypeMargin || len(a.Margins) < 10 || len(a.Balances) != 2 {
			t.Errorf("%s: %s with %d margins and %d balances", a.Row.AccountID, a.Row.AccountType, len(a.Margins), len(a.Balances))
		}
	}
}

// rat is a decimal as an exact fraction: the tests count apart from the simulation's whole units.
func rat(d decimal.Decimal) *big.Rat { return d.Rat() }

// rounded rounds half to even at the places.
func rounded(r *big.Rat, places int64) decimal.Decimal {
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(places), nil)))
	q, m := new(big.Int).DivMod(scaled.Num(), scaled.Denom(), new(big.Int))
	switch m.Lsh(m, 1).Cmp(scaled.Denom()) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		q.Add(q, big.NewInt(int64(q.Bit(0))))
	}
	return decimal.NewFromBigInt(q, int32(-places))
}

func TestOrdersFoldTheirEvents(t *testing.T) {
	for _, o := range flow().Orders {
		r, bad := &o.Row, func(format string, args ...any) {
			t.Helper()
			t.Errorf("order %s (%s): "+format, append([]any{o.Row.ClientOrderID, o.Row.Status}, args...)...)
		}
		c := contractOf(r.InstrumentID)
		qty, turnover, fees := decimal.Zero, new(big.Rat), decimal.Zero
		ids, trades := map[string]bool{}, map[string]bool{}
		var prev trading.OrderEvent
		for i, e := range o.Events {
			if ids[e.EventID] || len(e.EventID) != 36 || e.EventID[14] != '4' || e.EventID != strings.ToLower(e.EventID) {
				bad("event %d: id %q", i, e.EventID)
			}
			ids[e.EventID] = true
			if e.TsEvent < prev.TsEvent || e.TsInit < e.TsEvent {
				bad("event %d: time goes back", i)
			}
			prev = e
			if e.Type != trading.OrderEventTypeFilled {
				continue
			}
			if trades[e.TradeID] {
				bad("trade %s twice", e.TradeID)
			}
			trades[e.TradeID] = true
			qty = qty.Add(e.LastQty.Value)
			turnover.Add(turnover, new(big.Rat).Mul(rat(e.LastPx.Value), rat(e.LastQty.Value)))
			fees = fees.Add(e.Commission.Value)
			if b := market().bars[market().barAt(int64(e.TsEvent))]; e.LastPx.Value.LessThan(c.dec(c.price10(b.low))) || e.LastPx.Value.GreaterThan(c.dec(c.price10(b.high))) {
				bad("fill at %s outside its bar", e.LastPx.Value)
			}
			if rem := e.LastPx.Value.Mod(c.row.PriceIncrement); !rem.IsZero() || e.LastPx.Value.Exponent() != c.priceExp {
				bad("fill price %s is no tick of %s", e.LastPx.Value, c.row.PriceIncrement)
			}
		}
		last := o.Events[len(o.Events)-1]
		if int64(len(o.Events)) != r.EventCount.Value || last.EventID != r.LastEventID || o.Events[0].EventID != r.InitID || last.Status != r.Status || last.TsEvent != r.TsLast {
			bad("row does not end in its last event %+v", last)
		}
		if !qty.Equal(r.FilledQty.Value) {
			bad("filled_qty %s, fills %s", r.FilledQty.Value, qty)
		}
		leaves := r.Quantity.Sub(qty)
		if r.TsClosed != 0 {
			leaves = decimal.Zero
		}
		if !leaves.Equal(r.LeavesQty.Value) || r.LeavesQty.Value.IsNegative() {
			bad("leaves_qty %s, want %s", r.LeavesQty.Value, leaves)
		}
		if (r.Status == trading.OrderStatusFilled) != qty.Equal(r.Quantity) {
			bad("filled %s of %s", qty, r.Quantity)
		}
		if r.AvgPx.Valid != qty.IsPositive() {
			bad("avg_px %v with fills %s", r.AvgPx, qty)
		}
		if qty.IsPositive() {
			want := rounded(turnover.Quo(turnover, rat(qty)), c.row.PricePrecision+8)
			if !want.Equal(r.AvgPx.Value) || r.AvgPx.Value.Exponent() != want.Exponent() {
				bad("avg_px %s, want %s", r.AvgPx.Value, want)
			}
			if !fees.Equal(r.Commissions[c.quote]) {
				bad("commissions %v, want %s", r.Commissions, fees)
			}
		}
	}
}

func contractOf(id trading.InstrumentID) *contract {
	for i := range market().contracts {
		if c := &market().contracts[i]; c.row.InstrumentID == id {
			return c
		}
	}
	panic(id)
}

func TestPositionsFoldTheirFills(t *testing.T) {
	traded := map[string]decimal.Decimal{}
	for _, o := range flow().Orders {
		for _, e := range o.Events {
			if e.Type == trading.OrderEventTypeFilled {
				traded[e.PositionID] = traded[e.PositionID].Add(signed(e))
			}
		}
	}
	for _, p := range flow().Positions {
		r := &p.Row
		sum, fees := decimal.Zero, decimal.Zero
		for _, e := range p.Fills {
			sum, fees = sum.Add(signed(e)), fees.Add(e.Commission.Value)
			if e.ClientOrderID == "" {
				t.Errorf("position %s: a fill without client_order_id", r.PositionID)
			}
		}
		held := r.Quantity
		if r.Side == trading.PositionSideShort {
			held = held.Neg()
		}
		if !sum.Equal(held) || !traded[string(r.PositionID)].Equal(held) {
			t.Errorf("position %s: %s %s, fills of the cycle %s, all trades %s", r.PositionID, r.Side, r.Quantity, sum, traded[string(r.PositionID)])
		}
		if !held.Equal(r.BuyQty.Value.Sub(r.SellQty.Value)) || !fees.Equal(r.Commissions[r.QuoteCurrency]) || r.FillCount.Value != int64(len(p.Fills)) {
			t.Errorf("position %s: buys %s, sells %s, fees %v, fill_count %d", r.PositionID, r.BuyQty.Value, r.SellQty.Value, r.Commissions, r.FillCount.Value)
		}
		if (r.Side == trading.PositionSideFlat) != r.Quantity.IsZero() || (r.TsClosed != 0) != r.Quantity.IsZero() {
			t.Errorf("position %s: %s with %s, closed at %d", r.PositionID, r.Side, r.Quantity, r.TsClosed)
		}
		before := store.Timestamp(0)
		for _, c := range p.Cycles {
			if c.TsOpened < before || c.TsClosed < c.TsOpened || c.TsClosed > r.TsOpened {
				t.Errorf("position %s: cycle %d to %d after %d", r.PositionID, c.TsOpened, c.TsClosed, before)
			}
			before = c.TsClosed
		}
		checkAverages(t, p)
	}
}

func signed(e trading.OrderEvent) decimal.Decimal {
	if e.OrderSide == trading.OrderSideSell {
		return e.LastQty.Value.Neg()
	}
	return e.LastQty.Value
}

// checkAverages folds the fills of the cycle once more, in exact fractions. Each
// step of the row may have rounded, so the last places may differ by one a fill.
func checkAverages(t *testing.T, p Position) {
	t.Helper()
	open, out, held, left, gain := new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)
	blend := func(avg, qty, px, more *big.Rat) {
		avg.Mul(avg, qty).Add(avg, new(big.Rat).Mul(px, more))
		qty.Add(qty, more)
		avg.Quo(avg, qty)
	}
	for _, e := range p.Fills {
		qty, px := rat(e.LastQty.Value), rat(e.LastPx.Value)
		if e.OrderSide == p.Row.Entry {
			blend(open, held, px, qty)
		} else {
			blend(out, left, px, qty)
			held.Sub(held, qty)
			g := new(big.Rat).Mul(new(big.Rat).Sub(px, open), qty)
			if p.Row.Entry == trading.OrderSideSell {
				g.Neg(g)
			}
			gain.Add(gain, g)
		}
		gain.Sub(gain, rat(e.Commission.Value))
	}
	for _, a := range p.Adjustments {
		gain.Add(gain, rat(a.PnlChange.Value))
	}
	slack := func(places int64) decimal.Decimal { return decimal.New(int64(len(p.Fills))+1, int32(-places)) }
	near := func(name string, got decimal.Decimal, want *big.Rat, places int64) {
		if got.Sub(rounded(want, places)).Abs().GreaterThan(slack(places)) {
			t.Errorf("position %s: %s = %s, want %s", p.Row.PositionID, name, got, rounded(want, places))
		}
	}
	places := p.Row.PricePrecision.Value + 8
	near("avg_px_open", p.Row.AvgPxOpen, open, places)
	near("avg_px_close", p.Row.AvgPxClose.Value, out, places)
	near("realized_pnl", p.Row.RealizedPnl.Value, gain, 6)
}

func TestAccountsBalance(t *testing.T) {
	for _, a := range flow().Accounts {
		want := map[string]decimal.Decimal{"USDT": decimal.NewFromInt(10_000_000), "BUSD": decimal.NewFromInt(5_000_000)}
		for _, p := range flow().Positions {
			if p.Row.AccountID != a.Row.AccountID {
				continue
			}
			cur := p.Row.SettlementCurrency
			want[cur] = want[cur].Add(p.Row.RealizedPnl.Value)
			for _, c := range p.Cycles {
				want[cur] = want[cur].Add(c.RealizedPnl)
			}
		}
		// Every fee of an order is in one cycle of one position, split fills included.
		paid, charged := map[string]decimal.Decimal{}, map[string]decimal.Decimal{}
		for _, o := range flow().Orders {
			if o.Row.AccountID == a.Row.AccountID {
				for cur, fee := range o.Row.Commissions {
					paid[cur] = paid[cur].Add(fee)
				}
			}
		}
		for _, p := range flow().Positions {
			if p.Row.AccountID == a.Row.AccountID {
				cur := p.Row.SettlementCurrency
				charged[cur] = charged[cur].Add(p.Row.Commissions[cur])
				for _, c := range p.Cycles {
					charged[cur] = charged[cur].Add(c.Commissions[cur])
				}
			}
		}
		for cur := range want {
			if !paid[cur].Equal(charged[cur]) || !paid[cur].Equal(a.Row.Commissions[cur]) {
				t.Errorf("%s %s: orders paid %s, positions were charged %s, the account says %s", a.Row.AccountID, cur, paid[cur], charged[cur], a.Row.Commissions[cur])
			}
		}
		locked := map[string]decimal.Decimal{}
		for _, m := range a.Margins {
			locked[m.Currency] = locked[m.Currency].Add(m.Initial)
		}
		for _, b := range a.Balances {
			if !b.Total.Equal(want[b.Currency]) {
				t.Errorf("%s %s: total %s, deposits and results of all positions %s", a.Row.AccountID, b.Currency, b.Total, want[b.Currency])
			}
			if !b.Total.Equal(b.Locked.Add(b.Free)) || !b.Locked.Equal(locked[b.Currency]) {
				t.Errorf("%s %s: total %s, locked %s, free %s, margins %s", a.Row.AccountID, b.Currency, b.Total, b.Locked, b.Free, locked[b.Currency])
			}
		}
		if int64(len(a.Events)) != a.Row.EventCount.Value || a.Events[len(a.Events)-1].EventID != a.Row.LastEventID {
			t.Errorf("%s: %d events, row says %d", a.Row.AccountID, len(a.Events), a.Row.EventCount.Value)
		}
		for _, e := range a.Events {
			for _, b := range e.Balances {
				if !b.Total.Equal(b.Locked.Add(b.Free)) {
					t.Errorf("%s: event %s: %s + %s is not %s", a.Row.AccountID, e.EventID, b.Locked, b.Free, b.Total)
				}
			}
		}
	}
}

func BenchmarkRowsWithoutEvents(b *testing.B) {
	for b.Loop() {
		if _, err := market().Run(Options{Seed: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
