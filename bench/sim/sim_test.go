package sim

import (
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/bench/binance"
	"github.com/nacre-store/nacre/gen/trading"
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

func BenchmarkRowsWithoutEvents(b *testing.B) {
	for b.Loop() {
		if _, err := market().Run(Options{Seed: 1}); err != nil {
			b.Fatal(err)
		}
	}
}
