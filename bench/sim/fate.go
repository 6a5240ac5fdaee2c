package sim

import (
	"fmt"
	"strconv"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

// restBars is how many bars before the end orders that stay open begin.
const restBars = 600

// maxEvents is the longest history.
const maxEvents = 40

// A fate is where an order's life stops.
type fate int

const (
	filled fate = iota
	canceled
	expired
	denied
	rejected
	emulated
	initialized
	released
	submitted
	accepted
	triggered
	pendingUpdate
	pendingCancel
	partly
)

// odds in 1,000; the fates from emulated on stay pending or open: 33 %.
var odds = [...]int{
	filled: 455, canceled: 120, expired: 50, denied: 20, rejected: 20,
	emulated: 15, initialized: 5, released: 5, submitted: 55, accepted: 135, triggered: 20, pendingUpdate: 15, pendingCancel: 15, partly: 70,
}

var (
	none  store.Opt[decimal.Decimal]
	no    = store.Some(false)
	yes   = store.Some(true)
	types = map[fate][]trading.OrderType{
		// Weighted by repetition.
		filled: {
			trading.OrderTypeMarket, trading.OrderTypeMarket, trading.OrderTypeMarket, trading.OrderTypeLimit, trading.OrderTypeLimit,
			trading.OrderTypeLimit, trading.OrderTypeLimit, trading.OrderTypeStop, trading.OrderTypeStopMarket, trading.OrderTypeStopLimit,
			trading.OrderTypeMarketToLimit, trading.OrderTypeMarketIfTouched, trading.OrderTypeLimitIfTouched,
			trading.OrderTypeTrailingStopMarket, trading.OrderTypeTrailingStopLimit,
		},
		canceled:      {trading.OrderTypeLimit, trading.OrderTypeLimit, trading.OrderTypeStopMarket, trading.OrderTypeStopLimit, trading.OrderTypeTrailingStopMarket},
		expired:       {trading.OrderTypeLimit, trading.OrderTypeStopLimit},
		denied:        {trading.OrderTypeMarket, trading.OrderTypeLimit},
		rejected:      {trading.OrderTypeMarket, trading.OrderTypeLimit, trading.OrderTypeLimit},
		emulated:      {trading.OrderTypeStopMarket, trading.OrderTypeStopLimit, trading.OrderTypeTrailingStopMarket},
		initialized:   {trading.OrderTypeStopMarket, trading.OrderTypeStopLimit},
		released:      {trading.OrderTypeStopMarket, trading.OrderTypeStopLimit},
		submitted:     {trading.OrderTypeMarket, trading.OrderTypeLimit, trading.OrderTypeLimit},
		accepted:      {trading.OrderTypeLimit, trading.OrderTypeLimit, trading.OrderTypeLimit, trading.OrderTypeStop, trading.OrderTypeStopLimit, trading.OrderTypeTrailingStopMarket},
		triggered:     {trading.OrderTypeStopLimit, trading.OrderTypeLimitIfTouched, trading.OrderTypeTrailingStopLimit},
		pendingUpdate: {trading.OrderTypeLimit, trading.OrderTypeStopLimit},
		pendingCancel: {trading.OrderTypeLimit, trading.OrderTypeLimit},
		partly:        {trading.OrderTypeLimit, trading.OrderTypeLimit, trading.OrderTypeStopLimit},
	}
)

// draw makes the next order, or the next few that belong together.
func (r *run) draw() {
	s := &r.strategies[r.rng.IntN(len(r.strategies))]
	c := &r.market.contracts[r.rng.IntN(r.opt.Instruments)]
	switch {
	case s.hedging:
		r.hedge(s, c)
	case r.chance(50):
		r.bracket(s, c)
	default:
		f, n := filled, r.rng.IntN(1000)
		for n >= odds[f] {
			n -= odds[f]
			f++
		}
		l := r.begin(s, c, f, types[f][r.rng.IntN(len(types[f]))])
		l.position = trading.PositionID(string(c.row.InstrumentID) + "-" + s.id)
		l.live(f)
	}
}

// begin names an order and gives it its first terms; from f follows only how early in the data it starts.
func (r *run) begin(s *strategy, c *contract, f fate, t trading.OrderType) *life {
	n := len(r.market.bars)
	from := r.rng.IntN(n - restBars - 300)
	if f >= emulated {
		from = n - restBars + r.rng.IntN(200)
	}
	s.orders++
	l := &life{run: r, c: c, strategy: s}
	l.until(from)
	at := time.Unix(0, l.now).UTC()
	l.bought = r.chance(500)
	l.row = trading.Order{
		ClientOrderID: trading.ClientOrderID(fmt.Sprintf("O-%s-%03d-%s-%d", at.Format("20060102-150405"), r.opt.Seed+1, s.tag, s.orders)),
		InstrumentID:  c.row.InstrumentID, OrderType: t, TraderID: r.trader, StrategyID: s.id, ClientID: "BINANCE",
		TimeInForce: trading.TimeInForceGtc, PostOnly: no, ReduceOnly: no, QuoteQuantity: no, TsInit: store.Timestamp(l.now),
	}
	open := c.price10(r.market.bars[from].open)
	l.qty = c.quantity(open, r.between(100, 40_000)*pow10[-moneyExp])
	return l
}

// hedge opens a position of its own and, later, closes it with the next order.
func (r *run) hedge(s *strategy, c *contract) {
	l := r.begin(s, c, filled, trading.OrderTypeMarket)
	l.position = trading.PositionID(fmt.Sprintf("P-%s", string(l.row.ClientOrderID[2:])))
	l.live(filled)
	f := filled
	if r.chance(150) {
		f = accepted
	}
	out := r.begin(s, c, f, trading.OrderTypeLimit)
	out.now = max(out.now, l.now+int64(time.Minute))
	out.row.TsInit = store.Timestamp(out.now)
	out.row.ClientOrderID = trading.ClientOrderID("O-" + time.Unix(0, out.now).UTC().Format("20060102-150405") + string(out.row.ClientOrderID[17:]))
	out.bought, out.qty, out.position = !l.bought, l.qty, l.position
	out.row.PositionID, out.row.ReduceOnly = l.position, yes
	out.sided = true
	out.live(f)
}

// bracket is an entry with a take-profit and a stop-loss; one of the two fills and the other is canceled.
func (r *run) bracket(s *strategy, c *contract) {
	entry := r.begin(s, c, filled, trading.OrderTypeLimit)
	list := "OL-" + string(entry.row.ClientOrderID[2:])
	legs := [2]*life{r.begin(s, c, filled, trading.OrderTypeLimit), r.begin(s, c, filled, trading.OrderTypeStopMarket)}
	ids := [2]string{}
	for i, l := range legs {
		ids[i] = string(entry.row.ClientOrderID) + "-" + strconv.Itoa(i+1)
		l.row.ClientOrderID = trading.ClientOrderID(ids[i])
	}
	entry.row.OrderListID, entry.row.ContingencyType, entry.row.LinkedOrderIds = list, trading.ContingencyTypeOto, ids[:]
	entry.row.Tags = []string{"ENTRY"}
	entry.position = trading.PositionID(string(c.row.InstrumentID) + "-" + s.id)
	entry.live(filled)
	winner := r.rng.IntN(2)
	for i, l := range legs {
		l.now = entry.now + int64(i+1)*int64(time.Millisecond)
		l.bought, l.qty, l.sided, l.position = !entry.bought, entry.qty, true, entry.position
		l.row.TsInit, l.row.ReduceOnly, l.row.PositionID = store.Timestamp(l.now), yes, entry.position
		l.row.OrderListID, l.row.ParentOrderID, l.row.ContingencyType = list, string(entry.row.ClientOrderID), trading.ContingencyTypeOuo
		l.row.LinkedOrderIds = []string{ids[1-i]}
		l.row.Tags = []string{[]string{"TAKE_PROFIT", "STOP_LOSS"}[i]}
	}
	legs[winner].live(filled)
	loser := legs[1-winner]
	loser.end = legs[winner].now
	loser.live(canceled)
}

// live takes an order to its fate: terms first, then one step after the other.
func (l *life) live(f fate) {
	r := l.run
	start := r.market.barAt(l.now)
	trade := min(start+1+r.rng.IntN(240), len(r.market.bars)-2)
	l.nibbled = f == canceled && l.end == 0 && l.row.OrderType == trading.OrderTypeLimit && r.chance(300)
	l.terms(f, start, trade)
	l.initialize()
	if f == denied {
		l.deny()
		l.done()
		return
	}
	if f == emulated || f == initialized || f == released || l.row.EmulationTrigger != "" {
		l.emulate()
		if f == emulated {
			l.done()
			return
		}
		l.until(max(start, trade-1))
		at := max(l.trigger, l.c.tick)
		l.transform()
		if f == initialized {
			l.done()
			return
		}
		l.release(at)
		if f == released {
			l.done()
			return
		}
	}
	l.submit()
	switch f {
	case submitted:
		l.done()
		return
	case rejected:
		l.reject()
		l.done()
		return
	}
	l.accept()
	l.work(f, trade)
	l.done()
}

// work is the part of a life in which the order stands at the venue.
func (l *life) work(f fate, trade int) {
	r := l.run
	if l.row.OrderType != trading.OrderTypeMarket && l.row.OrderType != trading.OrderTypeMarketToLimit {
		l.amend()
	}
	switch f {
	case accepted:
		return
	case pendingUpdate:
		l.pend(trading.OrderEventTypePendingUpdate, trading.OrderStatusPendingUpdate)
		return
	case pendingCancel:
		l.pend(trading.OrderEventTypePendingCancel, trading.OrderStatusPendingCancel)
		return
	}
	l.until(trade)
	limited := l.price > 0 && l.trigger > 0
	if limited && (f == triggered || f == filled || f == partly) {
		l.hit()
		if f == triggered {
			return
		}
	}
	switch f {
	case canceled:
		if l.nibbled {
			l.trade(trade, l.qty*r.between(1, 9)/10)
		}
		l.now = max(l.now, l.end)
		if l.end == 0 && r.chance(800) {
			l.pend(trading.OrderEventTypePendingCancel, trading.OrderStatusPendingCancel)
		}
		l.cancel()
	case expired:
		l.expire(int64(l.row.ExpireTimeNs))
	case partly:
		l.trade(trade, max(l.qty*r.between(1, 9)/10, 1))
	default:
		l.trade(trade, l.qty)
	}
}

// amend changes the order a few times, with a long tail, and leaves it at the terms at which it will trade.
func (l *life) amend() {
	r := l.run
	n := 0
	switch {
	case r.chance(10):
		n = 8 + r.rng.IntN(7)
	case r.chance(250):
		n = 1 + r.rng.IntN(3)
	}
	price, trigger := l.price, l.trigger
	for i := n; i > 0; i-- {
		if r.chance(150) {
			back := l.pend(trading.OrderEventTypePendingCancel, trading.OrderStatusPendingCancel)
			l.refuse(trading.OrderEventTypeCancelRejected, back)
			continue
		}
		back := l.pend(trading.OrderEventTypePendingUpdate, trading.OrderStatusPendingUpdate)
		if r.chance(150) {
			l.refuse(trading.OrderEventTypeModifyRejected, back)
			continue
		}
		away := l.c.tick * int64(i-1)
		next, nextTrigger := price, trigger
		if price > 0 {
			next = max(price-away, l.c.tick)
		}
		if trigger > 0 {
			nextTrigger = trigger + away
		}
		l.update(back, next, nextTrigger)
	}
	if l.price != price || l.trigger != trigger { // The last change was refused: once more.
		l.update(l.pend(trading.OrderEventTypePendingUpdate, trading.OrderStatusPendingUpdate), price, trigger)
	}
}

// trade fills the quantity in one to ten pieces of whole steps, from the bar on.
func (l *life) trade(at int, qty int64) {
	r := l.run
	qty = max(qty/l.c.step, 1) * l.c.step
	pieces := int64(1)
	switch {
	case r.chance(20):
		pieces = 4 + r.rng.Int64N(7)
	case r.chance(400):
		pieces = 2 + r.rng.Int64N(3)
	}
	pieces = min(pieces, qty/l.c.step, maxEvents-2-l.count)
	b := &r.market.bars[at]
	lo, hi := l.c.price10(b.low), l.c.price10(b.high)
	for ; pieces > 0; pieces-- {
		part := qty
		if pieces > 1 {
			part = r.between(1, qty/l.c.step-pieces+1) * l.c.step
		}
		qty -= part
		px, side := l.c.toTick(r.between(lo, hi)), trading.LiquiditySideTaker
		if l.price > 0 {
			px, side = l.price, trading.LiquiditySideMaker
		}
		l.fill(part, px, side)
		if pieces > 1 {
			if l.row.OrderType == trading.OrderTypeMarketToLimit && l.price == 0 {
				l.update(trading.OrderStatusPartiallyFilled, px, 0) // What is left rests at the price of the first fill.
			}
			l.wait(time.Millisecond, 800*time.Millisecond)
		}
	}
}
