package store_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

const week = 7 * 24 * time.Hour

func TestPutGetDelete(t *testing.T) {
	d, ctx := open(t), t.Context()
	p := position("P-1", trading.PositionSideLong)
	p.Commissions = map[string]decimal.Decimal{"USDT": dec("1.10")}
	p.PeakQty = store.Some(dec("2.000"))
	if _, err := d.Positions.Get(ctx, "P-1"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get of nothing: %v", err)
	}
	must(t, d.Positions.Put(ctx, p))
	got, err := d.Positions.Get(ctx, "P-1")
	if diff := cmp.Diff(p, got); err != nil || diff != "" {
		t.Fatalf("Get: %v\n%s", err, diff)
	}
	if got.PeakQty.Value.Exponent() != -3 {
		t.Errorf("the scale of %s is lost", got.PeakQty.Value)
	}
	d.want(t, "string", "TYPE", "trader-position:P-1")
	for _, index := range []string{"ids", "open", "by_strategy:EMACross-001", "by_instrument:BTCUSDT-PERP.BINANCE"} {
		d.want(t, "inf", "ZSCORE", "trader-position."+index, "P-1")
	}
	must(t, d.Positions.Delete(ctx, "P-1", "P-2"))
	if _, err := d.Positions.Get(ctx, "P-1"); !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("Get after Delete: %v", err)
	}
	d.wantEmpty(t)
}

// A row lives as long as its TTL says and up to a thousandth longer, so that a
// row which is written again soon keeps its expiry.
func TestExpiryIsCoarse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := rapid.Int64Range(1, 4e12).Draw(t, "now")
		ttl := rapid.Int64Range(1, 4e11).Draw(t, "ttl")
		at := store.ExpireAt(now, ttl)
		if at < now+ttl || at > now+ttl+ttl/1000 {
			t.Fatalf("%d ms from %d on end at %d", ttl, now, at)
		}
		before := rapid.Int64Range(0, max(1, ttl/1024)-1).Draw(t, "before")
		if got := store.ExpireAt(at-ttl-before, ttl); got != at {
			t.Fatalf("written %d ms earlier, the row ends at %d, not at %d", before, got, at)
		}
	})
}

// A row's state decides its time to live, and becoming open again takes it
// away from the row, its collections and its index scores at once.
func TestTTLByState(t *testing.T) {
	d, ctx := open(t), t.Context()
	p := position("P-1", trading.PositionSideLong)
	must(t, d.Positions.AppendFills(ctx, p, event("E-1", trading.OrderEventTypeFilled, trading.OrderStatusFilled)))
	keys := []string{"trader-position:P-1", "trader-position.fills:P-1", "trader-position.seen_fills:P-1"}
	for _, k := range keys {
		d.wantTTL(t, k, 0)
	}
	p.Side = trading.PositionSideFlat
	must(t, d.Positions.Put(ctx, p))
	for _, k := range keys {
		d.wantTTL(t, k, week)
	}
	for _, index := range []string{"ids", "closed", "by_strategy:EMACross-001"} {
		if score := d.do(t, "ZSCORE", "trader-position."+index, "P-1"); score != d.do(t, "PEXPIRETIME", "trader-position:P-1") {
			t.Errorf("score in %s is %s, not the row's expiry", index, score)
		}
	}
	d.want(t, "(nil)", "ZSCORE", "trader-position.open", "P-1")
	p.Side = trading.PositionSideShort
	must(t, d.Positions.Put(ctx, p))
	for _, k := range keys {
		d.wantTTL(t, k, 0)
	}
	for _, index := range []string{"ids", "open", "by_strategy:EMACross-001"} {
		d.want(t, "inf", "ZSCORE", "trader-position."+index, "P-1")
	}
	d.want(t, "(nil)", "ZSCORE", "trader-position.closed", "P-1")
	must(t, d.Instruments.Put(ctx, trading.Instrument{InstrumentID: "X.Y", InstrumentClass: trading.InstrumentClassSpot, AssetClass: trading.AssetClassFx}))
	d.wantTTL(t, "trader-instrument:X.Y", 24*time.Hour)
	must(t, d.Accounts.Put(ctx, trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeMargin}))
	d.wantTTL(t, "trader-account:A-1", 0)
}

func TestTTLOverride(t *testing.T) {
	d, ctx := open(t, func(c *store.Config) { c.TTL = map[string]string{"position.closed": "30d", "instrument": "none"} }), t.Context()
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideFlat)))
	d.wantTTL(t, "trader-position:P-1", 30*24*time.Hour)
	must(t, d.Instruments.Put(ctx, trading.Instrument{InstrumentID: "X.Y"}))
	d.wantTTL(t, "trader-instrument:X.Y", 0)
}

func TestIndexesFollowTheRow(t *testing.T) {
	d, ctx := open(t), t.Context()
	for i := range 10 {
		must(t, d.Positions.Put(ctx, position(fmt.Sprintf("P-%d", i), trading.PositionSideLong)))
	}
	p := position("P-3", trading.PositionSideFlat)
	p.StrategyID = "Other-002"
	must(t, d.Positions.Put(ctx, p))
	d.want(t, "(nil)", "ZSCORE", "trader-position.by_strategy:EMACross-001", "P-3") // before a reader heals
	if n := count(t, d.Positions.Open()); n != 9 {
		t.Errorf("%d open, want 9", n)
	}
	if n := count(t, d.Positions.Set); n != 10 {
		t.Errorf("%d rows, want 10", n)
	}
	if n := count(t, d.Positions.ByStrategy("EMACross-001")); n != 9 {
		t.Errorf("%d of the old strategy, want 9", n)
	}
	if rows := all(t, d.Positions.ByStrategy("Other-002").All(ctx)); len(rows) != 1 || rows[0].PositionID != "P-3" {
		t.Errorf("of the new strategy: %v", rows)
	}
	if n := count(t, d.Positions.ByStrategy("")); n != 0 {
		t.Errorf("%d of no strategy, want 0", n)
	}
}

// Index entries that the row does not justify are never yielded and are
// removed, unless the row has come to justify them.
func TestReadersCheckAndHeal(t *testing.T) {
	d, ctx := open(t), t.Context()
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	must(t, d.Positions.Put(ctx, position("P-2", trading.PositionSideFlat)))
	d.do(t, "ZADD", "trader-position.open", "+inf", "P-2", "+inf", "P-gone")
	if rows := all(t, d.Positions.Open().All(ctx)); len(rows) != 1 || rows[0].PositionID != "P-1" {
		t.Fatalf("open: %v", rows)
	}
	d.want(t, "1", "ZCARD", "trader-position.open")
}

// The first read of an index removes members whose rows expired more than a
// minute ago, whatever the rows say, and no younger ones.
func TestExpiredMembersAreSwept(t *testing.T) {
	d, ctx := open(t), t.Context()
	now := time.Now().UnixMilli()
	for id, score := range map[string]int64{"P-old": now - 70_000, "P-margin": now - 30_000} {
		must(t, d.Positions.Put(ctx, position(id, trading.PositionSideFlat)))
		d.do(t, "ZADD", "trader-position.closed", fmt.Sprint(score), id)
	}
	if rows := all(t, d.Positions.Closed().All(ctx)); len(rows) != 1 || rows[0].PositionID != "P-margin" {
		t.Errorf("closed: %v", rows)
	}
	d.want(t, "(nil)", "ZSCORE", "trader-position.closed", "P-old")
}

func TestGetMany(t *testing.T) {
	d, ctx := open(t), t.Context()
	var ids []trading.PositionID
	var rows []trading.Position
	for i := range 600 {
		p := position(fmt.Sprintf("P-%03d", i), trading.PositionSideLong)
		rows, ids = append(rows, p), append(ids, p.PositionID)
	}
	must(t, d.Positions.PutMany(ctx, slices.Values(rows)))
	d.do(t, "DEL", "trader-position:P-007")
	d.do(t, "SET", "trader-position:P-300", "\xff")
	i, bad := 0, []string{}
	for p, err := range d.Positions.GetMany(ctx, ids...) {
		var re *store.RowError
		switch {
		case errors.As(err, &re):
			bad = append(bad, re.ID)
			if re.Table != "position" || (re.ID == "P-007") != errors.Is(err, store.ErrNotFound) {
				t.Errorf("%v", err)
			}
		case err != nil:
			t.Fatal(err)
		case p.PositionID != ids[i]:
			t.Fatalf("row %d is %s", i, p.PositionID)
		}
		i++
	}
	if i != 600 || !slices.Equal(bad, []string{"P-007", "P-300"}) {
		t.Errorf("%d rows, bad %v", i, bad)
	}
}

// One corrupt row is one RowError; the loop goes on.
func TestCorruptRowDoesNotEndTheLoop(t *testing.T) {
	d, ctx := open(t), t.Context()
	for i := range 5 {
		must(t, d.Positions.Put(ctx, position(fmt.Sprintf("P-%d", i), trading.PositionSideLong)))
	}
	whole := d.do(t, "GET", "trader-position:P-2")
	d.do(t, "SET", "trader-position:P-2", whole[:len(whole)-3])
	d.do(t, "SET", "trader-position:P-3", strings.Replace(whole, "LONG", "WIDE", 1))
	good, bad := 0, 0
	for _, err := range d.Positions.Open().All(ctx) {
		if err == nil {
			good++
			continue
		}
		var re *store.RowError
		if !errors.As(err, &re) || re.ID != "P-2" && re.ID != "P-3" {
			t.Errorf("%v", err)
		}
		bad++
	}
	if good != 3 || bad != 2 {
		t.Errorf("%d good and %d bad rows, want 3 and 2", good, bad)
	}
	if _, err := d.Positions.Get(ctx, "P-2"); err == nil || !strings.Contains(err.Error(), "P-2") {
		t.Errorf("Get of a corrupt row: %v", err)
	}
}

func TestBadInputIsRefused(t *testing.T) {
	d, ctx := open(t), t.Context()
	bad := map[string]func(*trading.Position){
		"empty id":          func(p *trading.Position) { p.PositionID = "" },
		"long id":           func(p *trading.Position) { p.PositionID = trading.PositionID(strings.Repeat("x", 1025)) },
		"control character": func(p *trading.Position) { p.PositionID = "a\nb" },
		"unknown side":      func(p *trading.Position) { p.Side = "WIDE" },
		"bad UTF-8":         func(p *trading.Position) { p.StrategyID = "\xff" },
		"index value":       func(p *trading.Position) { p.StrategyID = "a\x00" },
		"negative time":     func(p *trading.Position) { p.TsOpened = -1 },
	}
	for name, change := range bad {
		p := position("P-1", trading.PositionSideLong)
		change(&p)
		if err := d.Positions.Put(ctx, p); !errors.Is(err, store.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.wantEmpty(t)
	other, err := store.Open(ctx, at(d.srv.Port()))
	must(t, err)
	defer func() { must(t, other.Close(ctx)) }()
	if err := trading.New(other).Positions.Put(ctx, position("P-1", trading.PositionSideLong)); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "Schemas") {
		t.Errorf("Put of a package that is not in Schemas: %v", err)
	}
}

func TestClose(t *testing.T) {
	d, ctx := open(t), t.Context()
	view, err := d.Tenant("T-2", "")
	must(t, err)
	must(t, view.Close(ctx))
	if err := trading.New(view).Positions.Put(ctx, position("P-1", trading.PositionSideLong)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Put on a closed view: %v", err)
	}
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	must(t, d.Flush(ctx))
	must(t, d.Close(ctx))
	for name, err := range map[string]error{
		"Put":   d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)),
		"Flush": d.Flush(ctx),
		"Close": d.Close(ctx),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}
