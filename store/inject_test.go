package store_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/redis/rueidis/mock"
	"go.uber.org/mock/gomock"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// injected is a store on a client that answers what the test says, and that
// panics on keys of different cluster slots in one command.
func injected(t testing.TB) (*mock.Client, trading.Tables) {
	t.Helper()
	c, d := injectedWith(t)
	return c, d.Tables
}

func injectedWith(t testing.TB, change ...func(*store.Config)) (*mock.Client, *desk) {
	t.Helper()
	c := mock.NewClient(gomock.NewController(t), mock.WithSlotCheck())
	cfg := store.Config{
		Client: c, HashTag: true, TraderID: "T", Schemas: []store.Schema{trading.Schema}, Logger: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&cfg)
	}
	s, err := store.Open(t.Context(), cfg)
	must(t, err)
	t.Cleanup(func() { closeStore(s) })
	return c, &desk{Store: s, Tables: trading.New(s)}
}

// What became of a Put, by what the server answered to MULTI, SET, ZADD, EXEC.
func TestOutcomeOfATransaction(t *testing.T) {
	ok, queued := mock.RedisString("OK"), mock.RedisString("QUEUED")
	good := mock.Result(mock.RedisArray(mock.RedisNil(), mock.RedisInt64(1)))
	lost := func(err error) []rueidis.RedisResult {
		return []rueidis.RedisResult{mock.ErrorResult(err), mock.ErrorResult(err), mock.ErrorResult(err), mock.ErrorResult(err)}
	}
	aborted := func(why string) []rueidis.RedisResult {
		return []rueidis.RedisResult{mock.Result(ok), mock.Result(mock.RedisError(why)), mock.Result(queued), mock.Result(mock.RedisError("EXECABORT Transaction discarded because of previous errors."))}
	}
	executed := func(exec rueidis.RedisResult) []rueidis.RedisResult {
		return []rueidis.RedisResult{mock.Result(ok), mock.Result(queued), mock.Result(queued), exec}
	}
	for name, c := range map[string]struct {
		answers [][]rueidis.RedisResult // the last one again and again
		want    error
		says    string
	}{
		"done":                      {[][]rueidis.RedisResult{executed(good)}, nil, ""},
		"loading, then done":        {[][]rueidis.RedisResult{aborted("LOADING Redis is loading"), executed(good)}, nil, ""},
		"read only, then done":      {[][]rueidis.RedisResult{aborted("READONLY You can't write"), executed(good)}, nil, ""},
		"out of memory, then done":  {[][]rueidis.RedisResult{aborted("OOM command not allowed"), executed(good)}, nil, ""},
		"out of memory for good":    {[][]rueidis.RedisResult{aborted("OOM command not allowed")}, store.ErrUnavailable, "OOM"},
		"no permission":             {[][]rueidis.RedisResult{aborted("NOPERM this user has no permissions")}, store.ErrRefused, "NOPERM"},
		"connection lost":           {[][]rueidis.RedisResult{lost(errors.New("EOF"))}, store.ErrUnknownOutcome, "EOF"},
		"one command of EXEC fails": {[][]rueidis.RedisResult{executed(mock.Result(mock.RedisArray(mock.RedisNil(), mock.RedisError("WRONGTYPE Operation against a key"))))}, store.ErrRefused, "in part"},
		"client closed":             {[][]rueidis.RedisResult{lost(rueidis.ErrClosing)}, store.ErrClosed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, tables := injected(t)
			n := 0
			client.EXPECT().DoMulti(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(context.Context, ...rueidis.Completed) []rueidis.RedisResult {
				a := c.answers[min(n, len(c.answers)-1)]
				n++
				return a
			})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			err := tables.Currencies.Put(ctx, trading.Currency{CurrencyCode: "USD", CurrencyType: trading.CurrencyTypeFiat})
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Fatalf("%v, want %v %s", err, c.want, c.says)
			}
			var re *store.RowError
			if err != nil && (!errors.As(err, &re) || re.Table != "currency" || re.ID != "USD") {
				t.Errorf("%v names no row", err)
			}
			if n < len(c.answers) {
				t.Errorf("%d calls, want %d", n, len(c.answers))
			}
		})
	}
}

// Every key of one trader is in one slot: the checking client panics otherwise.
func TestOneTraderIsOneSlot(t *testing.T) {
	client, tables := injected(t)
	slots := map[uint16]bool{}
	see := func(cmds ...rueidis.Completed) {
		for _, c := range cmds {
			if k := c.Commands(); len(k) > 1 && k[0] != "EVALSHA" {
				slots[c.Slot()] = true
			}
		}
	}
	client.EXPECT().DoMulti(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, cmds ...rueidis.Completed) []rueidis.RedisResult {
		see(cmds...)
		rs := make([]rueidis.RedisResult, len(cmds))
		for i := range rs {
			rs[i] = mock.Result(mock.RedisString("QUEUED"))
		}
		rs[len(rs)-1] = mock.Result(mock.RedisArray(mock.RedisNil()))
		return rs
	})
	scripts := 0
	client.EXPECT().Do(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, cmd rueidis.Completed) rueidis.RedisResult {
		scripts++
		slots[cmd.Slot()] = true
		return mock.Result(mock.RedisArray(mock.RedisString("OK"), mock.RedisNil()))
	})
	ctx := t.Context()
	must(t, tables.Positions.Put(ctx, position("P-{1}", trading.PositionSideLong)))
	must(t, tables.Instruments.Put(ctx, trading.Instrument{InstrumentID: "{X}.Y"}))
	must(t, tables.Orders.AppendEvents(ctx, order("O-1", trading.OrderStatusFilled), event("E-1", trading.OrderEventTypeFilled, trading.OrderStatusFilled)))
	must(t, tables.Positions.Delete(ctx, "P-{1}"))
	delete(slots, rueidisNoSlot)
	if len(slots) != 1 || scripts != 3 {
		t.Errorf("slots %v, %d scripts, want one slot and 3 scripts", slots, scripts)
	}
}

// rueidisNoSlot is the slot of commands without a key, such as MULTI.
const rueidisNoSlot = 1 << 14

func ExampleRowError() {
	err := error(&store.RowError{Table: "order", ID: "O-1", Field: "init.price", Offset: 17, Err: errors.New("not a decimal")})
	var row *store.RowError
	fmt.Println(errors.As(err, &row), row.ID)
	fmt.Println(err)
	// Output:
	// true O-1
	// order "O-1": field "init.price" at byte 17: not a decimal
}
