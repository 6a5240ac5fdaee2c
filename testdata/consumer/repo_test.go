// Package repodesk is a module of its own that uses Nacre with a schema of its
// own, as a user's repository does.
package repodesk

import (
	"context"
	"errors"
	"iter"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
	"github.com/redis/rueidis"
	"github.com/shopspring/decimal"

	"example.com/repodesk/gen/repo"
)

// A desk is a store over a Redis of its own, and that Redis as others see it.
type desk struct {
	repo.Tables
	*store.Store
	raw rueidis.Client
	cfg store.Config
}

func open(t *testing.T, change ...func(*store.Config)) desk {
	t.Helper()
	cfg := storetest.Redis(t)
	for _, f := range change {
		f(&cfg)
	}
	cfg.Schemas = []store.Schema{repo.Schema}
	raw, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress:  []string{rueidisAddress(cfg)},
		DisableCache: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(raw.Close)
	s := connect(t, cfg)
	return desk{repo.New(s), s, raw, cfg}
}

// connect opens a store, as another process would.
func connect(t *testing.T, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil && !errors.Is(err, store.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

// TestRows writes a row of every table with every field set and one with the
// required ones only, and reads them in another store.
func TestRows(t *testing.T) {
	d := open(t)
	full, bare := fullTrade(), repo.Trade{
		TradeID: "T-2", Direction: repo.DirectionReverse, Status: repo.TradeStatusProposed,
		SecurityID: "DE0001102580", Currency: repo.CurrencyEur, Rate: dec("0.0395"),
		Near: repo.Leg{TsSettle: 1, Cash: dec("1.10")},
	}
	put(t, d.Trades.Put, full, bare)
	put(t, d.Securities.Put, fullSecurity(), repo.Security{SecurityID: "X"})
	put(t, d.Books.Put, fullBook(), repo.Book{BookNumber: 8, Name: "child", Parent: 7})
	put(t, d.Limits.Put, fullLimit(), repo.Limit{Counterparty: "A", Currency: repo.CurrencyJpy, BookNumber: 8})

	other := repo.New(connect(t, d.cfg))
	wants(t, full)(other.Trades.Get(t.Context(), "T-1"))
	wants(t, bare)(other.Trades.Get(t.Context(), "T-2"))
	wants(t, fullSecurity())(other.Securities.Get(t.Context(), "US912810TM09"))
	wants(t, fullBook())(other.Books.Get(t.Context(), 7))
	limit := fullLimit()
	id := repo.LimitID{Counterparty: limit.Counterparty, Currency: limit.Currency, BookNumber: limit.BookNumber}
	wants(t, limit)(other.Limits.Get(t.Context(), id))
	if _, err := other.Trades.Get(t.Context(), "T-3"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a trade that is not there: %v", err)
	}
	key := "trader-limit:Bank%3A A/B 100%25:USD:7"
	if n, err := d.raw.Do(t.Context(), d.raw.B().Exists().Key(key).Build()).AsInt64(); n != 1 || err != nil {
		t.Errorf("no key %q (%v)", key, err)
	}
}

// TestIndexes looks rows up by state, field, both, and references of every kind.
func TestIndexes(t *testing.T) {
	d := open(t)
	full := fullTrade()
	proposed := full
	proposed.TradeID, proposed.Status, proposed.Trader = "T-2", repo.TradeStatusProposed, "bob"
	bare := repo.Trade{TradeID: "T-3", Status: repo.TradeStatusRolled, SecurityID: "X", Currency: repo.CurrencyUsd, Trader: "bob"}
	put(t, d.Trades.Put, full, proposed, bare)
	put(t, d.Books.Put, fullBook(), repo.Book{BookNumber: 8, Parent: 7}, repo.Book{BookNumber: 9, Parent: 7, Open: true})
	put(t, d.Limits.Put, fullLimit())

	ids := func(set store.Set[repo.TradeID, repo.Trade]) []repo.TradeID {
		return sorted(t, set.All(t.Context()), func(v repo.Trade) repo.TradeID { return v.TradeID })
	}
	for name, c := range map[string]struct{ got, want []repo.TradeID }{
		"live":               {ids(d.Trades.Live()), []repo.TradeID{"T-1", "T-3"}},
		"over":               {ids(d.Trades.Over()), nil},
		"by_security":        {ids(d.Trades.BySecurity("X")), []repo.TradeID{"T-3"}},
		"by_book":            {ids(d.Trades.ByBook(7)), []repo.TradeID{"T-1", "T-2"}},
		"by_limit":           {ids(d.Trades.ByLimit(full.LimitID)), []repo.TradeID{"T-1", "T-2"}},
		"by_callable true":   {ids(d.Trades.ByCallable(true)), []repo.TradeID{"T-1", "T-2"}},
		"by_callable false":  {ids(d.Trades.ByCallable(false)), nil},
		"by_priority":        {ids(d.Trades.ByPriority(-3)), []repo.TradeID{"T-1", "T-2"}},
		"by_priority 0":      {ids(d.Trades.ByPriority(0)), nil},
		"live_by_trader ann": {ids(d.Trades.LiveByTrader("ann")), []repo.TradeID{"T-1"}},
		"live_by_trader bob": {ids(d.Trades.LiveByTrader("bob")), []repo.TradeID{"T-3"}},
		"live_by_currency":   {ids(d.Trades.LiveByCurrency(repo.CurrencyUsd)), []repo.TradeID{"T-1", "T-3"}},
	} {
		if !cmp.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", name, c.got, c.want)
		}
	}
	books := sorted(t, d.Books.ByParent(7).All(t.Context()), func(b repo.Book) repo.BookNumber { return b.BookNumber })
	if want := []repo.BookNumber{8, 9}; !cmp.Equal(books, want) {
		t.Errorf("by_parent: %v, want %v", books, want)
	}
	if n, err := d.Books.ByParent(0).Count(t.Context()); n != 0 || err != nil {
		t.Errorf("by_parent without a parent: %d (%v)", n, err)
	}
	limits := sorted(t, d.Limits.ByFallback(fullLimit().Fallback).All(t.Context()), func(l repo.Limit) string { return l.Counterparty })
	if len(limits) != 1 {
		t.Errorf("by_fallback: %v", limits)
	}
}

// TestCollections appends twice, which counts once, and reads lists and hashes in another store.
func TestCollections(t *testing.T) {
	d, ctx := open(t), t.Context()
	trade := fullTrade()
	trade.EventCount = store.Some[int64](2)
	events := []repo.TradeEvent{
		{EventNumber: 1, Status: repo.TradeStatusAgreed, TsEvent: 1},
		{EventNumber: 2, Status: repo.TradeStatusSettled, TsEvent: 2, Author: "swift", Payload: []byte{0, 255}},
	}
	for range 2 {
		if err := d.Trades.AppendEvents(ctx, trade, events...); err != nil {
			t.Fatal(err)
		}
	}
	skipped := trade
	skipped.EventCount = store.Some[int64](9)
	if err := d.Trades.AppendEvents(ctx, skipped, repo.TradeEvent{EventNumber: 3}); !errors.Is(err, store.ErrConflict) {
		t.Errorf("append with a gap: %v, want %v", err, store.ErrConflict)
	}
	var calls []repo.Call
	for i := range 120 {
		calls = append(calls, repo.Call{CallID: time.Unix(int64(i), 0).UTC().Format(time.RFC3339), Amount: decimal.New(int64(i), -2), TsDue: 1})
	}
	if err := d.Trades.AppendCalls(ctx, trade, calls...); err != nil {
		t.Fatal(err)
	}
	line := repo.Collateral{SecurityID: "X", Nominal: dec("1000000"), Haircut: 0.02, Price: store.Some(dec("99.50")), Tags: []string{"hqla"}}
	if err := d.Trades.Collateral(trade.TradeID).Put(ctx, "line 1", line); err != nil {
		t.Fatal(err)
	}

	other := repo.New(connect(t, d.cfg)).Trades
	same(t, "events", collect(t, other.Events(trade.TradeID).All(ctx)), events)
	same(t, "calls", collect(t, other.Calls(trade.TradeID).All(ctx)), calls[20:])
	lines, err := other.Collateral(trade.TradeID).All(ctx)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "collateral", lines, map[string]repo.Collateral{"line 1": line})
	if err := d.Trades.Put(ctx, trade); err != nil {
		t.Fatal(err)
	}
	if n, err := other.Events(trade.TradeID).Len(ctx); n != 2 || err != nil {
		t.Errorf("after Put: %d events (%v), want 2", n, err)
	}
}

// TestSeries appends more than the capacity, under an enum and under a composite id.
func TestSeries(t *testing.T) {
	d, ctx := open(t), t.Context()
	var rates []repo.Rate
	for i := range 7 {
		r := repo.Rate{TsEvent: store.Timestamp(i), Rate: decimal.New(int64(i), -4)}
		if i%2 == 0 {
			r.Sources = []string{"fed"}
		}
		rates = append(rates, r)
	}
	if err := d.Rates.Append(ctx, repo.CurrencyUsd, rates...); err != nil {
		t.Fatal(err)
	}
	id := fullTrade().LimitID
	usage := repo.Usage{TsEvent: 1, Used: dec("5.00")}
	if err := d.Usages.Append(ctx, id, usage); err != nil {
		t.Fatal(err)
	}
	other := repo.New(connect(t, d.cfg))
	same(t, "rates", collect(t, other.Rates.All(ctx, repo.CurrencyUsd)), rates[2:])
	same(t, "usages", collect(t, other.Usages.Last(ctx, id, 3)), []repo.Usage{usage})
}

// TestKept checks that a security does not expire while a trade needs it.
func TestKept(t *testing.T) {
	d, ctx := open(t), t.Context()
	ttl := func(key string) time.Duration {
		ms, err := d.raw.Do(ctx, d.raw.B().Pttl().Key(key).Build()).AsInt64()
		if err != nil {
			t.Fatal(err)
		}
		return time.Duration(ms) * time.Millisecond
	}
	trade := fullTrade()
	key := "trader-security:" + string(trade.SecurityID)
	put(t, d.Securities.Put, fullSecurity())
	if got := ttl(key); got <= 11*time.Hour || got > 12*time.Hour+time.Minute { // up to a thousandth late
		t.Errorf("alone: expires in %v, want 12h", got)
	}
	put(t, d.Trades.Put, trade)
	if got := ttl(key); got >= 0 {
		t.Errorf("with a live trade: expires in %v, want never", got)
	}
	put(t, d.Securities.Put, fullSecurity())
	if got := ttl(key); got >= 0 {
		t.Errorf("written again with a live trade: expires in %v, want never", got)
	}
	trade.Status = repo.TradeStatusClosed
	put(t, d.Trades.Put, trade)
	if got := ttl(key); got <= 11*time.Hour || got > 12*time.Hour+time.Minute { // up to a thousandth late
		t.Errorf("with a closed trade: expires in %v, want 12h", got)
	}
	if got := ttl("trader-trade:T-1"); got <= 29*24*time.Hour || got > 30*24*time.Hour+time.Hour {
		t.Errorf("the closed trade expires in %v, want 30 days", got)
	}
}

// TestCommit writes to two tables or to none.
func TestCommit(t *testing.T) {
	d, ctx := open(t), t.Context()
	put(t, d.Limits.Put, fullLimit())
	id := fullTrade().LimitID
	book := func(cash string) error {
		return d.Commit(ctx, func(tx *store.Tx) error {
			in := repo.New(tx)
			limit, err := in.Limits.Get(ctx, id)
			if err != nil {
				return err
			}
			limit.Used.Value, limit.Used.Valid = limit.Used.Value.Add(dec(cash)), true
			if limit.Used.Value.GreaterThan(limit.Amount) {
				return errLimit
			}
			if err := in.Limits.Put(ctx, limit); err != nil {
				return err
			}
			return in.Trades.Put(ctx, fullTrade())
		})
	}
	if err := book("1e9"); !errors.Is(err, errLimit) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := d.Trades.Get(ctx, "T-1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a refused trade is there: %v", err)
	}
	if err := book("100"); err != nil {
		t.Fatal(err)
	}
	limit := fullLimit()
	limit.Used = store.Some(limit.Used.Value.Add(dec("100")))
	wants(t, limit)(d.Limits.Get(t.Context(), id))
	wants(t, fullTrade())(d.Trades.Get(t.Context(), "T-1"))
}

var errLimit = errors.New("limit exceeded")

func TestValid(t *testing.T) {
	if !repo.RatingAaa.Valid() || repo.Rating("AAAA").Valid() || repo.Rating("").Valid() {
		t.Error("Valid does not know the ratings")
	}
}

// TestClone checks that a clone shares nothing.
func TestClone(t *testing.T) {
	a, want := fullTrade(), fullTrade()
	b := a.Clone()
	b.Legs[0].Cash = dec("0")
	b.Accruals["2026-01-02"] = dec("0")
	b.Confirmation[0]++
	b.Links[0] = "other"
	same(t, "the original", a, want)
}

func TestNaN(t *testing.T) {
	d := open(t)
	bad := fullTrade()
	bad.Vega = store.Some(math.NaN())
	if err := d.Trades.Put(t.Context(), bad); !errors.Is(err, store.ErrRefused) {
		t.Errorf("NaN: %v, want %v", err, store.ErrRefused)
	}
}

func put[V any](t *testing.T, put func(context.Context, V) error, rows ...V) {
	t.Helper()
	for _, row := range rows {
		if err := put(t.Context(), row); err != nil {
			t.Fatal(err)
		}
	}
}

// wants returns a function that checks what a Get returned.
func wants[V any](t *testing.T, want V) func(V, error) {
	return func(got V, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		same(t, "row", got, want)
	}
}

func collect[V any](t *testing.T, seq iter.Seq2[V, error]) []V {
	t.Helper()
	var all []V
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	return all
}
