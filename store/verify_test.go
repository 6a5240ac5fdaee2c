package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// verify runs a Verify and wants no error of it.
func verify[K comparable, V any](t testing.TB, r store.Rows[K, V], mend bool) store.Report {
	t.Helper()
	report, err := r.Verify(t.Context(), mend)
	must(t, err)
	return report
}

// says checks the lines of a report.
func says(t testing.TB, r store.Report, lines ...string) {
	t.Helper()
	if want := strings.Join(lines, "\n  "); r.String() != want {
		t.Errorf("the report is\n%s\nwant\n%s", r, want)
	}
	if r.Clean() != (len(lines) == 1) {
		t.Errorf("Clean is %v of\n%s", r.Clean(), r)
	}
}

// A small desk: two open positions, a closed one, orders, an instrument that
// they keep and one that nobody keeps.
func smallDesk(t testing.TB) *desk {
	t.Helper()
	d, ctx := openOn(t, redistest.New(t, "--enable-debug-command", "yes")), t.Context()
	for i, side := range []trading.PositionSide{trading.PositionSideLong, trading.PositionSideShort, trading.PositionSideFlat} {
		p := position(fmt.Sprintf("P-%d", i), side)
		must(t, d.Positions.AppendFills(ctx, p, event("E-1", trading.OrderEventTypeFilled, trading.OrderStatusFilled)))
	}
	must(t, d.Orders.AppendEvents(ctx, order("O-1", trading.OrderStatusAccepted), event("E-1", trading.OrderEventTypeAccepted, trading.OrderStatusAccepted)))
	for _, id := range []trading.InstrumentID{"BTCUSDT-PERP.BINANCE", "X.Y"} {
		must(t, d.Instruments.Put(ctx, trading.Instrument{InstrumentID: id, InstrumentClass: trading.InstrumentClassSpot, AssetClass: trading.AssetClassFx}))
	}
	return d
}

func TestVerifyOfASoundDesk(t *testing.T) {
	d := smallDesk(t)
	for _, mend := range []bool{false, true} {
		says(t, verify(t, d.Positions.Rows, mend), "position: 3 rows")
		says(t, verify(t, d.Orders.Rows, mend), "order: 1 rows")
		says(t, verify(t, d.Instruments.Rows, mend), "instrument: 2 rows")
		says(t, verify(t, d.Accounts.Rows, mend), "account: 0 rows")
	}
}

// digest stands for everything that is stored but what the store keeps of
// itself, expiries included.
func (d *desk) digest(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, k := range slices.Sorted(strings.FieldsSeq(d.do(t, "KEYS", "*"))) {
		if !strings.Contains(k, "-nacre.") {
			fmt.Fprintln(&b, k, d.do(t, "DEBUG", "DIGEST-VALUE", k), d.do(t, "PEXPIRETIME", k))
		}
	}
	return b.String()
}

// Each kind of fault is found without being touched, mended on demand, and gone
// then.
func TestVerifyFindsAndMends(t *testing.T) {
	soon := fmt.Sprint(time.Now().Add(time.Hour).UnixMilli())
	for name, c := range map[string]struct {
		table  string // position if not said
		damage []string
		says   string   // with %d for what is mended
		whole  []string // a command and its answer once it is mended
	}{
		"missing in ids":         {"", []string{"ZREM trader-position.ids P-0"}, "missing in ids: 1 mended", []string{"ZSCORE trader-position.ids P-0", "inf"}},
		"missing in open":        {"", []string{"DEL trader-position.open"}, "missing in open: 2 mended", []string{"ZCARD trader-position.open", "2"}},
		"missing in by_strategy": {"", []string{"ZREM trader-position.by_strategy:EMACross-001 P-0 P-2"}, "missing in by_strategy: 2 mended", []string{"ZCARD trader-position.by_strategy:EMACross-001", "3"}},
		"dangling in ids":        {"", []string{"ZADD trader-position.ids +inf P-9"}, "dangling in ids: 1 mended", []string{"ZCARD trader-position.ids", "3"}},
		"dangling in open":       {"", []string{"ZADD trader-position.open +inf P-2"}, "dangling in open: 1 mended", []string{"ZCARD trader-position.open", "2"}},
		"dangling in a value":    {"", []string{"ZADD trader-position.by_strategy:Other +inf P-1 +inf P-9"}, "dangling in by_strategy: 2 mended", []string{"EXISTS trader-position.by_strategy:Other", "0"}},
		"list without a row":     {"", []string{"RPUSH trader-position.cycles:P-9 x"}, "dangling in cycles: 1 mended", []string{"EXISTS trader-position.cycles:P-9", "0"}},
		"swept too early":        {"", []string{"ZADD trader-position.open " + soon + " P-0"}, "wrong expiry of open: 1 mended", []string{"ZSCORE trader-position.open P-0", "inf"}},
		"history dies":           {"", []string{"PEXPIREAT trader-position.fills:P-0 " + soon}, "wrong expiry of fills: 1 mended", []string{"PTTL trader-position.fills:P-0", "-1"}},
		"history stays":          {"", []string{"PERSIST trader-position.fills:P-2"}, "wrong expiry of fills: 1 mended", nil},
		"hold lost":              {"order", []string{"SREM trader-instrument.held:BTCUSDT-PERP.BINANCE order:O-1", "PEXPIREAT trader-instrument:BTCUSDT-PERP.BINANCE " + soon}, "missing in held: 1 mended", []string{"PTTL trader-instrument:BTCUSDT-PERP.BINANCE", "-1"}},
		"held by the dead":       {"instrument", []string{"SADD trader-instrument.held:X.Y order:O-9 position:P-2", "PERSIST trader-instrument:X.Y"}, "dangling in held: 2 mended", []string{"EXISTS trader-instrument.held:X.Y", "0"}},
		"held by a stranger":     {"instrument", []string{"SADD trader-instrument.held:X.Y margin:O-9 nonsense", "PERSIST trader-instrument:X.Y"}, "", []string{"SCARD trader-instrument.held:X.Y", "2"}},
		"kept by nobody":         {"instrument", []string{"PERSIST trader-instrument:X.Y"}, "wrong expiry of row: 1 mended", nil},
		"kept and dying":         {"instrument", []string{"PEXPIREAT trader-instrument:BTCUSDT-PERP.BINANCE " + soon}, "wrong expiry of row: 1 mended", []string{"PTTL trader-instrument:BTCUSDT-PERP.BINANCE", "-1"}},
		"unreadable":             {"", []string{"SET trader-position:P-1 nonsense"}, "unreadable row: 1, 0 mended: ", []string{"ZSCORE trader-position.open P-1", "inf"}},
		"another tenant's":       {"", []string{"ZADD trader-a-position.ids 1 P-0", "SET trader-a-position:P-9 x", "RPUSH trader-a-position.fills:P-8 x", "RPUSH trader@b-position.fills:P-8 x", "SET trader@b-position:P-9 x", "SET traderx-position:P-9 x", "SET trader-position_x:P-9 x", "SET trader-xposition:P-9 x"}, "", []string{"EXISTS trader-a-position.ids trader-a-position.fills:P-8 trader@b-position.fills:P-8", "3"}},
		"of another schema":      {"", []string{"ZADD trader-position.by_unknown:x 1 P-9", "SET trader-position.unknown:P-0 x"}, "", []string{"ZCARD trader-position.by_unknown:x", "1"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := smallDesk(t)
			for _, cmd := range c.damage {
				d.do(t, strings.Fields(cmd)...)
			}
			check := func(mend bool, want string) {
				t.Helper()
				r, err := store.Report{}, error(nil)
				switch c.table {
				case "order":
					r, err = d.Orders.Verify(t.Context(), mend)
				case "instrument":
					r, err = d.Instruments.Verify(t.Context(), mend)
				default:
					r, err = d.Positions.Verify(t.Context(), mend)
				}
				must(t, err)
				_, got, _ := strings.Cut(r.String(), "\n  ")
				if !strings.HasPrefix(got, want) || want == "" && got != "" || r.Rows == 0 {
					t.Errorf("mend %v: the report says %q, want %q", mend, r, want)
				}
			}
			found, mended, left := c.says, c.says, ""
			if n, ok := strings.CutSuffix(c.says, " mended"); ok {
				found, mended = n+", 0 mended", n+", "+n[strings.LastIndex(n, " ")+1:]+" mended"
			} else {
				left = c.says
			}
			before := d.digest(t)
			check(false, found)
			if d.digest(t) != before {
				t.Error("a Verify that must not mend has changed something")
			}
			check(true, mended)
			check(false, left)
			if len(c.whole) == 2 {
				d.want(t, c.whole[1], strings.Fields(c.whole[0])...)
			}
			switch name {
			case "history stays":
				d.wantTTL(t, "trader-position.fills:P-2", week)
			case "held by the dead", "kept by nobody":
				d.wantTTL(t, "trader-instrument:X.Y", 24*time.Hour)
			case "held by a stranger":
				d.wantTTL(t, "trader-instrument:X.Y", 0)
			}
		})
	}
}

// A report counts everything and names the first hundred.
func TestVerifyIsBounded(t *testing.T) {
	d := open(t)
	fill(t, d, 1500)
	d.do(t, "DEL", "trader-position.open")
	for i := range 250 {
		d.do(t, "DEL", fmt.Sprintf("trader-position:P-%06d", i))
	}
	r := verify(t, d.Positions.Rows, true)
	if r.Rows != 1250 || len(r.Missing) != 1 || r.Missing[0].Count != 1250 || r.Missing[0].Mended != 1250 || len(r.Missing[0].IDs) != 100 {
		t.Errorf("%s", r)
	}
	if len(r.Dangling) != 3 || r.Dangling[0].Count != 250 || len(r.Dangling[0].IDs) != 100 {
		t.Errorf("%s", r)
	}
	says(t, verify(t, d.Positions.Rows, false), "position: 1250 rows")
}

// Verify builds an index that is new in the schema, once no process is there
// that does not know it.
func TestVerifyBuilds(t *testing.T) {
	srv, ctx := redistest.New(t), t.Context()
	old := jobs("one").open(t, srv)
	old.put(t, "J", 600)
	w := jobs("two", byKind).open(t, srv)
	unbuilt(t, w.index("by_kind", "x"))
	says(t, verify(t, w.Rows, false), "job: 600 rows", "unbuilt: by_kind: 600, 0 mended")

	r := verify(t, w.Rows, true)
	if len(r.Unbuilt) != 1 || r.Unbuilt[0].Count != 600 || r.Unbuilt[0].Mended != 600 || r.Unbuilt[0].Err == nil || !strings.Contains(r.Unbuilt[0].Err.Error(), "work:one") {
		t.Errorf("beside an older process: %s", r)
	}
	unbuilt(t, w.index("by_kind", "x"))
	must(t, old.Put(ctx, job{ID: "J-000", Status: "NEW", Owner: "ann", Kind: "y"})) // which it takes out of no index
	must(t, old.Put(ctx, job{ID: "K", Status: "NEW", Owner: "ann", Kind: "x"}))     // which it lists in none
	must(t, old.Close(ctx))
	unbuilt(t, w.index("by_kind", "x"))
	says(t, verify(t, w.Rows, true), "job: 601 rows", "dangling in by_kind: 1, 1 mended", "unbuilt: by_kind: 2, 2 mended")
	for kind, want := range map[string]int{"x": 300, "y": 301} {
		if n := count(t, w.index("by_kind", kind)); n != want {
			t.Errorf("%d of kind %s, want %d", n, kind, want)
		}
	}
	says(t, verify(t, w.Rows, false), "job: 601 rows")

	// A row that cannot be read may belong anywhere.
	d := &desk{srv: srv}
	d.do(t, "HDEL", "trader-nacre.meta", "built:job.by_kind")
	d.do(t, "SET", "trader-job:J-001", "nonsense")
	if r := verify(t, w.Rows, true); r.Unreadable.Count != 1 || len(r.Unbuilt) != 1 || r.Unbuilt[0].Err == nil {
		t.Errorf("with an unreadable row: %s", r)
	}
	unbuilt(t, w.index("by_kind", "x"))
	must(t, w.Delete(ctx, "J-001"))
	verify(t, w.Rows, true)
	if n := count(t, w.index("by_kind", "y")); n != 301 {
		t.Errorf("%d of kind y, want 301", n)
	}
}

// An index is built while rows are written, deleted and changed: it is complete
// from the moment on at which it answers.
func TestVerifyBuildsBesideWriters(t *testing.T) {
	srv, ctx := redistest.New(t), t.Context()
	old := jobs("one").open(t, srv)
	old.put(t, "J", 500)
	must(t, old.Close(ctx))
	w := jobs("two", byKind).open(t, srv)
	running, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := rand.New(rand.NewPCG(seed(t), 1))
		for running.Err() == nil {
			j := job{ID: fmt.Sprintf("J-%03d", r.IntN(600)), Status: "NEW", Owner: "ann", Kind: []string{"x", "y"}[r.IntN(2)]}
			if r.IntN(4) == 0 {
				_ = w.Delete(ctx, j.ID)
			} else {
				_ = w.Put(ctx, j)
			}
		}
	}()
	r := verify(t, w.Rows, true)
	if len(r.Unbuilt) != 1 || r.Unbuilt[0].Err != nil {
		t.Errorf("%s", r)
	}
	stop()
	<-done
	want := map[string]int{}
	for _, j := range all(t, w.All(ctx)) {
		want[j.Kind]++
	}
	for kind, n := range want {
		if got := count(t, w.index("by_kind", kind)); got != n {
			t.Errorf("%d of kind %s, want %d", got, kind, n)
		}
	}
	says(t, verify(t, w.Rows, false), fmt.Sprintf("job: %d rows", want["x"]+want["y"]))
}

// Verify mends while others write, and never makes anything missing.
func TestVerifyInARace(t *testing.T) {
	run := 2 * time.Second
	if long() {
		run = 45 * time.Second
	}
	d := racing(t)
	rounds, mended := 0, 0
	missing, looks := race(t, d, run, func(ctx context.Context, r *rand.Rand) {
		id := fmt.Sprint("P-", r.IntN(24))
		d.do(t, "ZADD", "trader-position.open", "+inf", id)
		d.do(t, "ZADD", fmt.Sprint("trader-position.by_strategy:S-", r.IntN(3)), "+inf", id)
		report, err := d.Positions.Verify(ctx, true)
		if err != nil && ctx.Err() == nil {
			t.Error(err)
		}
		rounds++
		for _, f := range report.Dangling {
			mended += f.Mended
		}
		if len(report.Missing) > 0 {
			t.Errorf("%s", report)
		}
	})
	t.Logf("%d rounds mended %d members; %d rows looked at, %d memberships missing", rounds, mended, looks, missing)
	if missing > 0 || mended < 10 || looks < 1000 {
		t.Errorf("%d memberships missing in %d rows; %d rounds mended %d", missing, looks, rounds, mended)
	}
}

func TestVerifyIsNoPartOfACommit(t *testing.T) {
	d := open(t)
	err := d.Commit(t.Context(), func(tx *store.Tx) error {
		_, err := trading.New(tx).Positions.Verify(t.Context(), false)
		return err
	})
	if !errors.Is(err, store.ErrUnsupported) {
		t.Errorf("Verify in a Commit: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Positions.Verify(ctx, false); !errors.Is(err, context.Canceled) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Verify without time: %v", err)
	}
}
