package store_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// book8 stores n positions of which the eight required fields are set, and
// returns their keys.
func book8(b *testing.B, d *desk, n int) (keys []string) {
	b.Helper()
	must(b, d.Positions.PutMany(b.Context(), func(yield func(trading.Position) bool) {
		for i := range n {
			p := trading.Position{
				PositionID:   trading.PositionID(fmt.Sprintf("BTCUSDT-PERP.BINANCE-EMACross-%07d", i)),
				InstrumentID: trading.InstrumentID(fmt.Sprintf("SYM%03d-PERP.BINANCE", i%200)), StrategyID: fmt.Sprintf("EMACross-%03d", i%50),
				Side: trading.PositionSideLong, Quantity: decimal.New(int64(1+i%1000), -2), AvgPxOpen: decimal.New(int64(4631910+i%5000), -2),
				TsOpened: store.Timestamp(1641024060000000000 + i), TsLast: store.Timestamp(1641024120000000001 + i),
			}
			keys = append(keys, "trader-position:"+string(p.PositionID))
			if !yield(p) {
				return
			}
		}
	}))
	return keys
}

func median(ds []time.Duration) time.Duration {
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// BenchmarkAll reads a table, decoded, and beside it in the same rounds the
// same bytes by the best of several raw MGET readers that know the keys and
// look at nothing. It reports medians in ms, and raw / all.
func BenchmarkAll(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 100_000 && !long() {
				b.Skip("NACRE_LONG=1 runs it")
			}
			d := openOn(b, inMemory(b))
			keys := book8(b, d, n)
			var all []time.Duration
			raws := map[string][]time.Duration{}
			round := func() {
				start := time.Now()
				rows := 0
				for _, err := range d.Positions.All(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
					rows++
				}
				all = append(all, time.Since(start))
				if rows != n {
					b.Fatalf("%d rows", rows)
				}
				for _, v := range []struct{ part, conns int }{{1000, 1}, {1000, 2}, {500, 4}} {
					start = time.Now()
					bytes, err := rawMGET(d.srv.Addr(), keys, v.part, v.conns)
					must(b, err)
					if bytes < 100*n {
						b.Fatalf("%d bytes", bytes)
					}
					name := fmt.Sprint(v)
					raws[name] = append(raws[name], time.Since(start))
				}
			}
			round() // connections are made, pages are touched
			all, raws = nil, map[string][]time.Duration{}
			b.ResetTimer()
			for range b.N {
				round()
			}
			b.StopTimer()
			raw := time.Hour
			for _, ds := range raws {
				raw = min(raw, median(ds))
			}
			ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ms(median(all)), "all-ms")
			b.ReportMetric(ms(all[0]), "all-min-ms")
			b.ReportMetric(ms(all[len(all)-1]), "all-max-ms")
			b.ReportMetric(ms(raw), "raw-ms")
			b.ReportMetric(float64(raw)/float64(median(all)), "raw/all")
		})
	}
}

// deskEnv makes the test binary a service that recovers a desk: it holds the
// port.
const deskEnv = "STORE_TEST_DESK"

// The desk that is recovered.
const (
	deskOrders, deskPositions, deskAccounts = 10_000, 1_000, 10
	eventsEach, fillsEach, balancesEach     = 4, 5, 12
)

// runDesk is a service at its start: it says when it has everything.
func runDesk(arg string) error {
	var port int
	if _, err := fmt.Sscan(arg, &port); err != nil {
		return err
	}
	ctx := context.Background()
	cfg := at(port)
	cfg.Schemas, cfg.Logger = []store.Schema{trading.Schema}, slog.New(slog.DiscardHandler)
	s, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	in := trading.New(s)
	orders, positions, accounts := map[trading.ClientOrderID]trading.Order{}, map[trading.PositionID]trading.Position{}, map[trading.AccountID]trading.Account{}
	var orderIDs []trading.ClientOrderID
	for o, err := range in.Orders.All(ctx) {
		if err != nil {
			return err
		}
		orders[o.ClientOrderID] = o
		orderIDs = append(orderIDs, o.ClientOrderID)
	}
	var positionIDs []trading.PositionID
	for p, err := range in.Positions.All(ctx) {
		if err != nil {
			return err
		}
		positions[p.PositionID] = p
		positionIDs = append(positionIDs, p.PositionID)
	}
	var accountIDs []trading.AccountID
	for a, err := range in.Accounts.All(ctx) {
		if err != nil {
			return err
		}
		accounts[a.AccountID] = a
		accountIDs = append(accountIDs, a.AccountID)
	}
	n := 0
	for of, err := range in.Orders.EventsOf(ctx, orderIDs...) {
		if err != nil {
			return err
		}
		n += len(of.All)
	}
	for of, err := range in.Positions.FillsOf(ctx, positionIDs...) {
		if err != nil {
			return err
		}
		n += len(of.All)
	}
	for of, err := range in.Accounts.BalancesOf(ctx, accountIDs...) {
		if err != nil {
			return err
		}
		n += len(of.All)
	}
	fmt.Println("ready", len(orders), len(positions), len(accounts), n)
	return nil
}

// BenchmarkDeskStart is the start of a real desk: from the start of the process
// to the moment at which it has 10,000 orders with their events, 1,000
// positions with their fills and 10 accounts with their balances.
func BenchmarkDeskStart(b *testing.B) {
	d, ctx := openOn(b, inMemory(b)), b.Context()
	for i := range deskOrders {
		o := order(fmt.Sprintf("O-20260102-%06d-001", i), trading.OrderStatusAccepted)
		o.InstrumentID, o.StrategyID = trading.InstrumentID(fmt.Sprintf("SYM%03d-PERP.BINANCE", i%200)), fmt.Sprintf("EMACross-%03d", i%50)
		o.AccountID, o.VenueOrderID, o.TimeInForce = "BINANCE-USDT_FUTURES-master", fmt.Sprint(8_000_000_000+i), trading.TimeInForceGtc
		o.Price, o.FilledQty, o.LeavesQty = store.Some(dec("46319.10")), store.Some(dec("0.050")), store.Some(dec("0.050"))
		o.TsInit, o.TsSubmitted, o.TsAccepted, o.TsLast = 1641024060000000000, 1641024060000000100, 1641024060000000200, 1641024060000000300
		o.EventCount = store.Some[int64](eventsEach)
		var events []trading.OrderEvent
		for n := range eventsEach {
			e := event(fmt.Sprintf("%08x-0000-4000-8000-%012x", i, n), trading.OrderEventTypeAccepted, trading.OrderStatusAccepted)
			e.TsEvent, e.TsInit = store.Timestamp(1641024060000000000+i), store.Timestamp(1641024060000000001+i)
			events = append(events, e)
		}
		must(b, d.Orders.AppendEvents(ctx, o, events...))
	}
	for i := range deskPositions {
		p := position(fmt.Sprintf("SYM%03d-PERP.BINANCE-EMACross-%03d", i%200, i/200), trading.PositionSideLong)
		var fills []trading.OrderEvent
		for n := range fillsEach {
			fills = append(fills, event(fmt.Sprintf("%08x-0000-4000-9000-%012x", i, n), trading.OrderEventTypeFilled, trading.OrderStatusFilled))
		}
		must(b, d.Positions.AppendFills(ctx, p, fills...))
	}
	for i := range deskAccounts {
		id := trading.AccountID(fmt.Sprint("BINANCE-", i))
		must(b, d.Accounts.Put(ctx, trading.Account{AccountID: id, AccountType: trading.AccountTypeMargin}))
		for n := range balancesEach {
			c := fmt.Sprint("C", n)
			must(b, d.Accounts.Balances(id).Put(ctx, c, trading.Balance{Currency: c, Total: dec("1000.10"), Free: dec("900.10"), Locked: dec("100")}))
		}
	}
	var took []time.Duration
	b.ResetTimer()
	for range b.N {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), deskEnv+"="+fmt.Sprint(d.srv.Port()))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(b, err)
		start := time.Now()
		must(b, cmd.Start())
		line, err := bufio.NewReader(out).ReadString('\n')
		took = append(took, time.Since(start))
		must(b, err)
		must(b, cmd.Wait())
		if want := fmt.Sprintln("ready", deskOrders, deskPositions, deskAccounts, deskOrders*eventsEach+deskPositions*fillsEach+deskAccounts*balancesEach); line != want {
			b.Fatalf("%q, want %q", line, want)
		}
	}
	b.StopTimer()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(median(took))/1e6, "ready-ms")
	b.ReportMetric(float64(took[0])/1e6, "ready-min-ms")
	b.ReportMetric(float64(took[len(took)-1])/1e6, "ready-max-ms")
}
