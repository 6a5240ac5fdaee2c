package sim

import (
	"math/big"
	"testing"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

func TestPositionsFoldTheirFills(t *testing.T) {
	traded := map[string]decimal.Decimal{}
	for _, o := range flow().Orders {
		for _, e := range o.Events {
			if e.Type == trading.OrderEventTypeFilled {
				traded[e.PositionID] = traded[e.PositionID].Add(signed(e))
			}
		}
	}
	for _, p := range flow().Positions {
		r := &p.Row
		sum, fees := decimal.Zero, decimal.Zero
		for _, e := range p.Fills {
			sum, fees = sum.Add(signed(e)), fees.Add(e.Commission.Value)
			if e.ClientOrderID == "" {
				t.Errorf("position %s: a fill without client_order_id", r.PositionID)
			}
		}
		held := r.Quantity
		if r.Side == trading.PositionSideShort {
			held = held.Neg()
		}
		if !sum.Equal(held) || !traded[string(r.PositionID)].Equal(held) {
			t.Errorf("position %s: %s %s, fills of the cycle %s, all trades %s", r.PositionID, r.Side, r.Quantity, sum, traded[string(r.PositionID)])
		}
		if !held.Equal(r.BuyQty.Value.Sub(r.SellQty.Value)) || !fees.Equal(r.Commissions[r.QuoteCurrency]) || r.FillCount.Value != int64(len(p.Fills)) {
			t.Errorf("position %s: buys %s, sells %s, fees %v, fill_count %d", r.PositionID, r.BuyQty.Value, r.SellQty.Value, r.Commissions, r.FillCount.Value)
		}
		if (r.Side == trading.PositionSideFlat) != r.Quantity.IsZero() || (r.TsClosed != 0) != r.Quantity.IsZero() {
			t.Errorf("position %s: %s with %s, closed at %d", r.PositionID, r.Side, r.Quantity, r.TsClosed)
		}
		before := store.Timestamp(0)
		for _, c := range p.Cycles {
			if c.TsOpened < before || c.TsClosed < c.TsOpened || c.TsClosed > r.TsOpened {
				t.Errorf("position %s: cycle %d to %d after %d", r.PositionID, c.TsOpened, c.TsClosed, before)
			}
			before = c.TsClosed
		}
		checkAverages(t, p)
	}
}

func signed(e trading.OrderEvent) decimal.Decimal {
	if e.OrderSide == trading.OrderSideSell {
		return e.LastQty.Value.Neg()
	}
	return e.LastQty.Value
}

// checkAverages folds the fills of the cycle once more, in exact fractions. Each
// step of the row may have rounded, so the last places may differ by one a fill.
func checkAverages(t *testing.T, p Position) {
	t.Helper()
	open, out, held, left, gain := new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat), new(big.Rat)
	blend := func(avg, qty, px, more *big.Rat) {
		avg.Mul(avg, qty).Add(avg, new(big.Rat).Mul(px, more))
		qty.Add(qty, more)
		avg.Quo(avg, qty)
	}
	for _, e := range p.Fills {
		qty, px := rat(e.LastQty.Value), rat(e.LastPx.Value)
		if e.OrderSide == p.Row.Entry {
			blend(open, held, px, qty)
		} else {
			blend(out, left, px, qty)
			held.Sub(held, qty)
			g := new(big.Rat).Mul(new(big.Rat).Sub(px, open), qty)
			if p.Row.Entry == trading.OrderSideSell {
				g.Neg(g)
			}
			gain.Add(gain, g)
		}
		gain.Sub(gain, rat(e.Commission.Value))
	}
	for _, a := range p.Adjustments {
		gain.Add(gain, rat(a.PnlChange.Value))
	}
	slack := func(places int64) decimal.Decimal { return decimal.New(int64(len(p.Fills))+1, int32(-places)) }
	near := func(name string, got decimal.Decimal, want *big.Rat, places int64) {
		if got.Sub(rounded(want, places)).Abs().GreaterThan(slack(places)) {
			t.Errorf("position %s: %s = %s, want %s", p.Row.PositionID, name, got, rounded(want, places))
		}
	}
	places := p.Row.PricePrecision.Value + 8
	near("avg_px_open", p.Row.AvgPxOpen, open, places)
	near("avg_px_close", p.Row.AvgPxClose.Value, out, places)
	near("realized_pnl", p.Row.RealizedPnl.Value, gain, 6)
}
