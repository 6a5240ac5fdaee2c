package sim

import (
	"strconv"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

// A life is one order from INITIALIZED to where its fate leaves it. Each step
// is one event; the row is folded as the events are made.
type life struct {
	run      *run
	c        *contract
	strategy *strategy
	row      trading.Order
	events   []trading.OrderEvent
	now      int64
	count    int64
	init     uuid
	last     uuid
	bought   bool  // Side is BUY.
	sided    bool  // The side is given, not drawn.
	nibbled  bool  // Canceled after a part was filled.
	end      int64 // Not canceled before; 0 = any time.

	qty, filled, turnover, fees int64
	price, trigger              int64 // 0 = none.
	position                    trading.PositionID
}

// local steps happen in this process: ts_init is ts_event. The others come from the venue, a moment late.
func local(t trading.OrderEventType) bool {
	switch t {
	case trading.OrderEventTypeInitialized, trading.OrderEventTypeDenied, trading.OrderEventTypeEmulated, trading.OrderEventTypeReleased,
		trading.OrderEventTypeSubmitted, trading.OrderEventTypePendingUpdate, trading.OrderEventTypePendingCancel:
		return true
	}
	return false
}

// wait lets time pass.
func (l *life) wait(least, most time.Duration) { l.now += l.run.between(int64(least), int64(most)) }

// until goes to a moment within the bar, unless that is past.
func (l *life) until(i int) {
	open := l.run.market.bars[i].close - int64(time.Minute)
	l.now = max(l.now+1, open+l.run.rng.Int64N(int64(35*time.Second)))
}

// emit makes the event and folds it into the row. fill is called only where events are kept.
func (l *life) emit(t trading.OrderEventType, status trading.OrderStatus, body func(*trading.OrderEvent)) {
	l.count++
	l.last = l.run.uuid()
	delay := l.run.between(int64(200*time.Microsecond), int64(3*time.Millisecond))
	if l.count == 1 {
		l.init = l.last
	} else {
		l.row.PreviousStatus = l.row.Status
	}
	l.row.Status = status
	l.row.TsLast = store.Timestamp(l.now)
	if l.run.opt.Events {
		e := trading.OrderEvent{
			EventID: l.last.String(), Type: t, Status: status, TsEvent: store.Timestamp(l.now), TsInit: store.Timestamp(l.now),
			AccountID: string(l.row.AccountID), VenueOrderID: l.row.VenueOrderID,
		}
		if !local(t) {
			e.TsInit += store.Timestamp(delay)
		}
		if body != nil {
			body(&e)
		}
		l.events = append(l.events, e)
	}
}

func (l *life) initialize() {
	l.emit(trading.OrderEventTypeInitialized, trading.OrderStatusInitialized, func(e *trading.OrderEvent) {
		r := &l.row
		in := trading.OrderInit{
			OrderType: r.OrderType, OrderSide: r.Side, Quantity: dec(l.qty, l.c.sizeExp), TimeInForce: r.TimeInForce,
			PostOnly: r.PostOnly, ReduceOnly: r.ReduceOnly, QuoteQuantity: r.QuoteQuantity,
			TriggerType: r.TriggerType, ActivationPrice: r.ActivationPrice, LimitOffset: r.LimitOffset,
			TrailingOffset: r.TrailingOffset, TrailingOffsetType: r.TrailingOffsetType, DisplayQty: r.DisplayQty,
			ExpireTimeNs: r.ExpireTimeNs, EmulationTrigger: r.EmulationTrigger, TriggerInstrumentID: r.TriggerInstrumentID,
			ContingencyType: r.ContingencyType, OrderListID: r.OrderListID, LinkedOrderIds: r.LinkedOrderIds, ParentOrderID: r.ParentOrderID,
			ExecAlgorithmID: r.ExecAlgorithmID, ExecAlgorithmParams: r.ExecAlgorithmParams, ExecSpawnID: r.ExecSpawnID, Tags: r.Tags,
		}
		if l.price > 0 {
			in.Price = some(l.price, l.c.priceExp)
		}
		if l.trigger > 0 {
			in.TriggerPrice = some(l.trigger, l.c.priceExp)
		}
		e.Init = store.Some(in)
	})
}

func (l *life) deny() {
	l.wait(10*time.Microsecond, 200*time.Microsecond)
	l.row.Reason = "NOTIONAL_EXCEEDS_MAX_PER_ORDER"
	l.emit(trading.OrderEventTypeDenied, trading.OrderStatusDenied, func(e *trading.OrderEvent) { e.Reason = l.row.Reason })
	l.closed()
}

func (l *life) emulate() {
	l.wait(10*time.Microsecond, 100*time.Microsecond)
	l.emit(trading.OrderEventTypeEmulated, trading.OrderStatusEmulated, nil)
}

// transform is the second INITIALIZED of an emulated order, as the type that the venue will see.
func (l *life) transform() {
	l.row.OrderType = trading.OrderTypeMarket
	if l.price > 0 {
		l.row.OrderType = trading.OrderTypeLimit
	}
	l.trigger = 0
	l.row.TriggerType, l.row.EmulationTrigger, l.row.TrailingOffsetType = "", "", ""
	l.row.TrailingOffset, l.row.LimitOffset, l.row.ActivationPrice = none, none, none
	l.initialize()
}

func (l *life) release(at int64) {
	l.wait(5*time.Microsecond, 50*time.Microsecond)
	l.emit(trading.OrderEventTypeReleased, trading.OrderStatusReleased, func(e *trading.OrderEvent) { e.ReleasedPrice = some(at, l.c.priceExp) })
}

func (l *life) submit() {
	l.wait(20*time.Microsecond, 400*time.Microsecond)
	l.row.AccountID = l.strategy.account
	l.row.TsSubmitted = store.Timestamp(l.now)
	l.emit(trading.OrderEventTypeSubmitted, trading.OrderStatusSubmitted, nil)
}

func (l *life) reject() {
	l.wait(time.Millisecond, 20*time.Millisecond)
	post := l.row.PostOnly.Value
	l.row.Reason = "Margin is insufficient."
	if post {
		l.row.Reason = "Post Only order will be rejected."
	}
	l.emit(trading.OrderEventTypeRejected, trading.OrderStatusRejected, func(e *trading.OrderEvent) {
		e.Reason, e.DuePostOnly = l.row.Reason, store.Some(post)
	})
	l.closed()
}

func (l *life) accept() {
	l.wait(time.Millisecond, 20*time.Millisecond)
	l.row.VenueOrderID = l.run.venueID()
	l.row.TsAccepted = store.Timestamp(l.now)
	l.emit(trading.OrderEventTypeAccepted, trading.OrderStatusAccepted, nil)
}

// pend asks for a change or a cancel; the status to go back to is what settled returns.
func (l *life) pend(t trading.OrderEventType, to trading.OrderStatus) (back trading.OrderStatus) {
	back = l.row.Status
	l.wait(100*time.Millisecond, 1500*time.Millisecond)
	l.emit(t, to, nil)
	return back
}

// refuse answers a pending change or cancel with a rejection.
func (l *life) refuse(t trading.OrderEventType, back trading.OrderStatus) {
	l.wait(time.Millisecond, 20*time.Millisecond)
	l.row.Reason = "Unknown order sent."
	l.emit(t, back, func(e *trading.OrderEvent) { e.Reason = l.row.Reason })
}

// update puts a new price, trigger or quantity in force.
func (l *life) update(back trading.OrderStatus, price, trigger int64) {
	l.wait(time.Millisecond, 20*time.Millisecond)
	l.price, l.trigger = price, trigger
	if l.run.chance(200) { // Cancel-replace: the venue gives it a new id.
		l.row.VenueOrderIds = append(l.row.VenueOrderIds, l.row.VenueOrderID)
		l.row.VenueOrderID = l.run.venueID()
	}
	l.emit(trading.OrderEventTypeUpdated, back, func(e *trading.OrderEvent) {
		e.Quantity = some(l.qty, l.c.sizeExp)
		if price > 0 {
			e.Price = some(price, l.c.priceExp)
		}
		if trigger > 0 {
			e.TriggerPrice = some(trigger, l.c.priceExp)
		}
	})
}

func (l *life) hit() {
	l.row.IsTriggered = store.Some(true)
	l.row.TsTriggered = store.Timestamp(l.now)
	l.emit(trading.OrderEventTypeTriggered, trading.OrderStatusTriggered, nil)
}

// cancel ends the order; expire too.
func (l *life) cancel() {
	l.wait(time.Millisecond, 20*time.Millisecond)
	l.emit(trading.OrderEventTypeCanceled, trading.OrderStatusCanceled, nil)
	l.closed()
}

func (l *life) expire(at int64) {
	l.now = max(l.now+1, at)
	l.emit(trading.OrderEventTypeExpired, trading.OrderStatusExpired, nil)
	l.closed()
}

// fill trades: makers pay 2 basis points, takers 4.
func (l *life) fill(qty, px int64, side trading.LiquiditySide) {
	rate := int64(4)
	if side == trading.LiquiditySideMaker {
		rate = 2
	}
	fee := mulDiv(l.c.value(px, qty), rate, 10_000)
	l.filled += qty
	l.turnover += px * qty
	l.fees += fee
	l.run.trades++
	l.row.PositionID = l.position
	l.row.LastTradeID = l.run.id(l.run.trades)
	l.row.LiquiditySide = side
	status := trading.OrderStatusPartiallyFilled
	if l.filled == l.qty {
		status = trading.OrderStatusFilled
	}
	l.emit(trading.OrderEventTypeFilled, status, func(e *trading.OrderEvent) {
		e.TradeID, e.PositionID = l.row.LastTradeID, string(l.position)
		e.OrderSide, e.OrderType = l.row.Side, l.row.OrderType
		e.LastQty, e.LastPx = some(qty, l.c.sizeExp), some(px, l.c.priceExp)
		e.Currency, e.Commission, e.CommissionCurrency = l.c.quote, someMoney(fee), l.c.quote
		e.LiquiditySide = side
	})
	f := fill{
		at: l.now, contract: l.c, strategy: l.strategy, position: l.position, order: l.row.ClientOrderID,
		bought: l.bought, qty: qty, px: px, fee: fee, id: l.last,
	}
	if l.run.opt.Events {
		e := l.events[len(l.events)-1]
		f.event = &e
	}
	l.run.fills = append(l.run.fills, f)
	if status == trading.OrderStatusFilled {
		l.closed()
	}
}

func (l *life) closed() { l.row.TsClosed = store.Timestamp(l.now) }

// done writes what was counted in units into the row and keeps the order.
func (l *life) done() {
	r := &l.row
	r.Quantity = dec(l.qty, l.c.sizeExp)
	r.FilledQty = some(l.filled, l.c.sizeExp)
	r.LeavesQty = some(l.qty-l.filled, l.c.sizeExp)
	if r.TsClosed != 0 && l.filled < l.qty {
		r.LeavesQty = some(0, l.c.sizeExp) // Nothing is open at the venue any more.
	}
	if l.price > 0 {
		r.Price = some(l.price, l.c.priceExp)
	}
	if l.trigger > 0 {
		r.TriggerPrice = some(l.trigger, l.c.priceExp)
	}
	if l.filled > 0 {
		avg := l.c.average(l.turnover, l.filled)
		r.AvgPx = some(avg, l.c.avgExp)
		r.Commissions = map[string]decimal.Decimal{l.c.quote: money(l.fees)}
		if asked := max(l.price, l.trigger); asked > 0 {
			slip := avg - asked*l.c.avgUnits
			if !l.bought {
				slip = -slip
			}
			r.Slippage = some(slip, l.c.avgExp)
		}
	}
	r.InitID, r.LastEventID = l.init.String(), l.last.String()
	r.EventCount = store.Some(l.count)
	l.run.flow.Orders = append(l.run.flow.Orders, Order{Row: l.row, Events: l.events})
}

// venueID is the venue's next order id; ids of two seeds never meet.
func (r *run) venueID() string { r.trades++; return r.id(8_000_000_000 + r.trades) }

func (r *run) id(n int64) string { return strconv.FormatInt(int64(r.opt.Seed)*1_000_000_000_000+n, 10) }
