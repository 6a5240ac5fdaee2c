package dataset

import (
	"bytes"
	"context"
	"iter"
	"log/slog"
	"testing"

	"github.com/nacre-store/nacre/bench/sim"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// message is what all rows and elements are: pointers to them encode themselves.
type message[T any] interface {
	*T
	MarshalMsg([]byte) ([]byte, error)
}

// same compares a list as it comes back with the one that was simulated, by bytes.
func same[T any, P message[T]](t *testing.T, name string, got iter.Seq2[T, error], want []T) {
	t.Helper()
	i := 0
	for e, err := range got {
		if err != nil {
			t.Fatalf("%s[%d]: %v", name, i, err)
		}
		if i < len(want) {
			equal[T, P](t, name, e, want[i])
		}
		i++
	}
	if i != len(want) {
		t.Errorf("%s: %d elements, want %d", name, i, len(want))
	}
}

func equal[T any, P message[T]](t *testing.T, name string, got, want T) {
	t.Helper()
	a, err := P(&got).MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := P(&want).MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
	}
}

// Everything that one seed yields comes back from Redis: rows, histories, fills, cycles, balances, margins.
func TestLoadedStateComesBack(t *testing.T) {
	cfg := storetest.Redis(t)
	cfg.Schemas, cfg.Logger = []store.Schema{trading.Schema}, slog.New(slog.DiscardHandler)
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	tables := trading.New(s)
	src, err := ReadSource("../../../testdata/market")
	if err != nil {
		t.Fatal(err)
	}
	set := New("trader")
	defer func() { _ = set.Free() }()
	if err := Load(t.Context(), tables, src, set, Plan{Rows: 10_000}); err != nil {
		t.Fatal(err)
	}
	f, err := src.Market.Run(sim.Options{Events: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	for i := 0; i < len(f.Orders); i += 17 {
		o := &f.Orders[i]
		row, err := tables.Orders.Get(ctx, o.Row.ClientOrderID)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "order", row, o.Row)
		same(t, "events of "+string(o.Row.ClientOrderID), tables.Orders.Events(o.Row.ClientOrderID).All(ctx), o.Events)
	}
	for i := 0; i < len(f.Positions); i += 5 {
		p := &f.Positions[i]
		id := p.Row.PositionID
		row, err := tables.Positions.Get(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "position", row, p.Row)
		same(t, "fills of "+string(id), tables.Positions.Fills(id).All(ctx), p.Fills)
		same(t, "adjustments of "+string(id), tables.Positions.Adjustments(id).All(ctx), p.Adjustments)
		same(t, "cycles of "+string(id), tables.Positions.Cycles(id).All(ctx), p.Cycles)
	}
	for _, a := range f.Accounts {
		same(t, "events of "+string(a.Row.AccountID), tables.Accounts.Events(a.Row.AccountID).All(ctx), a.Events)
		balances, err := tables.Accounts.Balances(a.Row.AccountID).All(ctx)
		if err != nil || len(balances) != len(a.Balances) {
			t.Errorf("%d balances, want %d (%v)", len(balances), len(a.Balances), err)
		}
		for _, b := range a.Balances {
			equal(t, "balance", balances[b.Currency], b)
		}
		margins, err := tables.Accounts.Margins(a.Row.AccountID).All(ctx)
		if err != nil || len(margins) != len(a.Margins) {
			t.Errorf("%d margins, want %d (%v)", len(margins), len(a.Margins), err)
		}
		for _, m := range a.Margins {
			equal(t, "margin", margins[m.InstrumentID], m)
		}
	}
	working := 0
	for _, o := range f.Orders {
		if o.Row.TsClosed == 0 {
			working++
		}
	}
	pending, err := tables.Orders.Pending().Count(ctx)
	if err != nil {
		t.Fatal(err)
	}
	open, err := tables.Orders.Open().Count(ctx)
	if err != nil || pending+open != working {
		t.Errorf("%d pending and %d open by the indexes, %d by the simulation (%v)", pending, open, working, err)
	}
	if set.Len() < 10_000 || set.Count[Instrument] != 155 {
		t.Errorf("%d rows, %d instruments", set.Len(), set.Count[Instrument])
	}
}
