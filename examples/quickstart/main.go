// Command quickstart stores a position and lists the positions of a strategy,
// on a Redis inside its own process: `go run ./examples/quickstart` needs
// nothing else.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/alicebob/miniredis/v2"
	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/examples/quickstart/desk"
	"github.com/nacre-store/nacre/store"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, w io.Writer) error {
	redis, err := miniredis.Run() // your own would be store.Config{}: localhost:6379
	if err != nil {
		return err
	}
	defer redis.Close()
	s, err := store.Open(ctx, store.Config{
		Database: store.DatabaseConfig{Host: redis.Host(), Port: redis.Server().Addr().Port},
		TraderID: "TRADER-001",
		Schemas:  []store.Schema{desk.Schema},
	})
	if err != nil {
		return err
	}
	qty := decimal.RequireFromString("12.5")

	positions := desk.New(s).Positions // s, err := store.Open(ctx, config)
	p := desk.Position{PositionID: "P-1", StrategyID: "S-1", Side: desk.PositionSideLong, Quantity: qty}
	if err := positions.Put(ctx, p); err != nil { // row, expiry and indexes in one step
		return err
	}
	for p, err := range positions.ByStrategy("S-1").All(ctx) {
		fmt.Fprintln(w, p.PositionID, p.Side, p.Quantity, err) // P-1 LONG 12.5 <nil>
	}

	for _, key := range redis.Keys() {
		if !strings.Contains(key, "-nacre.") { // the store's own
			fmt.Fprintln(w, key)
		}
	}
	return s.Close(ctx)
}
