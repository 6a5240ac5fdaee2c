package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// The histories of many rows come in the order of the ids, each once, in few
// round trips.
func TestListsOfManyRows(t *testing.T) {
	d, ctx := open(t), t.Context()
	var ids []trading.ClientOrderID
	for i := range 500 {
		o := order(fmt.Sprintf("O-%03d", i), trading.OrderStatusAccepted)
		ids = append(ids, o.ClientOrderID)
		var events []trading.OrderEvent
		for n := range i % 4 {
			events = append(events, event(fmt.Sprintf("%d-%d", i, n), trading.OrderEventTypeAccepted, trading.OrderStatusAccepted))
		}
		must(t, d.Orders.AppendEvents(ctx, o, events...))
	}
	slices.Reverse(ids)
	ids = append(ids, "O-none", "O-007")
	d.do(t, "CONFIG", "RESETSTAT")
	at := 0
	for of, err := range d.Orders.EventsOf(ctx, ids...) {
		must(t, err)
		if of.ID != ids[at] {
			t.Fatalf("%s at the place of %s", of.ID, ids[at])
		}
		at++
		var i int
		if n, _ := fmt.Sscanf(string(of.ID), "O-%d", &i); n == 0 {
			i = 0
		}
		if len(of.All) != i%4 {
			t.Errorf("%s: %d events, want %d", of.ID, len(of.All), i%4)
		}
		for n, e := range of.All {
			if want := fmt.Sprintf("%d-%d", i, n); e.EventID != want {
				t.Errorf("%s: event %s at the place of %s", of.ID, e.EventID, want)
			}
		}
	}
	if at != len(ids) {
		t.Errorf("%d lists, want %d", at, len(ids))
	}
	stats := d.do(t, "INFO", "stats")
	_, rest, _ := strings.Cut(stats, "total_reads_processed:")
	var reads int
	_, err := fmt.Sscan(rest, &reads)
	must(t, err)
	if reads > 60 {
		t.Errorf("%d lists took %d reads of the server", len(ids), reads)
	}
	// The loop may end anywhere.
	before := goleak.IgnoreCurrent()
	for of := range d.Orders.EventsOf(ctx, ids...) {
		if of.ID == ids[100] {
			break
		}
	}
	goleak.VerifyNone(t, before)
	for range d.Orders.EventsOf(ctx) {
		t.Error("a list of no row")
	}
}

// Hashes come alike, and inside a Commit the function's own writes are seen.
func TestHashesOfManyRows(t *testing.T) {
	d, ctx := open(t), t.Context()
	var ids []trading.AccountID
	for i := range 40 {
		id := trading.AccountID(fmt.Sprintf("A-%02d", i))
		ids = append(ids, id)
		must(t, d.Accounts.Put(ctx, trading.Account{AccountID: id, AccountType: trading.AccountTypeMargin}))
		for n := range i % 3 {
			c := fmt.Sprintf("C%d", n)
			must(t, d.Accounts.Balances(id).Put(ctx, c, trading.Balance{Currency: c, Total: dec("1.10")}))
		}
	}
	check := func(accounts trading.Accounts, more int) {
		t.Helper()
		at := 0
		for of, err := range accounts.BalancesOf(ctx, ids...) {
			must(t, err)
			want := at % 3
			if at == 3 {
				want += more
			}
			if of.ID != ids[at] || len(of.All) != want {
				t.Errorf("%s: %v, want %d of %s", of.ID, of.All, want, ids[at])
			}
			at++
		}
		if at != len(ids) {
			t.Errorf("%d hashes, want %d", at, len(ids))
		}
	}
	check(d.Accounts, 0)
	must(t, d.Commit(ctx, func(tx *store.Tx) error {
		in := trading.New(tx)
		if err := in.Accounts.Balances(ids[3]).Put(ctx, "X", trading.Balance{Currency: "X"}); err != nil {
			return err
		}
		check(in.Accounts, 1)
		return nil
	}))
	check(d.Accounts, 1)
}

// What is wrong with one list is said of it, with its elements that can be
// read, and the others follow. What is wrong with all is the end.
func TestBadListsAreErrorsOfTheirOwn(t *testing.T) {
	d, ctx := open(t), t.Context()
	var ids []trading.ClientOrderID
	for i := range 50 {
		o := order(fmt.Sprintf("O-%02d", i), trading.OrderStatusAccepted)
		ids = append(ids, o.ClientOrderID)
		must(t, d.Orders.AppendEvents(ctx, o, event("E-1", trading.OrderEventTypeAccepted, trading.OrderStatusAccepted)))
	}
	d.do(t, "RPUSH", "trader-order.events:O-20", "nonsense")
	d.do(t, "DEL", "trader-order.events:O-30")
	d.do(t, "SET", "trader-order.events:O-30", "no list")
	ids[40] = "" // an id that cannot be
	lists, failed := 0, ""
	for of, err := range d.Orders.EventsOf(ctx, ids...) {
		lists++
		var re *store.RowError
		if err == nil {
			if len(of.All) != 1 {
				t.Errorf("%s: %d events", of.ID, len(of.All))
			}
			continue
		}
		if !errors.As(err, &re) || re.Table != "order" || re.ID != string(of.ID) {
			t.Errorf("%s: %v", of.ID, err)
		}
		failed += fmt.Sprintf("%s:%d %s;", of.ID, len(of.All), re.Field)
	}
	if lists != 50 || failed != "O-20:1 events[1];O-30:0 ;:0 ;" {
		t.Errorf("%d lists; %s", lists, failed)
	}
	must(t, d.Store.Close(ctx))
	n := 0
	for _, err := range d.Orders.EventsOf(ctx, ids...) {
		if n++; !errors.Is(err, store.ErrClosed) {
			t.Errorf("of a closed store: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d yields of a closed store", n)
	}
}

// What was accepted into the buffer before is among what is read.
func TestListsOfManyRowsBehindTheBuffer(t *testing.T) {
	d, ctx := open(t, func(c *store.Config) { c.BufferIntervalMS = 10_000 }), t.Context()
	var ids []trading.ClientOrderID
	for i := range 20 {
		o := order(fmt.Sprint("O-", i), trading.OrderStatusAccepted)
		ids = append(ids, o.ClientOrderID)
		must(t, d.Orders.AppendEvents(ctx, o, event("E-1", trading.OrderEventTypeAccepted, trading.OrderStatusAccepted)))
	}
	for of, err := range d.Orders.EventsOf(ctx, ids...) {
		if must(t, err); len(of.All) != 1 {
			t.Errorf("%s: %d events", of.ID, len(of.All))
		}
	}
}

// Stats tell how far a service has come that recovers.
func TestRecoveryStats(t *testing.T) {
	d, ctx := open(t), t.Context()
	fill(t, d, 2000)
	d.do(t, "SET", "trader-position:P-000007", "nonsense")
	n := 0
	for range d.Positions.All(ctx) {
		if n++; n == 500 {
			if r := d.Stats().Recovery; r.Listed != 2000 || r.Read < 500 || r.Read > 2000 || r.Bytes == 0 {
				t.Errorf("amid the loop: %+v", r)
			}
		}
	}
	for range d.Positions.FillsOf(ctx, "P-000001", "P-000002") {
		n++
	}
	if r := d.Stats().Recovery; n != 2002 || r.Listed != 2000 || r.Read != 2000 || r.Parts != 2 || r.Unreadable != 1 {
		t.Errorf("behind the loops: %d, %+v", n, r)
	}
}
