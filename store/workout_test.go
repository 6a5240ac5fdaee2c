package store_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// A workout does everything that a store can do, once, on a tenant that has no
// keys, and checks the effects at the server: it is what connections of every
// kind, access rules and topologies have to carry. With a write buffer it looks
// at the server, and for errors, behind a Flush.
type workout struct {
	*store.Store
	trading.Tables
	ns  string // start of the tenant's keys
	raw func(args ...string) (string, error)

	errs []error
}

// buffered is a configuration under which the workout needs the write buffer:
// by itself that sends nothing while it runs.
func buffered(c *store.Config) { c.BufferIntervalMS = int(time.Hour.Milliseconds()) }

// run leaves the tenant without keys again. Its error joins what went wrong.
func (w *workout) run(ctx context.Context) error {
	w.Tables = trading.New(w.Store)
	w.rows(ctx)
	w.sets(ctx)
	w.histories(ctx)
	w.hashes(ctx)
	w.series(ctx)
	w.commits(ctx)
	w.many(ctx)
	w.watch(ctx)
	w.verify(ctx)
	w.ends(ctx)
	return errors.Join(w.errs...)
}

// ok notes an error of the step.
func (w *workout) ok(step string, err error) {
	if err != nil {
		w.errs = append(w.errs, fmt.Errorf("%s: %w", step, err))
	}
}

// same notes that the step gave something else.
func same[T comparable](w *workout, step string, got, want T) {
	if got != want {
		w.errs = append(w.errs, fmt.Errorf("%s: got %v, want %v", step, got, want))
	}
}

// refused notes that a write failed in another way, or not at all: behind its
// acceptance, where that is early.
func (w *workout) refused(ctx context.Context, step string, err, want error) {
	if err == nil {
		err = w.Flush(ctx)
	}
	if !errors.Is(err, want) {
		w.errs = append(w.errs, fmt.Errorf("%s: %v, want %w", step, err, want))
	}
}

// at asks the server, which then has everything that was accepted.
func (w *workout) at(args ...string) (string, error) {
	if err := w.Flush(context.Background()); err != nil {
		return "", err
	}
	return w.raw(args...)
}

// is notes a reply of the server that is another.
func (w *workout) is(want string, args ...string) {
	got, err := w.at(args...)
	w.ok(strings.Join(args, " "), err)
	same(w, strings.Join(args, " "), got, want)
}

// listed collects a sequence.
func listed[V any](w *workout, step string, seq iter.Seq2[V, error]) []V {
	var vs []V
	for v, err := range seq {
		w.ok(step, err)
		vs = append(vs, v)
	}
	return vs
}

func (w *workout) rows(ctx context.Context) {
	p := position("P-1", trading.PositionSideLong)
	w.ok("put", w.Positions.Put(ctx, p))
	got, err := w.Positions.Get(ctx, "P-1")
	w.ok("get", err)
	same(w, "quantity", got.Quantity.String(), p.Quantity.String())
	_, err = w.Positions.Get(ctx, "P-0")
	same(w, "get of no row", errors.Is(err, store.ErrNotFound), true)

	w.ok("put a row that is kept", w.Instruments.Put(ctx, trading.Instrument{InstrumentID: p.InstrumentID}))
	w.is("-1", "PTTL", w.ns+"-instrument:BTCUSDT-PERP.BINANCE")
	p.Side, p.StrategyID = trading.PositionSideFlat, "other"
	w.ok("put into another state", w.Positions.Put(ctx, p))
	w.is("(nil)", "ZSCORE", w.ns+"-position.by_strategy:EMACross-001", "P-1")
	w.is("0", "EXISTS", w.ns+"-instrument.held:BTCUSDT-PERP.BINANCE")
	if ttl, err := w.at("PTTL", w.ns+"-instrument:BTCUSDT-PERP.BINANCE"); err != nil || ttl == "-1" {
		w.ok("release", fmt.Errorf("PTTL %s, %v", ttl, err))
	}
	row, err := w.Positions.Update(ctx, "P-1", func(p *trading.Position) error {
		p.Side = trading.PositionSideShort
		return nil
	})
	w.ok("update", err)
	same(w, "updated", row.Side, trading.PositionSideShort)
	w.is("-1", "PTTL", w.ns+"-position:P-1")
}

// sets also checks that members without a row, and members whose time is over,
// are dropped.
func (w *workout) sets(ctx context.Context) {
	w.ok("put", w.Positions.Put(ctx, position("P-2", trading.PositionSideLong)))
	_, err := w.at("ZADD", w.ns+"-position.open", "+inf", "P-ghost")
	w.ok("ghost", err)
	_, err = w.at("ZADD", w.ns+"-position.ids", "1000", "P-2")
	w.ok("over", err)
	same(w, "open", len(listed(w, "all", w.Positions.Open().All(ctx))), 2)
	w.is("(nil)", "ZSCORE", w.ns+"-position.open", "P-ghost")
	n, err := w.Positions.ByStrategy("EMACross-001").Count(ctx)
	w.ok("count", err)
	same(w, "of a strategy", n, 1)
	_, err = w.Positions.Count(ctx)
	w.ok("count", err)
	w.is("(nil)", "ZSCORE", w.ns+"-position.ids", "P-2")
	w.ok("put", w.Positions.Put(ctx, position("P-2", trading.PositionSideLong)))
	ids := []trading.PositionID{"P-1", "P-2"}
	same(w, "get many", len(listed(w, "get many", w.Positions.GetMany(ctx, ids...))), 2)
}

func (w *workout) histories(ctx context.Context) {
	o := order("O-1", trading.OrderStatusAccepted)
	es := []trading.OrderEvent{
		event("E-1", trading.OrderEventTypeSubmitted, trading.OrderStatusSubmitted),
		event("E-2", trading.OrderEventTypeAccepted, trading.OrderStatusAccepted),
	}
	o.EventCount = store.Some(int64(2))
	w.ok("append", w.Orders.AppendEvents(ctx, o, es...))
	w.ok("append again", w.Orders.AppendEvents(ctx, o, es...))
	o.EventCount = store.Some(int64(9))
	w.refused(ctx, "append to another length", w.Orders.AppendEvents(ctx, o, event("E-9", trading.OrderEventTypeFilled, trading.OrderStatusFilled)), store.ErrConflict)
	events := w.Orders.Events("O-1")
	same(w, "events", len(listed(w, "events", events.All(ctx))), 2)
	same(w, "last event", len(listed(w, "events", events.Last(ctx, 1))), 1)
	n, err := events.Len(ctx)
	w.ok("len", err)
	same(w, "len", n, 2)
	w.ok("clear", events.Clear(ctx))
	o.EventCount, o.Status = store.Some(int64(1)), trading.OrderStatusFilled
	w.ok("append to a closed row", w.Orders.AppendEvents(ctx, o, event("E-3", trading.OrderEventTypeFilled, trading.OrderStatusFilled)))
	if ttl, err := w.at("PTTL", w.ns+"-order.events:O-1"); err != nil || ttl == "-1" {
		w.ok("history of a closed order", fmt.Errorf("PTTL %s, %v", ttl, err))
	}
}

func (w *workout) hashes(ctx context.Context) {
	a := trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeMargin}
	w.ok("put", w.Accounts.Put(ctx, a))
	balances := w.Accounts.Balances("A-1")
	for _, c := range []string{"USDT", "BTC"} {
		w.ok("put balance", balances.Put(ctx, c, trading.Balance{Currency: c, Total: dec("1.10")}))
	}
	b, err := balances.Get(ctx, "USDT")
	w.ok("get balance", err)
	same(w, "balance", b.Total.String(), "1.1")
	all, err := balances.All(ctx)
	w.ok("balances", err)
	same(w, "balances", len(all), 2)
	w.ok("delete balance", balances.Delete(ctx, "BTC"))
	w.refused(ctx, "balance of no account", w.Accounts.Balances("A-0").Put(ctx, "USDT", b), store.ErrNotFound)
}

func (w *workout) series(ctx context.Context) {
	for i := range 5 { // on a cluster, in slots of their own
		id := trading.InstrumentID(fmt.Sprintf("X%d.BINANCE", i))
		w.ok("append to a series", w.QuoteTicks.Append(ctx, id, trading.QuoteTick{BidPrice: dec("1.0"), TsEvent: 1}, trading.QuoteTick{BidPrice: dec("1.1"), TsEvent: 2}))
		same(w, "series", len(listed(w, "series", w.QuoteTicks.All(ctx, id))), 2)
		same(w, "end of a series", len(listed(w, "series", w.QuoteTicks.Last(ctx, id, 1))), 1)
	}
}

func (w *workout) commits(ctx context.Context) {
	w.ok("commit", w.Commit(ctx, func(tx *store.Tx) error {
		t := trading.New(tx)
		o, err := t.Orders.Get(ctx, "O-1")
		if err != nil {
			return err
		}
		n, err := t.Orders.Events("O-1").Len(ctx)
		if err != nil {
			return err
		}
		all, err := t.Accounts.Balances("A-1").All(ctx)
		if err != nil {
			return err
		}
		if _, err := t.Accounts.Balances("A-1").Get(ctx, "ETH"); !errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("balance that is absent: %w", err)
		}
		o.EventCount = store.Some(int64(n + 1))
		usdt := all["USDT"]
		usdt.Total = dec("2")
		_, err = t.Positions.Update(ctx, "P-1", func(p *trading.Position) error { p.Quantity = dec("3"); return nil })
		return errors.Join(err, t.Orders.AppendEvents(ctx, o, event("E-4", trading.OrderEventTypeFilled, trading.OrderStatusFilled)),
			t.Accounts.Balances("A-1").Put(ctx, "USDT", usdt), t.Positions.Delete(ctx, "P-2"))
	}))
	w.ok("commit that only reads", w.Commit(ctx, func(tx *store.Tx) error {
		p, err := trading.New(tx).Positions.Get(ctx, "P-1")
		same(w, "committed", p.Quantity.String(), "3")
		_, err2 := trading.New(tx).Accounts.Balances("A-1").Get(ctx, "USDT")
		return errors.Join(err, err2)
	}))
	w.is("0", "EXISTS", w.ns+"-position:P-2")
	w.is("2", "LLEN", w.ns+"-order.events:O-1")
}

func (w *workout) many(ctx context.Context) {
	const n = 150
	w.ok("put many", w.Orders.PutMany(ctx, func(yield func(trading.Order) bool) {
		for i := range n {
			if !yield(order(fmt.Sprintf("M-%03d", i), trading.OrderStatusAccepted)) {
				return
			}
		}
	}))
	same(w, "open orders", len(listed(w, "open orders", w.Orders.Open().All(ctx))), n)
	var ids []trading.ClientOrderID
	for i := range n {
		ids = append(ids, trading.ClientOrderID(fmt.Sprintf("M-%03d", i)))
	}
	w.ok("delete", w.Orders.Delete(ctx, ids...))
	count, err := w.Orders.Open().Count(ctx)
	w.ok("count", err)
	same(w, "open orders after delete", count, 0)
}

// watch hears of a row of its own, and that somebody else removes it.
func (w *workout) watch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for c, err := range w.Positions.Open().Watch(ctx) {
		w.ok("watch", err)
		switch {
		case c.Kind == store.Synced:
			w.ok("put", w.Positions.Put(ctx, position("P-watched", trading.PositionSideLong)))
			w.ok("flush", w.Flush(ctx)) // Redis tells of what it has.
		case c.Kind == store.Added && c.ID == "P-watched":
			_, err := w.at("DEL", w.ns+"-position:P-watched")
			w.ok("del", err)
		case c.Kind == store.Removed && c.ID == "P-watched":
			return
		}
	}
	w.ok("watch", errors.New("a row that was removed is not told of"))
}

// verify mends what does not follow from the rows: a member, a history and a
// keeper of rows that there are not, a row without a member.
func (w *workout) verify(ctx context.Context) {
	for _, cmd := range [][]string{
		{"ZADD", w.ns + "-position.closed", "+inf", "P-ghost"},
		{"ZADD", w.ns + "-position.by_strategy:ghost", "+inf", "P-1"},
		{"RPUSH", w.ns + "-position.fills:P-ghost", "x"},
		{"HSET", w.ns + "-position.seen_fills:P-ghost", "x", "1"},
		{"SADD", w.ns + "-instrument.held:BTCUSDT-PERP.BINANCE", "position:P-ghost"},
		{"ZREM", w.ns + "-position.open", "P-1"},
		{"ZADD", w.ns + "-position.ids", "4000000000000", "P-1"},
		{"PERSIST", w.ns + "-order.events:O-1"},
	} {
		_, err := w.at(cmd...)
		w.ok(strings.Join(cmd, " "), err)
	}
	for pass, mend := range []bool{true, false} {
		for name, verify := range map[string]func(context.Context, bool) (store.Report, error){
			"positions": w.Positions.Verify, "orders": w.Orders.Verify, "accounts": w.Accounts.Verify, "instruments": w.Instruments.Verify,
		} {
			r, err := verify(ctx, mend)
			w.ok("verify "+name, err)
			if pass > 0 && !r.Clean() {
				w.ok("verify "+name, errors.New(r.String()))
			}
		}
	}
	w.is("inf", "ZSCORE", w.ns+"-position.open", "P-1")
}

func (w *workout) ends(ctx context.Context) {
	w.ok("flush", w.Flush(ctx))
	w.ok("purge", w.Purge(ctx))
	for _, k := range []string{"-position:P-1", "-position.ids", "-order.events:O-1", "-account.balances:A-1"} {
		w.is("0", "EXISTS", w.ns+k)
	}
	plain := strings.Trim(w.ns, "{}")
	for i := range 5 {
		w.is("0", "EXISTS", fmt.Sprintf("%s-quote_tick:X%d.BINANCE", plain, i))
	}
}
