// Command blotter prints the live trades of a repo desk.
package main

import (
	"context"
	"fmt"
	"log"
	"os/signal"
	"syscall"

	"github.com/nacre-store/nacre/store"

	"example.com/repodesk/gen/repo"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	s, err := store.Open(ctx, store.Config{Schemas: []store.Schema{repo.Schema}})
	if err != nil {
		return err
	}
	for t, err := range repo.New(s).Trades.Live().All(ctx) {
		if err != nil {
			return err
		}
		fmt.Println(t.TradeID, t.Direction, t.SecurityID, t.Near.Cash, t.Currency)
	}
	return s.Close(ctx)
}
