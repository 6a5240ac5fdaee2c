package sim

import (
	"math/big"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/shopspring/decimal"
)

// rat is a decimal as an exact fraction: the tests count apart from the simulation's whole units.
func rat(d decimal.Decimal) *big.Rat { return d.Rat() }

// rounded rounds half to even at the places.
func rounded(r *big.Rat, places int64) decimal.Decimal {
	scaled := new(big.Rat).Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(places), nil)))
	q, m := new(big.Int).DivMod(scaled.Num(), scaled.Denom(), new(big.Int))
	switch m.Lsh(m, 1).Cmp(scaled.Denom()) {
	case 1:
		q.Add(q, big.NewInt(1))
	case 0:
		q.Add(q, big.NewInt(int64(q.Bit(0))))
	}
	return decimal.NewFromBigInt(q, int32(-places))
}

func TestOrdersFoldTheirEvents(t *testing.T) {
	for _, o := range flow().Orders {
		r, bad := &o.Row, func(format string, args ...any) {
			t.Helper()
			t.Errorf("order %s (%s): "+format, append([]any{o.Row.ClientOrderID, o.Row.Status}, args...)...)
		}
		c := contractOf(r.InstrumentID)
		qty, turnover, fees := decimal.Zero, new(big.Rat), decimal.Zero
		ids, trades := map[string]bool{}, map[string]bool{}
		var prev trading.OrderEvent
		for i, e := range o.Events {
			if ids[e.EventID] || len(e.EventID) != 36 || e.EventID[14] != '4' || e.EventID != strings.ToLower(e.EventID) {
				bad("event %d: id %q", i, e.EventID)
			}
			ids[e.EventID] = true
			if e.TsEvent < prev.TsEvent || e.TsInit < e.TsEvent {
				bad("event %d: time goes back", i)
			}
			prev = e
			if e.Type != trading.OrderEventTypeFilled {
				continue
			}
			if trades[e.TradeID] {
				bad("trade %s twice", e.TradeID)
			}
			trades[e.TradeID] = true
			qty = qty.Add(e.LastQty.Value)
			turnover.Add(turnover, new(big.Rat).Mul(rat(e.LastPx.Value), rat(e.LastQty.Value)))
			fees = fees.Add(e.Commission.Value)
			if b := market().bars[market().barAt(int64(e.TsEvent))]; e.LastPx.Value.LessThan(c.dec(c.price10(b.low))) || e.LastPx.Value.GreaterThan(c.dec(c.price10(b.high))) {
				bad("fill at %s outside its bar", e.LastPx.Value)
			}
			if rem := e.LastPx.Value.Mod(c.row.PriceIncrement); !rem.IsZero() || e.LastPx.Value.Exponent() != c.priceExp {
				bad("fill price %s is no tick of %s", e.LastPx.Value, c.row.PriceIncrement)
			}
		}
		last := o.Events[len(o.Events)-1]
		if int64(len(o.Events)) != r.EventCount.Value || last.EventID != r.LastEventID || o.Events[0].EventID != r.InitID || last.Status != r.Status || last.TsEvent != r.TsLast {
			bad("row does not end in its last event %+v", last)
		}
		if !qty.Equal(r.FilledQty.Value) {
			bad("filled_qty %s, fills %s", r.FilledQty.Value, qty)
		}
		leaves := r.Quantity.Sub(qty)
		if r.TsClosed != 0 {
			leaves = decimal.Zero
		}
		if !leaves.Equal(r.LeavesQty.Value) || r.LeavesQty.Value.IsNegative() {
			bad("leaves_qty %s, want %s", r.LeavesQty.Value, leaves)
		}
		if (r.Status == trading.OrderStatusFilled) != qty.Equal(r.Quantity) {
			bad("filled %s of %s", qty, r.Quantity)
		}
		if r.AvgPx.Valid != qty.IsPositive() {
			bad("avg_px %v with fills %s", r.AvgPx, qty)
		}
		if qty.IsPositive() {
			want := rounded(turnover.Quo(turnover, rat(qty)), c.row.PricePrecision+8)
			if !want.Equal(r.AvgPx.Value) || r.AvgPx.Value.Exponent() != want.Exponent() {
				bad("avg_px %s, want %s", r.AvgPx.Value, want)
			}
			if !fees.Equal(r.Commissions[c.quote]) {
				bad("commissions %v, want %s", r.Commissions, fees)
			}
		}
	}
}

func contractOf(id trading.InstrumentID) *contract {
	for i := range market().contracts {
		if c := &market().contracts[i]; c.row.InstrumentID == id {
			return c
		}
	}
	panic(id)
}
