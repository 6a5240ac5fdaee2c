package sim

import (
	"maps"
	"slices"
	"strings"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

// leverage is in force everywhere: initial margin is 5 % of what is held.
const leverage = 20

// deposits are what each futures account starts with, in money units.
var deposits = map[string]int64{"USDT": 10_000_000 * pow10[-moneyExp], "BUSD": 5_000_000 * pow10[-moneyExp]}

// books are all positions and accounts of a run, in the order in which they first occurred.
type books struct {
	run      *run
	holdings []*holding
	byID     map[trading.PositionID]*holding
	ledgers  []*ledger
	byName   map[trading.AccountID]*ledger
}

// A ledger is one futures account.
type ledger struct {
	id        trading.AccountID
	hedging   bool
	opened    int64
	last      int64
	count     int64
	lastEvent uuid
	total     map[string]int64
	fees      map[string]int64
	holdings  []*holding
	events    []trading.AccountEvent
}

func newBooks(r *run) *books {
	b := &books{run: r, byID: map[trading.PositionID]*holding{}, byName: map[trading.AccountID]*ledger{}}
	start := r.market.bars[0].close - int64(60e9)
	for i := range r.strategies {
		s := &r.strategies[i]
		if b.byName[s.account] == nil {
			l := &ledger{id: s.account, hedging: s.hedging, opened: start, total: maps.Clone(deposits), fees: map[string]int64{}}
			b.byName[s.account] = l
			b.ledgers = append(b.ledgers, l)
			b.report(l, start)
		}
	}
	return b
}

func (b *books) book(f fill) {
	h := b.byID[f.position]
	l := b.byName[f.strategy.account]
	if h == nil {
		h = &holding{contract: f.contract, strategy: f.strategy, id: f.position}
		b.byID[f.position] = h
		b.holdings = append(b.holdings, h)
		l.holdings = append(l.holdings, h)
	}
	l.total[f.contract.quote] += h.book(b.run, f)
	l.fees[f.contract.quote] += f.fee
	l.last = f.at
}

// strike is the full hour: every account reports, and every eighth time open positions fund.
func (b *books) strike(at int64, funding bool) {
	if funding {
		bar := &b.run.market.bars[b.run.market.barAt(at)]
		for _, l := range b.ledgers {
			for _, h := range l.holdings {
				if h.qty != 0 {
					l.total[h.contract.quote] += h.fund(b.run, at, h.contract.price10(bar.last), b.run.between(-100, 300))
				}
			}
		}
	}
	for _, l := range b.ledgers {
		b.report(l, at)
	}
}

// report is one account state, complete.
func (b *books) report(l *ledger, at int64) {
	l.count++
	l.last = at
	l.lastEvent = b.run.uuid()
	if !b.run.opt.Events {
		return
	}
	l.events = append(l.events, trading.AccountEvent{
		EventID: l.lastEvent.String(), AccountType: trading.AccountTypeMargin, Balances: b.balances(l, at), Margins: l.margins(at),
		Reported: true, TsEvent: store.Timestamp(at), TsInit: store.Timestamp(at + 1_000_000),
	})
}

// balances come sorted by currency. Margin in force is locked.
func (b *books) balances(l *ledger, at int64) []trading.Balance {
	locked, open := map[string]int64{}, map[string]int64{}
	for _, m := range l.marginUnits() {
		locked[m.contract.quote] += m.initial
	}
	bar := &b.run.market.bars[b.run.market.barAt(at)]
	for _, h := range l.holdings {
		if h.qty != 0 {
			open[h.contract.quote] += h.unrealized(h.contract.price10(bar.last))
		}
	}
	var out []trading.Balance
	for _, cur := range slices.Sorted(maps.Keys(l.total)) {
		out = append(out, trading.Balance{
			Currency: cur, Total: money(l.total[cur]), Locked: money(locked[cur]), Free: money(l.total[cur] - locked[cur]),
			UnrealizedPnl: someMoney(open[cur]), TsLast: store.Timestamp(at),
		})
	}
	return out
}

type marginUnits struct {
	contract             *contract
	initial, maintenance int64
}

// marginUnits sums what open positions hold back, per instrument, sorted by its id.
func (l *ledger) marginUnits() []marginUnits {
	at := map[*contract]int{}
	var out []marginUnits
	for _, h := range l.holdings {
		if h.qty == 0 {
			continue
		}
		i, ok := at[h.contract]
		if !ok {
			i = len(out)
			at[h.contract] = i
			out = append(out, marginUnits{contract: h.contract})
		}
		out[i].initial += mulDiv(h.value(), h.contract.marginBP, 10_000)
		out[i].maintenance += mulDiv(h.value(), h.contract.maintBP, 10_000)
	}
	slices.SortFunc(out, func(a, b marginUnits) int {
		return strings.Compare(string(a.contract.row.InstrumentID), string(b.contract.row.InstrumentID))
	})
	return out
}

func (l *ledger) margins(at int64) []trading.Margin {
	out := []trading.Margin{}
	for _, m := range l.marginUnits() {
		out = append(out, trading.Margin{
			Currency: m.contract.quote, Initial: money(m.initial), Maintenance: money(m.maintenance),
			InstrumentID: string(m.contract.row.InstrumentID), Mode: trading.MarginModeCross, Leverage: some(leverage, 0), TsLast: store.Timestamp(at),
		})
	}
	return out
}

// close writes all rows as they stand at the end of the data.
func (b *books) close(now int64) {
	last := &b.run.market.bars[len(b.run.market.bars)-1]
	for _, h := range b.holdings {
		b.run.flow.Positions = append(b.run.flow.Positions, Position{
			Row: h.row(b.run, now, h.contract.price10(last.last)), Fills: h.fills, Adjustments: h.adjustments, Cycles: h.cycles,
		})
	}
	for _, l := range b.ledgers {
		b.report(l, now)
		b.run.flow.Accounts = append(b.run.flow.Accounts, Account{
			Row: b.account(l), Balances: b.balances(l, now), Margins: l.margins(now), Events: l.events,
		})
	}
}

func (b *books) account(l *ledger) trading.Account {
	a := trading.Account{
		AccountID: l.id, AccountType: trading.AccountTypeMargin, TraderID: b.run.trader, Venue: "BINANCE",
		OmsType: trading.OmsTypeNetting, MarginMode: trading.MarginModeCross, DefaultLeverage: some(leverage, 0),
		Leverages: map[string]decimal.Decimal{}, AllowBorrowing: no, Reported: yes, Commissions: map[string]decimal.Decimal{},
		EventCount: store.Some(l.count), LastEventID: l.lastEvent.String(),
		TsEvent: store.Timestamp(l.last), TsInit: store.Timestamp(l.last + 1_000_000), TsLast: store.Timestamp(l.last),
	}
	if l.hedging {
		a.OmsType = trading.OmsTypeHedging
	}
	for _, m := range l.marginUnits() {
		a.Leverages[string(m.contract.row.InstrumentID)] = dec(leverage, 0)
	}
	for cur, fee := range l.fees {
		a.Commissions[cur] = money(fee)
	}
	return a
}
