package storetest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// What becomes of a program's state when Redis is killed and started again. A
// test has [storetest.Redis] or [storetest.Run] for this, which clean up by
// themselves.
func ExampleStart() {
	redis, err := storetest.Start(storetest.ServerOptions{Args: []string{"--appendfsync", "always"}})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = redis.Close() }()
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{
		Database: store.DatabaseConfig{Host: "127.0.0.1", Port: redis.Port()},
		Schemas:  []store.Schema{trading.Schema},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = s.Close(ctx) }()
	positions := trading.New(s).Positions
	fmt.Println(positions.Put(ctx, trading.Position{PositionID: "P-1", Side: trading.PositionSideLong}))

	redis.Kill()
	fmt.Println(redis.Restart())

	p, err := positions.Get(ctx, "P-1", store.Strong)
	fmt.Println(p.PositionID, p.Side, err)
	// Output:
	// <nil>
	// <nil>
	// P-1 LONG <nil>
}
