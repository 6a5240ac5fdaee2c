package main

import (
	"context"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/bench/binance"
	"github.com/nacre-store/nacre/bench/sim"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// sizing is the table of docs/operations.md: a row of it names what is stored,
// how many of them, and how much memory Redis needs for each.
var sizing = regexp.MustCompile(`(?m)^\| ([^|]+) \| ([\d,]+) \| ([\d,]+) B \|`)

// TestSizing loads what the table names, each on a server of its own, and
// compares the memory that Redis then needs with the table.
func TestSizing(t *testing.T) {
	page, err := os.ReadFile("../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := sizing.FindAllStringSubmatch(string(page), -1)
	loads := loadsOf(t)
	if len(rows) != len(loads) {
		t.Errorf("the table has %d rows, want %d", len(rows), len(loads))
	}
	for _, row := range rows {
		load, ok := loads[row[1]]
		if !ok {
			t.Errorf("unknown row %q", row[1])
			continue
		}
		t.Run(row[1], func(t *testing.T) {
			n, bytes := measure(t, load)
			if want := number(t, row[2]); n != want {
				t.Errorf("%d were stored, the table says %d", n, want)
			}
			// Allocators differ, and so do versions of Redis.
			if want := number(t, row[3]); bytes < want*4/5 || bytes > want*6/5 {
				t.Errorf("%d B each, the table says %d", bytes, want)
			}
		})
	}
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(strings.ReplaceAll(text, ",", ""))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A loader stores something and says how many.
type loader func(ctx context.Context, tables trading.Tables) (int, error)

func loadsOf(t *testing.T) map[string]loader {
	t.Helper()
	const data = "../testdata/market/"
	bars, err := sim.ReadBars(data + "btc-perp-1m-2021-12-31.csv")
	if err != nil {
		t.Fatal(err)
	}
	quotes, err := sim.ReadQuotes(data + "usdjpy-quotes-2013-01-01.csv")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(data + "binance-usdm-exchange-info-2022-05-04.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := binance.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	contracts, err := binance.ToRows(info)
	if err != nil {
		t.Fatal(err)
	}
	market, err := sim.NewMarket(bars, contracts.Instruments)
	if err != nil {
		t.Fatal(err)
	}
	flow, err := market.Run(sim.Options{Orders: 2000, Events: true})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]loader{
		"order with its events and indexes": func(ctx context.Context, tables trading.Tables) (int, error) {
			for _, o := range flow.Orders {
				if err := tables.Orders.AppendEvents(ctx, o.Row, o.Events...); err != nil {
					return 0, err
				}
			}
			return len(flow.Orders), nil
		},
		"order without events, with its indexes": func(ctx context.Context, tables trading.Tables) (int, error) {
			return len(flow.Orders), tables.Orders.PutMany(ctx, func(yield func(trading.Order) bool) {
				for _, o := range flow.Orders {
					if !yield(o.Row) {
						return
					}
				}
			})
		},
		"position without fills, with its indexes": func(ctx context.Context, tables trading.Tables) (int, error) {
			return len(flow.Positions), tables.Positions.PutMany(ctx, func(yield func(trading.Position) bool) {
				for _, p := range flow.Positions {
					if !yield(p.Row) {
						return
					}
				}
			})
		},
		"instrument": func(ctx context.Context, tables trading.Tables) (int, error) {
			for _, in := range contracts.Instruments {
				if err := tables.Instruments.Put(ctx, in); err != nil {
					return 0, err
				}
			}
			return len(contracts.Instruments), nil
		},
		"quote of a series": func(ctx context.Context, tables trading.Tables) (int, error) {
			return len(quotes), tables.QuoteTicks.Append(ctx, "USD/JPY.TRUEFX", quotes...)
		},
		"bar of a series": func(ctx context.Context, tables trading.Tables) (int, error) {
			return 10_000, tables.Bars.Append(ctx, sim.BarType, bars...)
		},
	}
}

// measure returns how many were stored, and the bytes of memory for each: those
// of all keys, by Redis' own account.
func measure(t *testing.T, load loader) (n, bytes int) {
	t.Helper()
	redis := storetest.Run(t, storetest.ServerOptions{})
	s, err := store.Open(t.Context(), store.Config{
		Database: store.DatabaseConfig{Host: "127.0.0.1", Port: redis.Port()},
		Schemas:  []store.Schema{trading.Schema},
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	if n, err = load(t.Context(), trading.New(s)); err != nil {
		t.Fatal(err)
	}
	const sum = "local n = 0 for _, k in ipairs(redis.call('KEYS', '*')) do n = n + redis.call('MEMORY', 'USAGE', k, 'SAMPLES', 0) end return n"
	all, err := redis.Do("EVAL", sum, "0")
	if err != nil {
		t.Fatal(err)
	}
	bytes = number(t, all) / n
	t.Logf("%d stored, %d B each", n, bytes)
	return n, bytes
}
