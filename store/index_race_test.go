package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// long tells whether the long forms were asked for.
func long() bool { return os.Getenv("NACRE_LONG") != "" }

// seed is a new one in the long form, for which it is logged, and fixed in the
// short one. NACRE_SEED repeats a run.
func seed(t testing.TB) uint64 {
	n := uint64(1)
	if s := os.Getenv("NACRE_SEED"); s != "" {
		n, _ = strconv.ParseUint(s, 10, 64)
	} else if long() {
		n = rand.Uint64()
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with NACRE_SEED=%d", n)
		}
	})
	return n
}

// supersets looks at all rows and indexes at one instant and returns how many
// memberships are missing, one example, and how many rows there were.
const supersets = `
local missing, rows, example = 0, 0, ''
for _, id in ipairs(ARGV) do
	local raw = redis.call('GET', 'trader-position:' .. id)
	if raw then
		rows = rows + 1
		local row = cmsgpack.unpack(raw)
		local state = row.side == 'FLAT' and 'closed' or 'open'
		for _, index in ipairs({'ids', state, 'by_strategy:' .. row.strategy_id, 'by_instrument:' .. row.instrument_id}) do
			if not redis.call('ZSCORE', 'trader-position.' .. index, id) then
				missing = missing + 1
				example = index .. ' ' .. id
			end
		end
	end
end
return {missing, rows, example}`

// race lets six writers and two healing readers work on few rows of short life
// while the indexes are looked at, and returns what was missing of how many.
func race(t *testing.T, d *desk, run time.Duration, also func(ctx context.Context, r *rand.Rand)) (missing, looks int) {
	t.Helper()
	const ids = 24
	var args []string
	for i := range ids {
		args = append(args, fmt.Sprint("P-", i))
	}
	s := seed(t)
	ctx, cancel := context.WithTimeout(t.Context(), run)
	defer cancel()
	var wg sync.WaitGroup
	loop := func(n int, f func(ctx context.Context, r *rand.Rand)) {
		r := rand.New(rand.NewPCG(s, uint64(n)))
		wg.Go(func() {
			for ctx.Err() == nil {
				f(ctx, r)
			}
		})
	}
	for i := range 6 {
		loop(i, func(ctx context.Context, r *rand.Rand) {
			id := fmt.Sprint("P-", r.IntN(ids))
			p := position(id, trading.PositionSideLong)
			p.StrategyID = fmt.Sprint("S-", r.IntN(3))
			p.InstrumentID = trading.InstrumentID(fmt.Sprint("I-", r.IntN(3), ".X"))
			switch n := r.IntN(10); {
			case n == 0:
				_ = d.Positions.Delete(ctx, p.PositionID)
			case n < 5:
				p.Side = trading.PositionSideFlat
				_ = d.Positions.Put(ctx, p)
			case n == 5:
				_, _ = d.Positions.Update(ctx, p.PositionID, func(old *trading.Position) error { *old = p; return nil })
			default:
				_ = d.Positions.Put(ctx, p)
			}
		})
	}
	for i := range 2 {
		loop(10+i, func(ctx context.Context, r *rand.Rand) {
			for _, set := range []store.Set[trading.PositionID, trading.Position]{
				d.Positions.Set, d.Positions.Open(), d.Positions.Closed(), d.Positions.ByStrategy(fmt.Sprint("S-", r.IntN(3))), d.Positions.ByInstrument(trading.InstrumentID(fmt.Sprint("I-", r.IntN(3), ".X"))),
			} {
				_, _ = set.Count(ctx)
			}
		})
	}
	if also != nil {
		loop(20, also)
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			reply, err := d.srv.Do(append([]string{"EVAL", supersets, "0"}, args...)...)
			if err != nil {
				t.Error(err)
				return
			}
			parts := strings.Split(reply, "\n")
			n, _ := strconv.Atoi(parts[0])
			rows, _ := strconv.Atoi(parts[1])
			if n > 0 && missing == 0 {
				t.Logf("missing in %s", parts[2])
			}
			looks += rows
			if missing += n; missing > 0 {
				cancel()
			}
		}
	})
	wg.Wait()
	return missing, looks
}

func racing(t *testing.T) *desk {
	return open(t, func(c *store.Config) { c.TTL = map[string]string{"position.closed": "3ms"} })
}

// No row is ever missing in an index that it belongs to, whoever writes,
// deletes, expires, changes an indexed field or heals at the same time.
func TestIndexesAreSupersets(t *testing.T) {
	run := 2 * time.Second
	if long() {
		run = 45 * time.Second
	}
	missing, looks := race(t, racing(t), run, nil)
	t.Logf("%d rows looked at, %d memberships missing", looks, missing)
	if missing > 0 || looks < 1000 {
		t.Errorf("%d memberships missing in %d rows", missing, looks)
	}
}

// The same test sees what is missing when a reader or a writer removes members
// without the condition on the row.
func TestIndexesAreSupersetsCanFail(t *testing.T) {
	t.Run("a reader removes what it saw", func(t *testing.T) {
		d := racing(t)
		missing, looks := race(t, d, 2*time.Second, func(ctx context.Context, r *rand.Rand) {
			for _, id := range strings.Fields(d.do(t, "ZRANGE", "trader-position.open", "0", "-1")) {
				p, err := d.Positions.Get(ctx, trading.PositionID(id))
				if err != nil || p.Side == trading.PositionSideFlat {
					d.do(t, "ZREM", "trader-position.open", id)
				}
			}
		})
		if missing == 0 {
			t.Errorf("nothing was missing in %d rows", looks)
		}
	})
	t.Run("a writer removes the old value", func(t *testing.T) {
		d := racing(t)
		missing, looks := race(t, d, 2*time.Second, func(ctx context.Context, r *rand.Rand) {
			p := position(fmt.Sprint("P-", r.IntN(24)), trading.PositionSideLong)
			old, err := d.Positions.Get(ctx, p.PositionID)
			p.StrategyID = fmt.Sprint("S-", r.IntN(3))
			if d.Positions.Put(ctx, p) == nil && err == nil && old.StrategyID != p.StrategyID {
				d.do(t, "ZREM", "trader-position.by_strategy:"+old.StrategyID, string(p.PositionID))
			}
		})
		if missing == 0 {
			t.Errorf("nothing was missing in %d rows", looks)
		}
	})
}
