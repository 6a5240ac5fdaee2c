// Package sim makes trading state out of real one-minute bars: orders with
// their full event histories, the positions and margin accounts that follow
// from their fills. The same seed gives the same rows, bytes included.
package sim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
)

// An Order is one order and everything that led to it.
type Order struct {
	Row    trading.Order
	Events []trading.OrderEvent // Nil without [Options.Events].
}

// A Position is one position and its collections.
type Position struct {
	Row         trading.Position
	Fills       []trading.OrderEvent         // Of the current cycle; nil without [Options.Events].
	Adjustments []trading.PositionAdjustment // Of the current cycle; nil without [Options.Events].
	Cycles      []trading.PositionCycle      // Closed cycles of a position id that was used again.
}

// An Account is one account with its balances and margins, both sorted by their hash field.
type Account struct {
	Row      trading.Account
	Balances []trading.Balance
	Margins  []trading.Margin
	Events   []trading.AccountEvent // Nil without [Options.Events].
}

// A Flow is the trading state that one seed yields.
type Flow struct {
	Orders    []Order
	Positions []Position
	Accounts  []Account
}

// Options say how much to simulate; zero values are the figures in the comments.
type Options struct {
	Seed        uint64 // 0. Other seeds are other traders: no id occurs under two seeds.
	Orders      int    // 10,000.
	Strategies  int    // 20; the last tenth of them hedges, the rest nets.
	Instruments int    // 50.
	Events      bool   // False: the same rows without events, fills and account events.
}

// A Market is what every seed trades on.
type Market struct {
	bars      []bar
	contracts []contract
}

// A bar in tenths of the BTC price, with the extremes from here to the end.
type bar struct {
	close                 int64 // Nanoseconds.
	open, high, low, last int64
	minLow, maxHigh       int64
}

// NewMarket takes the bars of BTC and the instruments to scale them to; inverse and untradable ones are left out.
func NewMarket(bars []trading.Bar, instruments []trading.Instrument) (*Market, error) {
	if len(bars) < 2*restBars {
		return nil, fmt.Errorf("simulation: %d bars, need at least %d", len(bars), 2*restBars)
	}
	m := &Market{bars: make([]bar, len(bars))}
	top := bars[0].High
	for i, b := range bars {
		m.bars[i] = bar{
			close: int64(b.TsEvent), open: b.Open.Shift(1).IntPart(), high: b.High.Shift(1).IntPart(),
			low: b.Low.Shift(1).IntPart(), last: b.Close.Shift(1).IntPart(),
		}
		if b.High.GreaterThan(top) {
			top = b.High
		}
	}
	minLow, maxHigh := m.bars[len(bars)-1].low, m.bars[len(bars)-1].high
	for i := len(bars) - 1; i >= 0; i-- {
		minLow, maxHigh = min(minLow, m.bars[i].low), max(maxHigh, m.bars[i].high)
		m.bars[i].minLow, m.bars[i].maxHigh = minLow, maxHigh
	}
	for i := range instruments {
		if in := &instruments[i]; in.Status == "TRADING" && !in.IsInverse.Value {
			c, err := newContract(in, top)
			if err != nil {
				return nil, err
			}
			m.contracts = append(m.contracts, c)
		}
	}
	return m, nil
}

// Run simulates one seed.
func (m *Market) Run(o Options) (*Flow, error) {
	o.Orders = cmp.Or(o.Orders, 10_000)
	o.Strategies = cmp.Or(o.Strategies, 20)
	o.Instruments = cmp.Or(o.Instruments, 50)
	if o.Instruments > len(m.contracts) {
		return nil, fmt.Errorf("simulation: %d instruments wanted, the market has %d", o.Instruments, len(m.contracts))
	}
	r := &run{
		market: m, opt: o, rng: rand.New(rand.NewPCG(o.Seed, 0x6e61637265)), flow: &Flow{Orders: make([]Order, 0, o.Orders+2)},
		trader: fmt.Sprintf("TRADER-%03d", o.Seed+1),
	}
	r.hire()
	for len(r.flow.Orders) < o.Orders {
		r.draw()
	}
	r.settle()
	return r.flow, nil
}

// A run is one seed at work.
type run struct {
	market     *Market
	opt        Options
	rng        *rand.Rand
	flow       *Flow
	trader     string
	strategies []strategy
	fills      []fill
	trades     int64
}

type strategy struct {
	id      string
	tag     string
	hedging bool
	account trading.AccountID
	orders  int
}

var families = []string{"EMACross", "Breakout", "MeanReversion", "GridMaker", "FundingCarry"}

// hire names the strategies and gives each its account: hedgers share one, the netting ones share two.
func (r *run) hire() {
	for i := range r.opt.Strategies {
		tag := fmt.Sprintf("%03d", int(r.opt.Seed)*r.opt.Strategies+i+1)
		s := strategy{id: families[i%len(families)] + "-" + tag, tag: tag, account: r.account("master")}
		switch {
		case i >= r.opt.Strategies*9/10:
			s.hedging, s.account = true, r.account("hedge")
		case i >= r.opt.Strategies/2:
			s.account = r.account("fund2")
		}
		r.strategies = append(r.strategies, s)
	}
}

func (r *run) account(name string) trading.AccountID {
	if r.opt.Seed > 0 {
		name = fmt.Sprintf("%s%d", name, r.opt.Seed)
	}
	return trading.AccountID("BINANCE-USDT_FUTURES-" + name)
}

// chance is true in n of 1,000 draws.
func (r *run) chance(n int) bool { return r.rng.IntN(1000) < n }

// between draws from lo to hi, both possible.
func (r *run) between(lo, hi int64) int64 { return lo + r.rng.Int64N(max(hi-lo, 0)+1) }

// A uuid is drawn always and written as text only where a row keeps it, so that rows don't depend on Options.Events.
type uuid struct{ hi, lo uint64 }

func (r *run) uuid() uuid { return uuid{r.rng.Uint64(), r.rng.Uint64()} }

// String is a version 4 UUID in lower case.
func (u uuid) String() string {
	const hex = "0123456789abcdef"
	hi, lo := u.hi&^0xf000|0x4000, u.lo&^(3<<62)|1<<63
	var b [36]byte
	at := 0
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			b[at] = '-'
			at++
		}
		v := hi
		if i >= 16 {
			v = lo
		}
		b[at] = hex[v>>(60-4*(i%16))&15]
		at++
	}
	return string(b[:])
}

// settle folds all fills, in the order in which they happened, into positions and accounts.
func (r *run) settle() {
	slices.SortStableFunc(r.fills, func(a, b fill) int { return cmp.Compare(a.at, b.at) })
	b := newBooks(r)
	const eightHours = int64(8 * time.Hour)
	first, last := r.market.bars[0].close, r.market.bars[len(r.market.bars)-1].close
	hour := first - first%int64(time.Hour) + int64(time.Hour)
	for _, f := range r.fills {
		for ; hour <= f.at; hour += int64(time.Hour) {
			b.strike(hour, hour%eightHours == 0)
		}
		b.book(f)
	}
	for ; hour <= last; hour += int64(time.Hour) {
		b.strike(hour, hour%eightHours == 0)
	}
	b.close(last)
}

// barAt is the index of the bar in which the time lies.
func (m *Market) barAt(at int64) int {
	i, _ := slices.BinarySearchFunc(m.bars, at, func(b bar, t int64) int { return cmp.Compare(b.close, t) })
	return min(i, len(m.bars)-1)
}
