package store_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"go.uber.org/goleak"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// fill stores n open positions.
func fill(t testing.TB, d *desk, n int) {
	t.Helper()
	must(t, d.Positions.PutMany(t.Context(), func(yield func(trading.Position) bool) {
		for i := range n {
			if !yield(position(fmt.Sprintf("P-%06d", i), trading.PositionSideLong)) {
				return
			}
		}
	}))
}

// A desk comes back whole: every row once, whether in one part or many.
func TestAllYieldsEveryRowOnce(t *testing.T) {
	d := open(t)
	for _, n := range []int{0, 1, 127, 128, 129, 3000} {
		fill(t, d, n)
		for name, s := range map[string]store.Set[trading.PositionID, trading.Position]{"table": d.Positions.Set, "state": d.Positions.Open(), "field": d.Positions.ByStrategy("EMACross-001")} {
			seen := map[trading.PositionID]int{}
			for p, err := range s.All(t.Context()) {
				must(t, err)
				if seen[p.PositionID]++; p.Quantity.String() != "1.5" || p.Side != trading.PositionSideLong {
					t.Fatalf("%s: %+v", name, p)
				}
			}
			if len(seen) != n {
				t.Errorf("%s: %d rows, want %d", name, len(seen), n)
			}
			for id, times := range seen {
				if times != 1 {
					t.Errorf("%s: %s %d times", name, id, times)
				}
			}
			if got := count(t, s); got != n {
				t.Errorf("%s: Count is %d, want %d", name, got, n)
			}
		}
	}
}

// Rows that are there all the time are yielded, whatever happens around them.
func TestAllBesideWriters(t *testing.T) {
	d, ctx := open(t), t.Context()
	fill(t, d, 2000)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for w := range 2 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("X-%d-%d", w, i%50)
				p := position(id, trading.PositionSideLong)
				if i%3 == 1 {
					p.Side = trading.PositionSideFlat
				}
				if i%3 == 2 {
					_ = d.Positions.Delete(ctx, p.PositionID)
				} else {
					_ = d.Positions.Put(ctx, p)
				}
			}
		})
	}
	for range 20 {
		steady := 0
		for p, err := range d.Positions.Open().All(ctx) {
			must(t, err)
			if strings.HasPrefix(string(p.PositionID), "P-") {
				steady++
			}
			if p.Side == trading.PositionSideFlat {
				t.Errorf("%s is not open", p.PositionID)
			}
		}
		if steady != 2000 {
			t.Errorf("%d of 2000 rows", steady)
		}
	}
	close(stop)
	wg.Wait()
}

// Connections that are lost in the midst of an answer cost nothing but time:
// every row is yielded once.
func TestAllOutlivesItsConnections(t *testing.T) {
	d := open(t)
	const n = 300
	must(t, d.Positions.PutMany(t.Context(), func(yield func(trading.Position) bool) {
		for i := range n {
			p := position(fmt.Sprintf("P-%06d", i), trading.PositionSideLong)
			p.Extra = "\xa3new\xdb\x00\x01\x00\x00" + strings.Repeat("x", 1<<16) // more than sockets hold
			if !yield(p) {
				return
			}
		}
	}))
	d.do(t, "SET", "trader-position:P-000007", "no row")
	killed := 0
	kill := func() {
		for line := range strings.Lines(d.do(t, "CLIENT", "LIST", "TYPE", "normal")) {
			if id, rest, _ := strings.Cut(strings.TrimPrefix(line, "id="), " "); strings.Contains(rest, " cmd=mget ") {
				d.do(t, "CLIENT", "KILL", "ID", id)
				killed++
			}
		}
	}
	for range 3 {
		rows, bad := map[trading.PositionID]int{}, 0
		for p, err := range d.Positions.All(t.Context()) {
			if err != nil && !errors.As(err, new(*store.RowError)) {
				t.Fatal(err)
			}
			if rows[p.PositionID]++; err != nil {
				bad++
			}
			if len(rows)%50 == 1 { // the next parts are on their way
				kill()
			}
		}
		if len(rows) != n || bad != 1 {
			t.Errorf("%d rows, %d errors", len(rows), bad)
		}
		for id, times := range rows {
			if times != 1 {
				t.Errorf("%s %d times", id, times)
			}
		}
	}
	if killed == 0 {
		t.Error("no connection was lost")
	}
}

// One bad row never hides the others: not a corrupt one, not one of a newer
// format, not one under a wrong key, not one in a state that is not known here.
func TestBadRowsAreErrorsOfTheirOwn(t *testing.T) {
	d, ctx := open(t), t.Context()
	fill(t, d, 1000)
	good := d.do(t, "GET", "trader-position:P-000001")
	bad := map[string]string{
		"P-000100": "\xc1 no msgpack",
		"P-000200": "",
		"P-000300": good[:len(good)-3],
		"P-000400": good,
		"P-000500": strings.Replace(strings.Replace(good, "P-000001", "P-000500", 1), "\xa4LONG", "\xa4WIDE", 1),
		"P-000999": "\x93\x01\x02\x03",
	}
	for id, raw := range bad {
		d.do(t, "SET", "trader-position:"+id, raw)
	}
	for _, s := range []store.Set[trading.PositionID, trading.Position]{d.Positions.Set, d.Positions.Open()} {
		rows, failed := 0, map[string]bool{}
		for p, err := range s.All(ctx) {
			var re *store.RowError
			switch {
			case err == nil:
				rows++
			case !errors.As(err, &re) || re.Table != "position":
				t.Fatalf("%v is no error of a row", err)
			default:
				failed[re.ID] = true
				if p.PositionID != "" {
					t.Errorf("%s: a row beside the error", p.PositionID)
				}
			}
		}
		if rows != 1000-len(bad) || len(failed) != len(bad) {
			t.Errorf("%d rows and errors for %v", rows, failed)
		}
		for id := range bad {
			if !failed[id] {
				t.Errorf("no error for %s", id)
			}
		}
		n, err := s.Count(ctx)
		if joined, ok := err.(interface{ Unwrap() []error }); n != 1000-len(bad) || !ok || len(joined.Unwrap()) != len(bad) {
			t.Errorf("Count: %d, %v", n, err)
		}
	}
	d.want(t, "1000", "ZCARD", "trader-position.open") // and nothing was healed away
}

// Members that their rows do not justify, and members without rows, go while
// the set is read, however many there are.
func TestAllDropsStaleMembers(t *testing.T) {
	d := open(t)
	must(t, d.Positions.PutMany(t.Context(), func(yield func(trading.Position) bool) {
		for i := range 700 {
			p := position(fmt.Sprintf("P-%06d", i), trading.PositionSideLong)
			p.Extra = "\xa3new\xda\x08\x00" + strings.Repeat("x", 2048) // together more than is read at once
			if !yield(p) {
				return
			}
		}
	}))
	add := []string{"ZADD", "trader-position.by_strategy:other"}
	for i := range 1000 { // of which 300 are no rows
		add = append(add, "+inf", fmt.Sprintf("P-%06d", i))
	}
	d.do(t, add...)
	if n := count(t, d.Positions.ByStrategy("other")); n != 0 {
		t.Errorf("%d rows", n)
	}
	d.want(t, "0", "ZCARD", "trader-position.by_strategy:other")
	d.want(t, "700", "ZCARD", "trader-position.by_strategy:EMACross-001")
}

// A loop may end at any row. Nothing is left behind, and the connections go on.
func TestAllMayStopAnywhere(t *testing.T) {
	d := open(t)
	fill(t, d, 3000)
	count(t, d.Positions.Set) // the connection for bulk reads stays
	before := goleak.IgnoreCurrent()
	for _, stop := range []int{1, 127, 128, 129, 700, 2999} {
		n := 0
		for _, err := range d.Positions.All(t.Context()) {
			must(t, err)
			if n++; n == stop {
				break
			}
		}
		goleak.VerifyNone(t, before)
		if got := count(t, d.Positions.Open()); got != 3000 {
			t.Errorf("after a stop at %d: %d rows", stop, got)
		}
	}
}

// A context that ends is the last thing that the loop yields, soon, also when
// the server does not answer any more.
func TestAllAndTheContext(t *testing.T) {
	d := open(t)
	fill(t, d, 3000)
	for _, frozen := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		rows, errs := 0, 0
		start := time.Now()
		for _, err := range d.Positions.All(ctx) {
			if errs > 0 {
				t.Fatal("the loop goes on behind its end")
			}
			if err != nil {
				errs++
				if !errors.Is(err, context.Canceled) || !errors.Is(err, store.ErrUnavailable) {
					t.Errorf("the end is %v", err)
				}
				continue
			}
			if rows++; rows == 10 {
				if frozen {
					must(t, d.srv.Pause())
				}
				start = time.Now()
				time.AfterFunc(10*time.Millisecond, cancel)
			}
			if rows > 10 && ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
		}
		if errs != 1 || rows == 3000 {
			t.Errorf("frozen %v: %d rows, %d errors", frozen, rows, errs)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("frozen %v: it ended after %v", frozen, took)
		}
		if frozen {
			must(t, d.srv.Resume())
		}
		cancel()
	}
	if got := count(t, d.Positions.Open()); got != 3000 {
		t.Errorf("%d rows afterwards", got)
	}
}

// Rows that were yielded stay as they were, though the memory in which they
// were read is used again.
func TestYieldedRowsAreTheCallers(t *testing.T) {
	d, ctx := open(t), t.Context()
	must(t, d.Positions.PutMany(ctx, func(yield func(trading.Position) bool) {
		for i := range 2000 {
			p := position(fmt.Sprintf("P-%06d", i), trading.PositionSideLong)
			if i%2 == 0 {
				p.Commissions = map[string]decimal.Decimal{"USDT": decimal.New(int64(i), -2)}
				p.PeakQty = store.Some(decimal.New(int64(i), 0))
			}
			if !yield(p) {
				return
			}
		}
	}))
	for range 2 {
		for _, p := range all(t, d.Positions.All(ctx)) {
			var i int64
			if _, err := fmt.Sscanf(string(p.PositionID), "P-%d", &i); err != nil {
				t.Fatal(err)
			}
			want := store.Opt[decimal.Decimal]{}
			if i%2 == 0 {
				want = store.Some(decimal.New(i, 0))
			}
			fee, has := p.Commissions["USDT"]
			if has != (i%2 == 0) || has && !fee.Equal(decimal.New(i, -2)) || p.PeakQty.Valid != want.Valid || !p.PeakQty.Value.Equal(want.Value) {
				t.Fatalf("%s: %v, %v", p.PositionID, p.Commissions, p.PeakQty)
			}
		}
	}
}
