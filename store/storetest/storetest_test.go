package storetest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/examples/quickstart/desk"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// open is what a consumer's test does with a configuration of this package.
func open(t *testing.T, cfg store.Config) desk.Positions {
	t.Helper()
	cfg.Schemas = []store.Schema{desk.Schema}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return desk.New(s).Positions
}

// TestServers runs the same calls on a real and on the embedded server.
func TestServers(t *testing.T) {
	for name, config := range map[string]func(testing.TB) store.Config{
		"Redis": storetest.Redis, "Embedded": storetest.Embedded,
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			positions := open(t, config(t))
			want := desk.Position{PositionID: "P-1", StrategyID: "S-1", Side: desk.PositionSideLong, Quantity: decimal.RequireFromString("1.10")}
			if err := positions.Put(ctx, want); err != nil {
				t.Fatal(err)
			}
			got, err := positions.Get(ctx, "P-1")
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("Get (-want +got):\n%s", d)
			}
			want.Side = desk.PositionSideFlat
			if err := positions.Put(ctx, want); err != nil {
				t.Fatal(err)
			}
			if n, err := positions.Open().Count(ctx); n != 0 || err != nil {
				t.Errorf("open positions: %d, %v", n, err)
			}
			if n, err := positions.ByStrategy("S-1").Count(ctx); n != 1 || err != nil {
				t.Errorf("positions of the strategy: %d, %v", n, err)
			}
			if err := positions.Delete(ctx, "P-1"); err != nil {
				t.Fatal(err)
			}
			if _, err := positions.Get(ctx, "P-1"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("Get of a deleted row: %v", err)
			}
		})
	}
}

// TestEachServerIsItsOwn opens two configurations: what one holds, the other
// does not.
func TestEachServerIsItsOwn(t *testing.T) {
	a, b := open(t, storetest.Redis(t)), open(t, storetest.Redis(t))
	if err := a.Put(t.Context(), desk.Position{PositionID: "P-1", Side: desk.PositionSideLong}); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Count(t.Context()); n != 0 || err != nil {
		t.Errorf("rows on the other server: %d, %v", n, err)
	}
}
