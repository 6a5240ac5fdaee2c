package store_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

func TestCacheIsBounded(t *testing.T) {
	const limit = 1 << 20
	d := open(t, func(c *store.Config) { c.CacheBytes = limit })
	put := func(yield func(trading.Position) bool) {
		for i := range 3000 {
			if !yield(position(fmt.Sprint("P-", i), trading.PositionSideLong)) {
				return
			}
		}
	}
	must(t, d.Positions.PutMany(t.Context(), put))
	for i := range 3000 {
		get(t, d, trading.PositionID(fmt.Sprint("P-", i)))
	}
	c := d.Stats().Cache
	if c.Bytes > limit || c.Bytes < limit*3/4 || c.Evictions == 0 {
		t.Errorf("%d bytes in %d entries, %d evictions, with a bound of %d", c.Bytes, c.Entries, c.Evictions, limit)
	}
}

// What the counters say that rows take is about what they take.
func TestBytesAreHonest(t *testing.T) {
	const n = 1500
	d := open(t, func(c *store.Config) { c.CacheBytes = 1 << 30 })
	for name, make := range map[string]func(i int) trading.Position{
		"required fields": func(i int) trading.Position { return position(fmt.Sprint("P-", i), trading.PositionSideLong) },
		"many fields": func(i int) trading.Position {
			p := manyFields()
			p.PositionID = trading.PositionID(fmt.Sprint("Q-", i))
			return p
		},
	} {
		t.Run(name, func(t *testing.T) {
			var ids []trading.PositionID
			must(t, d.Positions.PutMany(t.Context(), func(yield func(trading.Position) bool) {
				for i := range n {
					p := make(i)
					ids = append(ids, p.PositionID)
					if !yield(p) {
						return
					}
				}
			}))
			d.do(t, "FLUSHALL")
			soon(t, "the cache is empty", func() bool { return d.Stats().Cache.Entries == 0 })
			must(t, d.Positions.PutMany(t.Context(), func(yield func(trading.Position) bool) {
				for i := range n {
					if !yield(make(i)) {
						return
					}
				}
			}))
			for range 2 { // decodes what was put
				for _, id := range ids {
					get(t, d, id)
				}
			}
			held := d.Stats().Cache
			with := heap()
			d.do(t, "FLUSHALL")
			soon(t, "the cache is empty", func() bool { return d.Stats().Cache.Entries == 0 })
			took := with - heap()
			if took > held.Bytes*13/10 || took < held.Bytes*6/10 {
				t.Errorf("%d rows take %d bytes each, %d are counted", held.Entries, took/n, held.Bytes/n)
			}
			t.Logf("%d bytes a row, counted %d", took/n, held.Bytes/n)
		})
	}
}

// manyFields is a position with its required fields and many others.
func manyFields() trading.Position {
	p, o := position("", trading.PositionSideLong), store.Some(dec("12345.678"))
	p.PeakQty, p.BuyQty, p.SellQty, p.LastQty, p.LastPx, p.RealizedPnl = o, o, o, o, o, o
	p.TraderID, p.AccountID, p.OpeningOrderID = "TRADER-001", "BINANCE-USDT_FUTURES-master", "O-20251230-001"
	p.Commissions = map[string]decimal.Decimal{"USDT": dec("1.5"), "BNB": dec("0.1")}
	return p
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
