package sim

import (
	"fmt"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/shopspring/decimal"
)

// A contract is a traded instrument in whole units.
type contract struct {
	row      *trading.Instrument
	priceExp int32 // Exponent of a price unit: the scale of the venue's tick.
	sizeExp  int32
	avgExp   int32 // Exponent of an average price: price_precision + 8 decimals.
	tick     int64 // Price units in a tick.
	step     int64 // Quantity units in a step.
	minQty   int64
	perBar   int64 // Ticks of 0.1 in a BTC price that make one tick here.
	notional int64 // Price unit x quantity unit in money units.
	avgUnits int64 // Average price units in a price unit.
	pnlDiv   int64 // (average price unit x quantity unit) in a money unit.
	marginBP int64 // Initial margin in 1/10,000.
	maintBP  int64
	quote    string
}

func newContract(row *trading.Instrument, topPrice decimal.Decimal) (contract, error) {
	c := contract{
		row:      row,
		priceExp: row.PriceIncrement.Exponent(),
		sizeExp:  row.SizeIncrement.Exponent(),
		avgExp:   int32(-row.PricePrecision - 8),
		tick:     row.PriceIncrement.CoefficientInt64(),
		step:     row.SizeIncrement.CoefficientInt64(),
		quote:    row.QuoteCurrency,
		perBar:   1,
	}
	for c.dec(c.price(topPrice)).GreaterThan(row.MaxPrice.Value) {
		c.perBar *= 10
	}
	c.minQty = row.MinQuantity.Value.Shift(-c.sizeExp).IntPart()
	e := -moneyExp + c.priceExp + c.sizeExp
	pnl := -c.avgExp - c.sizeExp + moneyExp
	avg := c.priceExp - c.avgExp
	if e < 0 || pnl < 0 || avg < 0 {
		return c, fmt.Errorf("%s: price and size have more than 8 decimals together", row.InstrumentID)
	}
	c.notional, c.pnlDiv, c.avgUnits = pow10[e], pow10[pnl], pow10[avg]
	c.marginBP = row.MarginInit.Value.Shift(4).IntPart()
	c.maintBP = row.MarginMaint.Value.Shift(4).IntPart()
	return c, nil
}

// price scales a BTC price by the ratio of the ticks: as many ticks of this instrument as 0.1 go into the BTC price.
func (c *contract) price(btc decimal.Decimal) int64 { return c.price10(btc.Shift(1).IntPart()) }

// price10 takes the BTC price in tenths.
func (c *contract) price10(btc int64) int64 { return btc / c.perBar * c.tick }

func (c *contract) dec(price int64) decimal.Decimal { return dec(price, c.priceExp) }

// value is price x quantity in money units.
func (c *contract) value(price, qty int64) int64 { return price * qty * c.notional }

// quantity is the largest whole number of steps worth at most the amount, at least the minimum.
func (c *contract) quantity(price, amount int64) int64 {
	q := amount / c.value(price, c.step) * c.step
	return max(q, c.minQty, ceilTo(pow10[-moneyExp]*10/c.value(price, 1)+1, c.step))
}

// toTick rounds a price down to a tick, never to zero.
func (c *contract) toTick(price int64) int64 { return max(price/c.tick*c.tick, c.tick) }

// average is the mean price of a turnover (in price x quantity units), R5's rounding.
func (c *contract) average(turnover, qty int64) int64 { return mulDiv(turnover, c.avgUnits, qty) }

// blend is the average over qty+more of an average over qty and a price over more.
func (c *contract) blend(avg, qty, price, more int64) int64 {
	return mulAddDiv(avg, qty, price*c.avgUnits, more, qty+more)
}

// gain is (to - from) x qty in money units; both in average price units.
func (c *contract) gain(from, to, qty int64) int64 { return mulDiv(to-from, qty, c.pnlDiv) }

func ceilTo(v, step int64) int64 { return (v + step - 1) / step * step }
