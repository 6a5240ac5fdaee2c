package codec

import (
	"fmt"
	"os"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/bench/binance"
	"github.com/nacre-store/nacre/bench/codec/shapes"
	"github.com/nacre-store/nacre/bench/codec/stock"
	"github.com/nacre-store/nacre/bench/sim"
	"github.com/nacre-store/nacre/gen/trading"
)

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// position returns one of two positions that differ in every field.
func position(other bool) *shapes.Position {
	if other {
		return &shapes.Position{
			PositionID: "ETHUSDT-PERP.BINANCE-Momentum-002", InstrumentID: "ETHUSDT-PERP.BINANCE", StrategyID: "Momentum-002",
			Side: "SHORT", Quantity: dec("107.250"), AvgPxOpen: dec("3711.95"), TsOpened: 1700000001123456789, TsLast: 1700000061123456789,
		}
	}
	return &shapes.Position{
		PositionID: "BTCUSDT-PERP.BINANCE-EMACross-001", InstrumentID: "BTCUSDT-PERP.BINANCE", StrategyID: "EMACross-001",
		Side: "LONG", Quantity: dec("12.345"), AvgPxOpen: dec("46271.10"), TsOpened: 1700000000123456789, TsLast: 1700000060123456789,
	}
}

func stockPosition(p *shapes.Position) *stock.Position {
	return &stock.Position{
		PositionID: string(p.PositionID), InstrumentID: p.InstrumentID, StrategyID: p.StrategyID, Side: string(p.Side),
		Quantity: p.Quantity, AvgPxOpen: p.AvgPxOpen, TSOpened: int64(p.TsOpened), TSLast: int64(p.TsLast),
	}
}

// order returns one of two orders with five events that differ in every field.
func order(other bool) *shapes.Order {
	n, px := "001", "46271."
	o := &shapes.Order{InstrumentID: "BTCUSDT-PERP.BINANCE", OrderType: "LIMIT", Side: "BUY", Status: "FILLED"}
	if other {
		n, px = "002", "3711."
		o = &shapes.Order{InstrumentID: "ETHUSDT-PERP.BINANCE", OrderType: "MARKET", Side: "SELL", Status: "CANCELED"}
	}
	o.ClientOrderID, o.VenueOrderID = shapes.ClientOrderID("O-20251230-"+n), "8389765"+n
	o.Quantity, o.AvgPx = dec("5.0"+n), dec(px+"55")
	for i := range 5 {
		e := shapes.OrderEvent{
			EventID: fmt.Sprintf("%s-b5c4-4f3e-8a9b-%012d", n, i), Status: "PARTIALLY_FILLED",
			LastQty: dec("1.0" + n), LastPx: dec(fmt.Sprintf("%s%d%d", px, i, i)), TsEvent: 1700000000123456789,
		}
		if other {
			e.Status, e.TsEvent = "ACCEPTED", 1700000000123456790
		}
		o.Events = append(o.Events, e)
	}
	return o
}

func stockOrder(o *shapes.Order) *stock.Order {
	s := &stock.Order{
		ClientOrderID: string(o.ClientOrderID), VenueOrderID: o.VenueOrderID, InstrumentID: o.InstrumentID, OrderType: string(o.OrderType),
		Side: string(o.Side), Quantity: o.Quantity, AvgPx: o.AvgPx, Status: string(o.Status),
	}
	for _, e := range o.Events {
		s.Events = append(s.Events, stock.OrderEvent{EventID: e.EventID, Status: string(e.Status), LastQty: e.LastQty, LastPx: e.LastPx, TSEvent: int64(e.TsEvent)})
	}
	return s
}

// account returns one of two accounts with four balances that differ in every field.
func account(other bool) *shapes.Account {
	a, k := &shapes.Account{AccountID: "BINANCE-USDT_FUTURES-master", AccountType: "MARGIN"}, "1"
	if other {
		a, k = &shapes.Account{AccountID: "BYBIT-USDT_FUTURES-sub-01", AccountType: "CASH"}, "2"
	}
	for i, c := range []string{"USDT", "BTC", "ETH", "BNB"} {
		a.Balances = append(a.Balances, shapes.Balance{
			Currency: c + k, Total: dec(fmt.Sprintf("10%d%s.50000000", i, k)), Locked: dec(fmt.Sprintf("%d%s.25", i, k)), Free: dec(fmt.Sprintf("9%d%s.25000000", i, k)),
		})
	}
	return a
}

func stockAccount(a *shapes.Account) *stock.Account {
	s := &stock.Account{AccountID: string(a.AccountID), AccountType: string(a.AccountType)}
	for _, b := range a.Balances {
		s.Balances = append(s.Balances, stock.Balance{Currency: b.Currency, Total: b.Total, Locked: b.Locked, Free: b.Free})
	}
	return s
}

// positions returns 10,000 positions of 50 instruments and 20 strategies, with
// 100 quantities and 500 prices.
func positions() []shapes.Position {
	rows := make([]shapes.Position, 10_000)
	for i := range rows {
		instrument, strategy := fmt.Sprintf("SYM%02dUSDT-PERP.BINANCE", i%50), fmt.Sprintf("EMACross-%03d", i/50%20)
		rows[i] = shapes.Position{
			PositionID: shapes.PositionID(fmt.Sprintf("%s-%s-%d", instrument, strategy, i)), InstrumentID: instrument, StrategyID: strategy, Side: "LONG",
			Quantity: decimal.New(int64(1+i*7%100), -3), AvgPxOpen: decimal.New(int64(4_627_110+i*13%500), -2),
			TsOpened: 1700000000123456789, TsLast: 1700000060123456789,
		}
	}
	return rows
}

// orders returns the 10,000 orders of the simulation.
var orders = sync.OnceValue(func() []sim.Order {
	const data = "../../testdata/market/"
	f, err := os.Open(data + "binance-usdm-exchange-info-2022-05-04.json")
	check(err)
	defer f.Close()
	info, err := binance.Parse(f)
	check(err)
	rows, err := binance.ToRows(info)
	check(err)
	bars, err := sim.ReadBars(data + "btc-perp-1m-2021-12-31.csv")
	check(err)
	market, err := sim.NewMarket(bars, rows.Instruments)
	check(err)
	flow, err := market.Run(sim.Options{})
	check(err)
	return flow.Orders
})

// realOrders returns two filled orders of the simulation.
func realOrders() (a, b *trading.Order) {
	var filled []*trading.Order
	all := orders()
	for i := range all {
		if o := &all[i].Row; o.Status == "FILLED" && o.Price.Valid && (len(filled) == 0 || o.InstrumentID != filled[0].InstrumentID && o.Side != filled[0].Side) {
			filled = append(filled, o)
		}
	}
	return clone(filled[0]), clone(filled[1])
}

func clone(o *trading.Order) *trading.Order {
	c := o.Clone()
	return &c
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
