package sim

import (
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

// A fill is one trade, on its way into a position and an account.
type fill struct {
	at       int64
	contract *contract
	strategy *strategy
	position trading.PositionID
	order    trading.ClientOrderID
	bought   bool
	qty, px  int64
	fee      int64
	id       uuid
	event    *trading.OrderEvent // Nil without [Options.Events].
}

// A holding is one position id over all its cycles; the fields from opened on are of the current cycle.
type holding struct {
	contract *contract
	strategy *strategy
	id       trading.PositionID
	cycles   []trading.PositionCycle

	opened, last, closed int64
	bought               bool  // The opening fill was a BUY.
	qty                  int64 // Signed.
	peak, buys, sells    int64
	avgOpen, avgClose    int64
	realized, fees       int64
	funding              int64
	lastQty, lastPx      int64
	fillCount            int64
	first, final         trading.ClientOrderID
	lastEvent            uuid
	fills                []trading.OrderEvent
	adjustments          []trading.PositionAdjustment
}

// book takes a fill; one that is larger than what it closes is split, and the rest opens the next cycle.
func (h *holding) book(r *run, f fill) (gain int64) {
	held := h.qty
	if !f.bought {
		held = -held
	}
	if held < 0 && f.qty > -held {
		closing, opening := f, f
		closing.qty, opening.qty = -held, f.qty+held
		closing.fee = mulDiv(f.fee, closing.qty, f.qty)
		opening.fee, opening.id = f.fee-closing.fee, r.uuid()
		closing.event, opening.event = f.part(closing), f.part(opening)
		return h.trade(closing) + h.trade(opening)
	}
	return h.trade(f)
}

// part is the event of a split fill.
func (f fill) part(p fill) *trading.OrderEvent {
	if f.event == nil {
		return nil
	}
	e := *f.event
	e.EventID = p.id.String()
	e.LastQty, e.Commission = some(p.qty, p.contract.sizeExp), someMoney(p.fee)
	return &e
}

func (h *holding) trade(f fill) (gain int64) {
	c := h.contract
	if h.qty == 0 {
		h.reopen(f)
	}
	more := f.bought == h.bought
	if more {
		h.avgOpen = c.blend(h.avgOpen, int64(abs(h.qty)), f.px, f.qty)
	} else {
		out := h.sells
		if !h.bought {
			out = h.buys
		}
		h.avgClose = c.blend(h.avgClose, out, f.px, f.qty)
		gain = c.gain(h.avgOpen, f.px*c.avgUnits, f.qty)
		if !h.bought {
			gain = -gain
		}
	}
	gain -= f.fee
	if f.bought {
		h.qty, h.buys = h.qty+f.qty, h.buys+f.qty
	} else {
		h.qty, h.sells = h.qty-f.qty, h.sells+f.qty
	}
	h.peak = max(h.peak, int64(abs(h.qty)))
	h.realized += gain
	h.fees += f.fee
	h.last, h.lastQty, h.lastPx, h.lastEvent = f.at, f.qty, f.px, f.id
	h.fillCount++
	if h.qty == 0 {
		h.closed, h.final = f.at, f.order
	}
	if f.event != nil {
		e := *f.event
		e.ClientOrderID = string(f.order)
		h.fills = append(h.fills, e)
	}
	return gain
}

// reopen starts a cycle; the one before moves to cycles and its fills and adjustments give way.
func (h *holding) reopen(f fill) {
	if h.opened != 0 {
		h.cycles = append(h.cycles, h.cycle())
	}
	*h = holding{
		contract: h.contract, strategy: h.strategy, id: h.id, cycles: h.cycles,
		opened: f.at, bought: f.bought, first: f.order,
	}
}

func (h *holding) cycle() trading.PositionCycle {
	c := h.contract
	return trading.PositionCycle{
		TsOpened: store.Timestamp(h.opened), TsClosed: store.Timestamp(h.closed), Entry: side(h.bought),
		PeakQty: dec(h.peak, c.sizeExp), AvgPxOpen: dec(h.avgOpen, c.avgExp), AvgPxClose: dec(h.avgClose, c.avgExp),
		RealizedPnl: money(h.realized), RealizedReturn: h.fraction(), Commissions: map[string]decimal.Decimal{c.quote: money(h.fees)},
		OpeningOrderID: string(h.first), ClosingOrderID: string(h.final), SettlementCurrency: c.row.SettlementCurrency,
		FillCount: store.Some(h.fillCount),
	}
}

// fraction is the return of what was closed: 8 decimals.
func (h *holding) fraction() store.Opt[decimal.Decimal] {
	if h.avgClose == 0 {
		return none
	}
	d := h.avgClose - h.avgOpen
	if !h.bought {
		d = -d
	}
	return some(mulDiv(d, pow10[8], h.avgOpen), -8)
}

// fund pays or receives the funding of a moment, a rate of the value at the mark.
func (h *holding) fund(r *run, at, mark, rate int64) int64 {
	c := h.contract
	id := r.uuid()
	pnl := -mulDiv(c.value(mark, h.qty), rate, 1_000_000)
	h.funding += pnl
	h.realized += pnl
	h.last = at
	if r.opt.Events {
		h.adjustments = append(h.adjustments, trading.PositionAdjustment{
			AdjustmentID: id.String(), AdjustmentType: trading.PositionAdjustmentTypeFunding, TsEvent: store.Timestamp(at),
			PnlChange: someMoney(pnl), Currency: c.quote, Reason: "funding", TsInit: store.Timestamp(at),
		})
	}
	return pnl
}

// value is what is held at the average entry price, in money.
func (h *holding) value() int64 { return mulDiv(h.avgOpen, int64(abs(h.qty)), h.contract.pnlDiv) }

// unrealized is the gain if the position were closed at the mark.
func (h *holding) unrealized(mark int64) int64 {
	return h.contract.gain(h.avgOpen, mark*h.contract.avgUnits, h.qty)
}

// row writes the state at the end of the data, marked at the last price.
func (h *holding) row(r *run, now, mark int64) trading.Position {
	c := h.contract
	p := trading.Position{
		PositionID: h.id, InstrumentID: c.row.InstrumentID, StrategyID: h.strategy.id, Side: trading.PositionSideFlat,
		Quantity: dec(int64(abs(h.qty)), c.sizeExp), AvgPxOpen: dec(h.avgOpen, c.avgExp),
		TsOpened: store.Timestamp(h.opened), TsLast: store.Timestamp(h.last),

		TraderID: r.trader, AccountID: h.strategy.account, OmsType: trading.OmsTypeNetting, Entry: side(h.bought),
		OpeningOrderID: string(h.first), PeakQty: some(h.peak, c.sizeExp), BuyQty: some(h.buys, c.sizeExp), SellQty: some(h.sells, c.sizeExp),
		LastQty: some(h.lastQty, c.sizeExp), LastPx: some(h.lastPx, c.priceExp), RealizedPnl: someMoney(h.realized),
		RealizedReturn: h.fraction(), FundingPnl: someMoney(h.funding), Commissions: map[string]decimal.Decimal{c.quote: money(h.fees)},
		QuoteCurrency: c.quote, BaseCurrency: c.row.BaseCurrency, SettlementCurrency: c.row.SettlementCurrency,
		Multiplier: store.Some(c.row.Multiplier), IsInverse: c.row.IsInverse,
		PricePrecision: store.Some(c.row.PricePrecision), SizePrecision: store.Some(c.row.SizePrecision),
		Leverage: some(leverage, 0), MarginMode: trading.MarginModeCross, TsInit: store.Timestamp(h.opened),
		FillCount: store.Some(h.fillCount), LastEventID: h.lastEvent.String(),
	}
	if h.strategy.hedging {
		p.OmsType = trading.OmsTypeHedging
	}
	if h.avgClose > 0 {
		p.AvgPxClose = some(h.avgClose, c.avgExp)
	}
	switch {
	case h.qty > 0:
		p.Side = trading.PositionSideLong
	case h.qty < 0:
		p.Side = trading.PositionSideShort
	default:
		p.ClosingOrderID, p.TsClosed = string(h.final), store.Timestamp(h.closed)
		return p
	}
	p.UnrealizedPnl, p.MarkPx, p.TsMark = someMoney(h.unrealized(mark)), some(mark, c.priceExp), store.Timestamp(now)
	return p
}

func side(bought bool) trading.OrderSide {
	if bought {
		return trading.OrderSideBuy
	}
	return trading.OrderSideSell
}
