package store_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// exampleStore is a store on a Redis of its own; yours needs no Database if
// Redis is on localhost:6379.
func exampleStore() (s *store.Store, closeAll func()) {
	redis, err := storetest.Start(storetest.ServerOptions{})
	if err != nil {
		log.Fatal(err)
	}
	s, err = store.Open(context.Background(), store.Config{
		Database: store.DatabaseConfig{Host: "127.0.0.1", Port: redis.Port()},
		TraderID: "TRADER-001", Schemas: []store.Schema{trading.Schema},
	})
	if err != nil {
		log.Fatal(err)
	}
	return s, func() { _ = s.Close(context.Background()); _ = redis.Close() }
}

// A row is put, read, changed beside other writers, found by an index, and
// deleted.
func Example() {
	s, closeAll := exampleStore()
	defer closeAll()
	ctx, positions := context.Background(), trading.New(s).Positions

	p := trading.Position{PositionID: "P-1", StrategyID: "S-1", Side: trading.PositionSideLong, Quantity: decimal.RequireFromString("1.50")}
	fmt.Println(positions.Put(ctx, p))
	p, err := positions.Update(ctx, "P-1", func(p *trading.Position) error {
		p.Quantity = p.Quantity.Add(decimal.RequireFromString("0.25"))
		return nil
	})
	fmt.Println(p.Quantity, err)
	for p, err := range positions.ByStrategy("S-1").All(ctx) {
		fmt.Println(p.PositionID, p.Side, err)
	}
	fmt.Println(positions.Delete(ctx, "P-1"))
	_, err = positions.Get(ctx, "P-1")
	fmt.Println(errors.Is(err, store.ErrNotFound), err)
	// Output:
	// <nil>
	// 1.75 <nil>
	// P-1 LONG <nil>
	// <nil>
	// true position "P-1": not found
}

// A risk monitor keeps up with the open positions: first those that are there,
// then every change.
func ExampleSet_Watch() {
	s, closeAll := exampleStore()
	defer closeAll()
	ctx, positions := context.Background(), trading.New(s).Positions
	put := func(side trading.PositionSide) {
		if err := positions.Put(ctx, trading.Position{PositionID: "P-1", Side: side}); err != nil {
			log.Fatal(err)
		}
	}
	put(trading.PositionSideLong)
	for c, err := range positions.Open().Watch(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if c.Kind == store.Synced { // what was there is told
			fmt.Println(c.Kind)
			put(trading.PositionSideFlat)
			continue
		}
		fmt.Println(c.Kind, c.ID, c.New.Side)
		if c.Kind == store.Removed { // it is open no more
			return
		}
	}
	// Output:
	// Present P-1 LONG
	// Synced
	// Removed P-1 FLAT
}
