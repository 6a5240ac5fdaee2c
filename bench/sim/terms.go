package sim

import (
	"fmt"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// terms chooses side, prices and conditions such that the bars bring the order to its fate: what fills does so at
// a price within the bar that it trades in, what rests stays beyond every price to the end of the data.
func (l *life) terms(f fate, start, trade int) {
	r, c, t := l.run, l.c, l.row.OrderType
	now, then := &r.market.bars[start], &r.market.bars[trade]
	rests := f == canceled && !l.nibbled || f == expired || f == accepted || f == pendingUpdate || f == pendingCancel || f == emulated || f == submitted || f == rejected
	stop := isStop(t)
	lo, hi := c.price10(then.low), c.price10(then.high)
	target := c.toTick(r.between(lo, hi))
	if !l.sided {
		rose := then.last > now.open
		switch {
		case stop:
			l.bought = rose // A buy stop is above the market.
		case t != trading.OrderTypeMarket && t != trading.OrderTypeMarketToLimit:
			l.bought = !rose
		}
	}
	if rests {
		far := c.tick * r.between(5, 400)
		if l.bought == stop {
			target = c.price10(now.maxHigh) + far
		} else {
			target = max(c.toTick(c.price10(now.minLow)-far), c.tick)
		}
	}
	switch t {
	case trading.OrderTypeLimit:
		l.price = target
	case trading.OrderTypeStop, trading.OrderTypeStopMarket, trading.OrderTypeMarketIfTouched:
		l.trigger = target
	case trading.OrderTypeStopLimit, trading.OrderTypeLimitIfTouched:
		l.trigger, l.price = target, target
	case trading.OrderTypeTrailingStopMarket, trading.OrderTypeTrailingStopLimit:
		l.trigger = target
		l.row.ActivationPrice = some(c.price10(now.open), c.priceExp)
		l.row.TrailingOffset, l.row.TrailingOffsetType = some(50, 0), trading.TrailingOffsetTypeBasisPoints
		if t == trading.OrderTypeTrailingStopLimit {
			l.price = target
			l.row.LimitOffset = some(5, 0)
		}
	}
	if l.trigger > 0 {
		l.row.TriggerType = trading.TriggerTypeLastPrice
		if r.chance(300) {
			l.row.TriggerType = trading.TriggerTypeMarkPrice
		}
	}
	l.row.Side = trading.OrderSideSell
	if l.bought {
		l.row.Side = trading.OrderSideBuy
	}
	l.conditions(f, trade)
}

// conditions are what does not decide the fate: time in force, emulation, execution algorithm, visible quantity.
func (l *life) conditions(f fate, trade int) {
	r, t := l.run, l.row.OrderType
	switch {
	case f == expired:
		l.row.TimeInForce = trading.TimeInForceGtd
		l.row.ExpireTimeNs = store.Timestamp(r.market.bars[trade].close + int64(time.Minute))
	case t == trading.OrderTypeMarket && r.chance(300):
		l.row.TimeInForce = trading.TimeInForceIoc
	case t == trading.OrderTypeMarket && r.chance(50):
		l.row.TimeInForce = trading.TimeInForceFok
	case t == trading.OrderTypeLimit && r.chance(50):
		l.row.TimeInForce = trading.TimeInForceDay
	}
	if t == trading.OrderTypeLimit && f != partly && (r.chance(300) || f == rejected && r.chance(500)) {
		l.row.PostOnly = yes
	}
	if t == trading.OrderTypeLimit && r.chance(20) {
		l.row.DisplayQty = some(max(l.qty/l.c.step/5, 1)*l.c.step, l.c.sizeExp)
	}
	emulates := f == emulated || f == initialized || f == released || f == filled && isStop(t) && r.chance(150)
	if emulates && l.row.OrderListID == "" {
		l.row.EmulationTrigger = trading.TriggerTypeBidAsk
		if r.chance(100) {
			l.row.TriggerInstrumentID = string(r.market.contracts[0].row.InstrumentID)
		}
	}
	if (t == trading.OrderTypeMarket || t == trading.OrderTypeLimit) && l.row.OrderListID == "" && r.chance(30) {
		l.row.ExecAlgorithmID = "TWAP"
		l.row.ExecAlgorithmParams = fmt.Sprintf(`{"horizon_secs":%d,"interval_secs":5}`, 30*r.between(1, 10))
		l.row.ExecSpawnID = string(l.row.ClientOrderID)
	}
	if len(l.row.Tags) == 0 && r.chance(100) {
		l.row.Tags = []string{"signal:" + l.strategy.id, "desk:crypto"}
	}
}

func isStop(t trading.OrderType) bool {
	switch t {
	case trading.OrderTypeStop, trading.OrderTypeStopMarket, trading.OrderTypeStopLimit, trading.OrderTypeTrailingStopMarket, trading.OrderTypeTrailingStopLimit:
		return true
	}
	return false
}
