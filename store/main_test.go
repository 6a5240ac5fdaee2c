package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"go.uber.org/goleak"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

func TestMain(m *testing.M) {
	for env, run := range map[string]func(arg string) error{processEnv: runProcess, bookerEnv: runBooker, deskEnv: runDesk, bufferedEnv: runBuffered} {
		if arg := os.Getenv(env); arg != "" {
			if err := run(arg); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}
	}
	// A client of a cluster that is closed looks for the nodes once more, a
	// second later, and finds itself closed.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}

// desk is a store on a Redis of its own.
type desk struct {
	*store.Store
	trading.Tables
	srv *redistest.Server
	cfg store.Config
}

// open starts a private Redis and a store on it.
func open(t testing.TB, change ...func(*store.Config)) *desk {
	t.Helper()
	return openOn(t, redistest.New(t), change...)
}

// inMemory is a server without files, for what shall not measure a disk.
func inMemory(t testing.TB) *redistest.Server {
	t.Helper()
	return redistest.Run(t, redistest.Options{InMemory: true})
}

func openOn(t testing.TB, srv *redistest.Server, change ...func(*store.Config)) *desk {
	t.Helper()
	cfg := at(srv.Port())
	cfg.Schemas = []store.Schema{trading.Schema}
	cfg.Logger = slog.New(slog.DiscardHandler)
	for _, f := range change {
		f(&cfg)
	}
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Close(ctx)
	})
	return &desk{s, trading.New(s), srv, cfg}
}

// do sends a raw command and wants no error.
func (d *desk) do(t testing.TB, args ...string) string {
	t.Helper()
	r, err := d.srv.Do(args...)
	if err != nil {
		t.Fatalf("%s: %v", strings.Join(args, " "), err)
	}
	return r
}

func (d *desk) want(t testing.TB, want string, args ...string) {
	t.Helper()
	if got := d.do(t, args...); got != want {
		t.Errorf("%s = %q, want %q", strings.Join(args, " "), got, want)
	}
}

// wantEmpty checks that nothing is stored but what the store keeps of itself.
func (d *desk) wantEmpty(t testing.TB) {
	t.Helper()
	for key := range strings.FieldsSeq(d.do(t, "KEYS", "*")) {
		if !strings.Contains(key, "-nacre.") {
			t.Errorf("%s is left", key)
		}
	}
}

// wantTTL checks that a key lives as long or a thousandth longer, give or take
// some seconds, as the server's clock is known to within a round trip; 0 is for
// ever.
func (d *desk) wantTTL(t testing.TB, key string, want time.Duration) {
	t.Helper()
	ms, err := strconv.ParseInt(d.do(t, "PTTL", key), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	got := time.Duration(ms) * time.Millisecond
	if want == 0 && ms != -1 || want > 0 && (got > want+want/1024+time.Second || got < want-5*time.Second) {
		t.Errorf("PTTL %s = %d ms, want %v", key, ms, want)
	}
}

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func position(id string, side trading.PositionSide) trading.Position {
	return trading.Position{
		PositionID: trading.PositionID(id), InstrumentID: "BTCUSDT-PERP.BINANCE", StrategyID: "EMACross-001",
		Side: side, Quantity: dec("1.50"), AvgPxOpen: dec("46319.10"), TsOpened: 1641024060000000000, TsLast: 1641024120000000001,
	}
}

func order(id string, status trading.OrderStatus) trading.Order {
	return trading.Order{
		ClientOrderID: trading.ClientOrderID(id), InstrumentID: "BTCUSDT-PERP.BINANCE", OrderType: trading.OrderTypeLimit,
		Side: trading.OrderSideBuy, Quantity: dec("0.100"), Status: status, StrategyID: "EMACross-001",
	}
}

func event(id string, typ trading.OrderEventType, status trading.OrderStatus) trading.OrderEvent {
	return trading.OrderEvent{EventID: id, Type: typ, Status: status, TsEvent: 1641024060000000000, TsInit: 1641024060000000001}
}

// all collects a sequence and wants no error.
func all[V any](t testing.TB, seq func(func(V, error) bool)) []V {
	t.Helper()
	var vs []V
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		vs = append(vs, v)
	}
	return vs
}

// count wants no error.
func count[K comparable, V any](t testing.TB, s store.Set[K, V]) int {
	t.Helper()
	n, err := s.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
