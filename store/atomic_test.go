package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

func filled(id string) trading.OrderEvent {
	return event(id, trading.OrderEventTypeFilled, trading.OrderStatusFilled)
}

// Of a re-delivered batch only what is new is appended, and the row's count
// speaks of the list as it then is.
func TestAppendOfAPartlyKnownBatch(t *testing.T) {
	d, ctx := open(t), t.Context()
	o := order("O-1", trading.OrderStatusAccepted)
	must(t, d.Orders.AppendEvents(ctx, counted(o, 1), filled("E-1")))
	must(t, d.Orders.AppendEvents(ctx, counted(o, 2), filled("E-1"), filled("E-2")))
	if err := d.Orders.AppendEvents(ctx, counted(o, 4), filled("E-2"), filled("E-3")); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a batch that leaves a hole: %v", err)
	}
	if events := all(t, d.Orders.Events("O-1").All(ctx)); len(events) != 2 || events[1].EventID != "E-2" {
		t.Errorf("events: %v", events)
	}
}

// A Commit whose appends are all known is a repetition and does nothing. In
// one that brings something new, a row whose own elements are all known stays.
func TestCommitWithKnownEvents(t *testing.T) {
	d, ctx := open(t), t.Context()
	must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusSubmitted), 1), filled("E-1")))
	must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusFilled), 2), filled("E-2")))
	book := func(events ...string) {
		t.Helper()
		must(t, d.Commit(ctx, func(tx *store.Tx) error {
			tt := trading.New(tx)
			for i, e := range events {
				p := position("P-1", trading.PositionSideLong)
				p.FillCount = store.Some(int64(i + 1))
				if err := tt.Positions.AppendFills(ctx, p, filled(e)); err != nil {
					return err
				}
			}
			return tt.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusSubmitted), 1), filled("E-1"))
		}))
	}
	book("E-1", "E-2")
	o, err := d.Orders.Get(ctx, "O-1")
	must(t, err)
	if o.Status != trading.OrderStatusFilled {
		t.Errorf("a known event took the order back to %s", o.Status)
	}
	if n, _ := d.Positions.Fills("P-1").Len(ctx); n != 2 {
		t.Errorf("%d fills, want 2", n)
	}
	p := position("P-1", trading.PositionSideShort)
	p.FillCount = store.Some(int64(2))
	must(t, d.Positions.Put(ctx, p))
	book("E-1", "E-2")
	if p, _ := d.Positions.Get(ctx, "P-1"); p.Side != trading.PositionSideShort {
		t.Errorf("a repeated Commit wrote a row")
	}
}

// A cycle closes and the next begins in one step, with the fill that did both.
func TestClearAndAppendInOneCommit(t *testing.T) {
	d, ctx := open(t), t.Context()
	p := position("P-1", trading.PositionSideLong)
	for i := range int64(3) {
		p.FillCount = store.Some(i + 1)
		must(t, d.Positions.AppendFills(ctx, p, filled(fmt.Sprint("E-", i))))
	}
	flip := func(n int64) error {
		return d.Commit(ctx, func(tx *store.Tx) error {
			tt := trading.New(tx)
			if err := tt.Positions.Fills("P-1").Clear(ctx); err != nil {
				return err
			}
			p := position("P-1", trading.PositionSideShort)
			p.FillCount = store.Some(n)
			return tt.Positions.AppendFills(ctx, p, filled("E-2"))
		})
	}
	if err := flip(4); !errors.Is(err, store.ErrRefused) {
		t.Errorf("a count that goes on over a Clear: %v", err)
	}
	must(t, flip(1))
	if fills := all(t, d.Positions.Fills("P-1").All(ctx)); len(fills) != 1 || fills[0].EventID != "E-2" {
		t.Errorf("fills of the new cycle: %v", fills)
	}
	d.want(t, "1", "HGET", "trader-position.seen_fills:P-1", "")
}

// A list that was emptied and filled again to the same length is not the list
// that was read.
func TestCommitSeesARefilledList(t *testing.T) {
	d, ctx := open(t), t.Context()
	p := position("P-1", trading.PositionSideLong)
	must(t, d.Positions.AppendFills(ctx, p, filled("E-1")))
	runs := 0
	must(t, d.Commit(ctx, func(tx *store.Tx) error {
		tt := trading.New(tx)
		all(t, tt.Positions.Fills("P-1").All(ctx))
		if runs++; runs == 1 {
			must(t, d.Positions.Fills("P-1").Clear(ctx))
			must(t, d.Positions.AppendFills(ctx, p, filled("E-2")))
		}
		return tt.Positions.AppendAdjustments(ctx, p, trading.PositionAdjustment{AdjustmentID: "A-1"})
	}))
	if runs != 2 {
		t.Errorf("the function ran %d times, want 2", runs)
	}
}

// A key of a foreign type cannot be written. Where that comes first nothing is
// done; where it comes later, the rest is done and the error says so.
func TestForeignTypes(t *testing.T) {
	d, ctx := open(t), t.Context()
	for key, c := range map[string]struct {
		part  bool
		write func() error
	}{
		"trader-instrument:X.Y": {false, func() error {
			return d.Instruments.Put(ctx, trading.Instrument{InstrumentID: "X.Y"})
		}},
		"trader-order.events:O-1": {true, func() error {
			return d.Orders.AppendEvents(ctx, order("O-1", trading.OrderStatusAccepted), filled("E-1"))
		}},
		"trader-position.ids": {true, func() error {
			return d.Positions.Put(ctx, position("P-1", trading.PositionSideLong))
		}},
	} {
		d.do(t, "SETRANGE", key, "0", "not this")
		if !c.part {
			d.do(t, "DEL", key)
			d.do(t, "HSET", key, "a", "b")
		}
		err := c.write()
		if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "WRONGTYPE") || strings.Contains(err.Error(), "in part") != c.part {
			t.Errorf("%s: %v", key, err)
		}
		if table, _, _ := strings.Cut(strings.TrimPrefix(key, "trader-"), "."); c.part && !strings.Contains(err.Error(), table) {
			t.Errorf("%v does not name the row", err)
		}
	}
	d.want(t, "0", "EXISTS", "trader-instrument.ids")
	d.want(t, "1", "EXISTS", "trader-order:O-1")
}

// Without the right to MULTI the commands of a Put stand alone.
func TestPutWithoutMulti(t *testing.T) {
	d, ctx := open(t), t.Context()
	d.do(t, "ACL", "SETUSER", "default", "-multi")
	if err := d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "in part") {
		t.Errorf("Put without MULTI: %v", err)
	}
	d.do(t, "ACL", "SETUSER", "default", "+multi", "-zadd")
	if err := d.Positions.Put(ctx, position("P-2", trading.PositionSideLong)); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "NOPERM") {
		t.Errorf("Put without ZADD: %v", err)
	}
	d.want(t, "0", "EXISTS", "trader-position:P-2")
}

func TestHashOfADeletedRow(t *testing.T) {
	d, ctx := open(t), t.Context()
	must(t, d.Accounts.Put(ctx, trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeCash}))
	err := d.Commit(ctx, func(tx *store.Tx) error {
		tt := trading.New(tx)
		if err := tt.Accounts.Delete(ctx, "A-1"); err != nil {
			return err
		}
		return tt.Accounts.Balances("A-1").Put(ctx, "USDT", trading.Balance{Currency: "USDT"})
	})
	if !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a balance of a row that the same Commit deletes: %v", err)
	}
	must(t, d.Commit(ctx, func(tx *store.Tx) error { // this order is fine
		tt := trading.New(tx)
		must(t, tt.Accounts.Balances("A-1").Put(ctx, "USDT", trading.Balance{Currency: "USDT"}))
		return tt.Accounts.Delete(ctx, "A-1")
	}))
	d.wantEmpty(t)
}

// Several writes of one row in one call leave the sets of its old bytes and of
// those between.
func TestSetsOfRowsBetween(t *testing.T) {
	d, ctx := open(t), t.Context()
	at := func(instrument, strategy string) trading.Position {
		p := position("P-1", trading.PositionSideLong)
		p.InstrumentID, p.StrategyID = trading.InstrumentID(instrument), strategy
		return p
	}
	for _, i := range []string{"A.X", "B.X", "C.X"} {
		must(t, d.Instruments.Put(ctx, trading.Instrument{InstrumentID: trading.InstrumentID(i)}))
	}
	check := func(how string) {
		t.Helper()
		for _, key := range []string{"by_strategy:S-A", "by_strategy:S-B", "by_instrument:A.X", "by_instrument:B.X"} {
			if got := d.do(t, "EXISTS", "trader-position."+key); got != "0" {
				t.Errorf("%s: %s still lists something", how, key)
			}
		}
		d.wantTTL(t, "trader-instrument:A.X", 24*time.Hour)
		d.wantTTL(t, "trader-instrument:B.X", 24*time.Hour)
		d.wantTTL(t, "trader-instrument:C.X", 0)
	}
	rows := []trading.Position{at("B.X", "S-B"), at("C.X", "S-C")}
	must(t, d.Positions.Put(ctx, at("A.X", "S-A")))
	must(t, d.Positions.PutMany(ctx, slices.Values(rows)))
	check("PutMany")
	must(t, d.Positions.Put(ctx, at("A.X", "S-A")))
	must(t, d.Commit(ctx, func(tx *store.Tx) error {
		return trading.New(tx).Positions.PutMany(ctx, slices.Values(rows))
	}))
	check("Commit")
	must(t, d.Positions.Put(ctx, at("A.X", "S-A")))
	must(t, d.Commit(ctx, func(tx *store.Tx) error {
		tt := trading.New(tx)
		if err := tt.Positions.Delete(ctx, "P-1"); err != nil {
			return err
		}
		return tt.Positions.PutMany(ctx, slices.Values(rows))
	}))
	check("Commit with a Delete")
	must(t, d.Positions.Delete(ctx, "P-1"))
	d.wantTTL(t, "trader-instrument:C.X", 24*time.Hour)
}

// A row that is larger than the server takes is refused, and closes nobody
// else's operation for good.
func TestTooBigForTheServer(t *testing.T) {
	d, ctx := open(t), t.Context()
	d.do(t, "CONFIG", "SET", "proto-max-bulk-len", "1mb")
	p := position("P-1", trading.PositionSideLong)
	p.Extra = ""
	for range 3 {
		big := position("P-big", trading.PositionSideLong)
		big.StrategyID = "S"
		big.VenuePositionID = strings.Repeat("x", 2<<20)
		err := d.Positions.Put(ctx, big)
		if !errors.Is(err, store.ErrRefused) && !errors.Is(err, store.ErrUnknownOutcome) {
			t.Errorf("Put of 2 MiB: %v", err)
		}
	}
	must(t, d.Positions.Put(ctx, p))
	d.want(t, "0", "EXISTS", "trader-position:P-big")
}

// An error that no element of the answer can hide: the context ends while a
// write is under way.
func TestWriteWithoutTime(t *testing.T) {
	d := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)); !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("Put with a context that has ended: %v", err)
	}
	must(t, d.srv.Pause())
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)); !errors.Is(err, store.ErrUnknownOutcome) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Put to a paused server: %v", err)
	}
	must(t, d.srv.Resume())
}
