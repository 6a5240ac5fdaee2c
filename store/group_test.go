package store_test

import (
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

// dumped is a namespace: what each key holds, and whether it expires.
func dumped(t *testing.T, d *desk, ns string) map[string]string {
	t.Helper()
	dump := map[string]string{}
	for key := range strings.FieldsSeq(d.do(t, "KEYS", ns+"-*")) {
		if strings.Contains(key, "-nacre.") {
			continue
		}
		var members []string
		switch kind := d.do(t, "TYPE", key); kind {
		case "string":
			members = []string{d.do(t, "GET", key)}
		case "zset":
			members = strings.Fields(d.do(t, "ZRANGE", key, "0", "-1"))
		case "set":
			members = strings.Fields(d.do(t, "SMEMBERS", key))
		case "hash":
			members = strings.Fields(d.do(t, "HKEYS", key))
		case "list":
			members = []string{d.do(t, "LLEN", key)}
		default:
			t.Fatalf("%s is a %s", key, kind)
		}
		slices.Sort(members)
		dump[strings.TrimPrefix(key, ns)] = fmt.Sprintf("expires %v: %q", d.do(t, "PTTL", key) != "-1", members)
	}
	return dump
}

// The buffer writes rows in groups. What it leaves in Redis is what the same
// Puts leave one after the other.
func TestGroupsAreManyPuts(t *testing.T) {
	srv := redistest.New(t)
	tenant := func(id string) func(*store.Config) { return func(c *store.Config) { c.TraderID = id } }
	one, many := openOn(t, srv, tenant("one")), openOn(t, srv, tenant("many"), buffering(time.Hour))
	ctx := t.Context()
	r := rand.New(rand.NewPCG(seed(t), 5))
	sides := []trading.PositionSide{trading.PositionSideLong, trading.PositionSideShort, trading.PositionSideFlat}
	statuses := []trading.OrderStatus{trading.OrderStatusInitialized, trading.OrderStatusAccepted, trading.OrderStatusFilled}
	for round := range 8 {
		for n := range 150 { // more than a group; each row once
			if r.IntN(3) == 0 {
				continue
			}
			instrument := trading.InstrumentID(fmt.Sprintf("I-%d.X", r.IntN(4)))
			strategy := fmt.Sprint("S-", r.IntN(3))
			p := versioned(fmt.Sprint("P-", n), int64(round))
			p.Side, p.InstrumentID, p.StrategyID = sides[r.IntN(3)], instrument, strategy
			o := order(fmt.Sprint("O-", n), statuses[r.IntN(3)])
			o.InstrumentID, o.StrategyID = instrument, strategy
			append := n%10 == round // an own step among the groups
			for _, d := range []*desk{one, many} {
				must(t, d.Positions.Put(ctx, p))
				must(t, d.Orders.Put(ctx, o))
				if n < 4 {
					must(t, d.Instruments.Put(ctx, trading.Instrument{InstrumentID: instrument}))
				}
				if append {
					must(t, d.Positions.AppendFills(ctx, uncounted(p), filled(fmt.Sprint("E-", round, "-", n))))
				}
			}
		}
		must(t, many.Flush(ctx))
		want, got := dumped(t, one, "trader-one"), dumped(t, many, "trader-many")
		for key, w := range want {
			if got[key] != w {
				t.Errorf("round %d: %s is %s, one after the other %s", round, key, got[key], w)
			}
		}
		for key := range got {
			if want[key] == "" {
				t.Errorf("round %d: %s is %s, one after the other it is not there", round, key, got[key])
			}
		}
		if t.Failed() {
			t.Fatalf("repeat with NACRE_SEED=%d", seed(t))
		}
	}
}

// uncounted is the row without a count that an append would be compared with.
func uncounted(p trading.Position) trading.Position {
	p.FillCount = store.Opt[int64]{}
	return p
}

// A row for which a group is refused fails alone, and the others leave what
// they were listed under before.
func TestGroupRefused(t *testing.T) {
	errs := make(chan error, 100)
	d := open(t, buffering(time.Hour, func(c *store.Config) { c.OnError = func(err error) { errs <- err } }))
	ctx := t.Context()
	put := func(strategy string) {
		for n := range 40 {
			p := versioned(fmt.Sprint("P-", n), 1)
			p.StrategyID = strategy
			must(t, d.Positions.Put(ctx, p))
		}
	}
	for name, c := range map[string]struct {
		spoil, mend []string
		says        string
	}{
		"while it is carried out": {[]string{"LPUSH", "trader-position:P-7", "x"}, []string{"DEL", "trader-position:P-7"}, "WRONGTYPE"},
		"while it is queued":      {[]string{"ACL", "SETUSER", "default", "resetkeys", "~trader-nacre*", "~trader-position.*", "~trader-instrument*", "~trader-position:P-[^7]*"}, []string{"ACL", "SETUSER", "default", "allkeys"}, "NOPERM"},
	} {
		t.Run(name, func(t *testing.T) {
			put("S-old")
			must(t, d.Flush(ctx))
			if d.do(t, "TYPE", "trader-position:P-7"); c.says == "WRONGTYPE" {
				d.do(t, "DEL", "trader-position:P-7")
			}
			d.do(t, c.spoil...)
			put("S-new")
			err := d.Flush(ctx)
			d.do(t, c.mend...)
			if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), `"P-7"`) || strings.Contains(err.Error(), `"P-8"`) {
				t.Errorf("Flush: %v", err)
			}
			if err := <-errs; !strings.Contains(err.Error(), `"P-7"`) || len(errs) > 0 {
				t.Errorf("OnError: %v and %d more", err, len(errs))
			}
			d.want(t, "39", "EVAL", "local n = 0 for i = 0, 39 do if i ~= 7 and redis.call('ZSCORE', KEYS[1], 'P-' .. i) and not redis.call('ZSCORE', KEYS[2], 'P-' .. i) then n = n + 1 end end return n",
				"2", "trader-position.by_strategy:S-new", "trader-position.by_strategy:S-old")
		})
	}
}
