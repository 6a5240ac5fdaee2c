package trading_test

import (
	"context"
	"fmt"
	"log"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// An order is accepted; its fill changes history, order and position in one
// step; afterwards the open position is what a restart would find.
func Example() {
	redis, err := storetest.Start(storetest.ServerOptions{}) // a Redis of this program's own
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = redis.Close() }()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{
		Database: store.DatabaseConfig{Host: "127.0.0.1", Port: redis.Port()},
		TraderID: "TRADER-001",
		Schemas:  []store.Schema{trading.Schema},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Close(ctx) }()
	in := trading.New(s)

	order := trading.Order{
		ClientOrderID: "O-20251230-001", InstrumentID: "BTCUSDT-PERP.BINANCE", OrderType: trading.OrderTypeLimit,
		Side: trading.OrderSideBuy, Quantity: decimal.RequireFromString("0.1"), Status: trading.OrderStatusAccepted,
	}
	accepted := trading.OrderEvent{EventID: "E-1", Type: trading.OrderEventTypeAccepted, Status: order.Status}
	if err := in.Orders.AppendEvents(ctx, order, accepted); err != nil {
		log.Fatal(err)
	}

	err = s.Commit(ctx, func(tx *store.Tx) error {
		in := trading.New(tx)
		o, err := in.Orders.Get(ctx, order.ClientOrderID)
		if err != nil {
			return err
		}
		o.Status = trading.OrderStatusFilled
		filled := trading.OrderEvent{EventID: "E-2", Type: trading.OrderEventTypeFilled, Status: o.Status, LastQty: store.Some(o.Quantity)}
		if err := in.Orders.AppendEvents(ctx, o, filled); err != nil {
			return err
		}
		return in.Positions.Put(ctx, trading.Position{
			PositionID: "P-1", InstrumentID: o.InstrumentID, StrategyID: "EMACross-001",
			Side: trading.PositionSideLong, Quantity: o.Quantity,
		})
	})
	if err != nil {
		log.Fatal(err)
	}

	for p, err := range in.Positions.Open().All(ctx) {
		fmt.Println(p.PositionID, p.Side, p.Quantity, p.InstrumentID, err)
	}
	for e, err := range in.Orders.Events(order.ClientOrderID).All(ctx) {
		fmt.Println(e.EventID, e.Type, err)
	}
	n, err := in.Orders.Open().Count(ctx)
	fmt.Println(n, "open orders", err)
	// Output:
	// P-1 LONG 0.1 BTCUSDT-PERP.BINANCE <nil>
	// E-1 ACCEPTED <nil>
	// E-2 FILLED <nil>
	// 0 open orders <nil>
}
