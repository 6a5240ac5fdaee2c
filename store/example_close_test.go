package store_test

import (
	"context"
	"log"
	"os/signal"
	"syscall"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// A program with a write buffer ends without losing anything that it has
// accepted: SIGTERM stops the work, and Close sends what is left. What cannot
// be sent in time is named, row by row.
func ExampleStore_Close() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	s, err := store.Open(ctx, store.Config{
		TraderID: "TRADER-001", BufferIntervalMS: 100, Schemas: []store.Schema{trading.Schema},
		OnError: func(err error) { log.Print("a buffered write has failed: ", err) },
	})
	if err != nil {
		log.Fatal(err)
	}
	work(ctx, trading.New(s)) // until the context ends

	// Not ctx: that has ended. Less than the grace of the process manager.
	closing, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := s.Close(closing); err != nil {
		log.Fatal(err) // names every row that may not be stored
	}
}

func work(ctx context.Context, _ trading.Tables) { <-ctx.Done() }
