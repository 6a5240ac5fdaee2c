package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
)

// unkept looks at all rows at one instant and returns how many open rows refer
// to an instrument that may expire or does not know of it, and how many open
// rows there were.
const unkept = `
local n, rows = 0, 0
for _, kind in ipairs({'position', 'order'}) do
	for i = 0, 7 do
		local raw = redis.call('GET', 'trader-' .. kind .. ':' .. i)
		if raw then
			local row = cmsgpack.unpack(raw)
			if row.side == 'LONG' or row.status == 'ACCEPTED' then
				rows = rows + 1
				local kept = redis.call('SISMEMBER', 'trader-instrument.held:' .. row.instrument_id, kind .. ':' .. i) == 1
				if not kept or redis.call('PTTL', 'trader-instrument:' .. row.instrument_id) >= 0 then n = n + 1 end
			end
		end
	end
end
return {n, rows}`

// An instrument never has an expiry while an open row refers to it, whatever
// else happens to either at the same time, and gets one when the last has gone.
func TestInstrumentsAreKeptInARace(t *testing.T) { keptRace(t, nil) }

// The same while a Verify lets go those who keep for no reason.
func TestVerifyOfHoldsInARace(t *testing.T) {
	mended := 0
	keptRace(t, func(d *desk) {
		for i := range 2 {
			d.do(t, "SADD", fmt.Sprint("trader-instrument.held:I-", i, ".X"), "position:0", "order:1", "order:9")
		}
		for _, f := range verify(t, d.Instruments.Rows, true).Dangling {
			mended += f.Mended
		}
	})
	if mended < 10 {
		t.Errorf("only %d holds were mended", mended)
	}
}

func keptRace(t *testing.T, also func(*desk)) {
	d := open(t)
	s := seed(t)
	run := time.Second
	if long() {
		run = 20 * time.Second
	}
	// The writes themselves are not cut off: one whose answer is lost leaves its
	// hold for Verify to mend.
	running, cancel := context.WithTimeout(t.Context(), run)
	defer cancel()
	ctx := t.Context()
	instrument := func(r *rand.Rand) trading.InstrumentID {
		return trading.InstrumentID(fmt.Sprint("I-", r.IntN(2), ".X"))
	}
	var wg sync.WaitGroup
	for n := range 6 {
		r := rand.New(rand.NewPCG(s, uint64(n)))
		wg.Go(func() {
			for running.Err() == nil {
				switch id := fmt.Sprint(r.IntN(8)); r.IntN(8) {
				case 0:
					_ = d.Positions.Delete(ctx, trading.PositionID(id))
				case 1, 2:
					p := position(id, trading.PositionSideFlat)
					p.InstrumentID = instrument(r)
					_ = d.Positions.Put(ctx, p)
				case 3, 4:
					p := position(id, trading.PositionSideLong)
					p.InstrumentID = instrument(r)
					_ = d.Positions.Put(ctx, p)
				case 5:
					o := order(id, trading.OrderStatusAccepted)
					o.InstrumentID = instrument(r)
					_ = d.Orders.AppendEvents(ctx, o, filled(fmt.Sprint(r.Uint64())))
				case 6:
					o := order(id, trading.OrderStatusFilled)
					o.InstrumentID = instrument(r)
					_ = d.Orders.Put(ctx, o)
				default:
					_ = d.Instruments.Put(ctx, trading.Instrument{InstrumentID: instrument(r)})
				}
			}
		})
	}
	if also != nil {
		wg.Go(func() {
			for running.Err() == nil {
				also(d)
			}
		})
	}
	rows := 0
	for running.Err() == nil {
		var bad, n int
		if _, err := fmt.Sscan(strings.ReplaceAll(d.do(t, "EVAL", unkept, "0"), "\n", " "), &bad, &n); err != nil {
			t.Fatal(err)
		}
		if rows += n; bad > 0 {
			t.Errorf("%d of %d open rows refer to an instrument that may expire", bad, n)
			cancel()
		}
	}
	wg.Wait()
	if also != nil {
		also(d) // without others, who may have kept it from mending what it broke
	}
	t.Logf("%d open rows looked at", rows)
	if rows < 100 {
		t.Errorf("only %d open rows were looked at", rows)
	}
	// With every row away nothing holds them, also where the steps that let go
	// overtook each other.
	for i := range 8 {
		must(t, d.Positions.Delete(t.Context(), trading.PositionID(fmt.Sprint(i))))
		must(t, d.Orders.Delete(t.Context(), trading.ClientOrderID(fmt.Sprint(i))))
	}
	for i := range 2 {
		id := fmt.Sprint("I-", i, ".X")
		if held := d.do(t, "SMEMBERS", "trader-instrument.held:"+id); held != "" {
			t.Errorf("%s is still held by %q", id, held)
		}
		d.wantTTL(t, "trader-instrument:"+id, 24*time.Hour)
	}
}
