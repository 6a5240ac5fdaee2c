package dataset

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/nacre-store/nacre/bench/binance"
	"github.com/nacre-store/nacre/bench/sim"
	"github.com/nacre-store/nacre/gen/trading"
)

// A Source is the real data from which all rows are made.
type Source struct {
	Dir    string
	Rows   binance.Rows
	Bars   []trading.Bar
	Market *sim.Market
}

// ContractsFile is the exchange information in the data's folder.
const ContractsFile = "binance-usdm-exchange-info-2022-05-04.json"

// ReadSource reads the files of testdata/market.
func ReadSource(dir string) (*Source, error) {
	f, err := os.Open(filepath.Join(dir, ContractsFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := binance.Parse(f)
	if err != nil {
		return nil, err
	}
	s := &Source{Dir: dir}
	if s.Rows, err = binance.ToRows(info); err != nil {
		return nil, err
	}
	if s.Bars, err = sim.ReadBars(filepath.Join(dir, "btc-perp-1m-2021-12-31.csv")); err != nil {
		return nil, err
	}
	s.Market, err = sim.NewMarket(s.Bars, s.Rows.Instruments)
	return s, err
}

// Plan says how much to load.
type Plan struct {
	Rows     int             // At least; 10,000 is one seed with full histories.
	Progress func(share int) // Rows loaded so far; may be nil.
}

// fullHistory is up to how many rows one seed is loaded with its events.
const fullHistory = 20_000

// Load writes rows through the typed store and remembers them: the first seed's with events, fills, balances
// and margins; those of further seeds without events.
func Load(ctx context.Context, t trading.Tables, src *Source, s *Set, p Plan) error {
	if p.Progress == nil {
		p.Progress = func(int) {}
	}
	if err := loadMarket(ctx, t, src, s); err != nil {
		return err
	}
	flow, err := src.Market.Run(sim.Options{Orders: min(p.Rows, 10_000), Events: p.Rows <= fullHistory})
	if err != nil {
		return err
	}
	if err := s.remember(flow); err != nil {
		return err
	}
	if p.Rows <= fullHistory {
		err = loadHistories(ctx, t, s, flow)
	} else {
		err = loadRows(ctx, t, flow)
	}
	if err != nil {
		return err
	}
	p.Progress(s.Len())
	// The next flow is simulated while this one is written.
	flows, stop := ahead(ctx, src.Market)
	defer stop()
	for s.Len() < p.Rows {
		flow, ok := <-flows
		if !ok {
			return context.Cause(ctx)
		}
		if flow.err != nil {
			return flow.err
		}
		over := s.Len() + len(flow.Orders) - p.Rows
		if over > 0 {
			flow.Orders, flow.Positions, flow.Accounts = flow.Orders[:len(flow.Orders)-over], nil, nil
		}
		if err := s.remember(flow.Flow); err != nil {
			return err
		}
		if err := loadRows(ctx, t, flow.Flow); err != nil {
			return err
		}
		p.Progress(s.Len())
	}
	return nil
}

type nextFlow struct {
	*sim.Flow
	err error
}

func ahead(ctx context.Context, m *sim.Market) (<-chan nextFlow, func()) {
	ctx, cancel := context.WithCancel(ctx)
	out := make(chan nextFlow)
	var done sync.WaitGroup
	done.Go(func() {
		defer close(out)
		for seed := uint64(1); ; seed++ {
			f, err := m.Run(sim.Options{Seed: seed})
			select {
			case out <- nextFlow{f, err}:
			case <-ctx.Done():
				return
			}
		}
	})
	return out, func() { cancel(); done.Wait() }
}

// loadMarket writes what is published: venue, currencies, contracts and bars.
func loadMarket(ctx context.Context, t trading.Tables, src *Source, s *Set) error {
	err := errors.Join(
		t.Venues.Put(ctx, src.Rows.Venue),
		t.Currencies.PutMany(ctx, slices.Values(src.Rows.Currencies)),
		t.Instruments.PutMany(ctx, slices.Values(src.Rows.Instruments)),
		t.Bars.Append(ctx, sim.BarType, src.Bars[len(src.Bars)-1000:]...),
	)
	if err != nil {
		return fmt.Errorf("load the market: %w", err)
	}
	s.Events += int64(1 + len(src.Rows.Currencies) + 1000)
	var buf []byte
	for i := range src.Rows.Instruments {
		r := &src.Rows.Instruments[i]
		if buf, err = r.MarshalMsg(buf[:0]); err == nil {
			err = s.add(Instrument, string(r.InstrumentID), buf)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// remember keeps the rows of a flow as they will be stored.
func (s *Set) remember(f *sim.Flow) error {
	var buf []byte
	var err error
	for i := range f.Orders {
		r := &f.Orders[i].Row
		if buf, err = r.MarshalMsg(buf[:0]); err == nil {
			err = s.add(Order, string(r.ClientOrderID), buf)
		}
		if err != nil {
			return err
		}
	}
	for i := range f.Positions {
		r := &f.Positions[i].Row
		if buf, err = r.MarshalMsg(buf[:0]); err == nil {
			err = s.add(Position, string(r.PositionID), buf)
		}
		if err != nil {
			return err
		}
	}
	for i := range f.Accounts {
		r := &f.Accounts[i].Row
		if buf, err = r.MarshalMsg(buf[:0]); err == nil {
			err = s.add(Account, string(r.AccountID), buf)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// loadHistories writes orders with their events, positions with fills, adjustments and cycles, accounts with
// balances, margins and events: each row together with its list in one step, as an application does.
func loadHistories(ctx context.Context, t trading.Tables, s *Set, f *sim.Flow) error {
	for i := range f.Orders {
		s.Events += int64(len(f.Orders[i].Events))
	}
	for i := range f.Positions {
		p := &f.Positions[i]
		s.Events += int64(len(p.Fills) + len(p.Adjustments) + len(p.Cycles))
	}
	for i := range f.Accounts {
		a := &f.Accounts[i]
		s.Events += int64(len(a.Balances) + len(a.Margins) + len(a.Events))
	}
	if err := each(ctx, f.Orders, func(o *sim.Order) error { return t.Orders.AppendEvents(ctx, o.Row, o.Events...) }); err != nil {
		return fmt.Errorf("load orders: %w", err)
	}
	err := each(ctx, f.Positions, func(p *sim.Position) error {
		err := t.Positions.AppendFills(ctx, p.Row, p.Fills...)
		if err == nil && len(p.Adjustments) > 0 {
			err = t.Positions.AppendAdjustments(ctx, p.Row, p.Adjustments...)
		}
		if err == nil && len(p.Cycles) > 0 {
			err = t.Positions.AppendCycles(ctx, p.Row, p.Cycles...)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("load positions: %w", err)
	}
	err = each(ctx, f.Accounts, func(a *sim.Account) error { return loadAccount(ctx, t, a) })
	if err != nil {
		return fmt.Errorf("load accounts: %w", err)
	}
	return nil
}

func loadAccount(ctx context.Context, t trading.Tables, a *sim.Account) error {
	if err := t.Accounts.AppendEvents(ctx, a.Row, a.Events...); err != nil {
		return err
	}
	for _, b := range a.Balances {
		if err := t.Accounts.Balances(a.Row.AccountID).Put(ctx, b.Currency, b); err != nil {
			return err
		}
	}
	for _, m := range a.Margins {
		if err := t.Accounts.Margins(a.Row.AccountID).Put(ctx, m.InstrumentID, m); err != nil {
			return err
		}
	}
	return nil
}

// loadRows writes rows without events, pipelined.
func loadRows(ctx context.Context, t trading.Tables, f *sim.Flow) error {
	const part = 1000
	err := parts(ctx, f.Orders, part, func(some []sim.Order) error {
		return t.Orders.PutMany(ctx, project(some, func(o *sim.Order) trading.Order { return o.Row }))
	})
	if err == nil {
		err = parts(ctx, f.Positions, part, func(some []sim.Position) error {
			return t.Positions.PutMany(ctx, project(some, func(p *sim.Position) trading.Position { return p.Row }))
		})
	}
	if err == nil {
		err = t.Accounts.PutMany(ctx, project(f.Accounts, func(a *sim.Account) trading.Account { return a.Row }))
	}
	if err != nil {
		return fmt.Errorf("load rows: %w", err)
	}
	return nil
}

func project[T, R any](from []T, f func(*T) R) iter.Seq[R] {
	return func(yield func(R) bool) {
		for i := range from {
			if !yield(f(&from[i])) {
				return
			}
		}
	}
}

// writers load at the same time, so that the client's work on one row overlaps with the server's on another.
var writers = 8 * runtime.GOMAXPROCS(0)

func each[T any](ctx context.Context, all []T, f func(*T) error) error {
	return parts(ctx, all, 1, func(one []T) error { return f(&one[0]) })
}

func parts[T any](ctx context.Context, all []T, size int, f func([]T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan []T)
	var done sync.WaitGroup
	for range writers {
		done.Go(func() {
			for some := range work {
				if err := f(some); err != nil {
					cancel(err)
				}
			}
		})
	}
	for some := range slices.Chunk(all, size) {
		if ctx.Err() != nil {
			break
		}
		work <- some
	}
	close(work)
	done.Wait()
	return context.Cause(ctx)
}
