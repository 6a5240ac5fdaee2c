package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// noted keeps what an observer is told.
type noted struct {
	mu  sync.Mutex
	all []store.Observation
	ctx []context.Context
}

func (n *noted) Observe(ctx context.Context, o store.Observation) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all, n.ctx = append(n.all, o), append(n.ctx, ctx)
}

// take returns what was noted since the last take, without the times.
func (n *noted) take(t *testing.T) (lines []string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, o := range n.all {
		if o.Start.IsZero() || time.Since(o.Start) > time.Minute || o.Duration <= 0 || o.Duration > time.Minute {
			t.Errorf("%s: start %v, duration %v", o.Operation, o.Start, o.Duration)
		}
		if n.ctx[i].Value(n) != "caller" {
			t.Errorf("%s: it got another context", o.Operation)
		}
		line := fmt.Sprintf("%s %s", o.Operation, o.Table)
		if o.Part != "" {
			line += "." + o.Part
		}
		line += fmt.Sprintf(" %s rows=%d", o.Outcome(), o.Rows)
		if o.Failed > 0 {
			line += fmt.Sprintf(" failed=%d", o.Failed)
		}
		if o.Cached {
			line += " cached"
		}
		lines = append(lines, strings.Replace(line, "  ", " ", 1))
	}
	n.all, n.ctx = nil, nil
	return lines
}

func TestObserver(t *testing.T) {
	n := &noted{}
	d := open(t, func(c *store.Config) { c.Observer = n })
	ctx := context.WithValue(t.Context(), n, "caller")
	for range 200 {
		d.Positions.Peek("nothing")
	}
	for _, step := range []struct {
		do   func() error
		want []string
	}{
		{func() error { return d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)) }, []string{"put position ok rows=1"}},
		{func() error { return d.Positions.Put(ctx, position("", trading.PositionSideLong)) }, []string{"put position refused rows=0"}},
		{func() error { _, err := d.Positions.Get(ctx, "P-1"); return err }, []string{"get position ok rows=1 cached"}},
		{func() error { _, err := d.Positions.Get(ctx, "P-1", store.Strong); return err }, []string{"get position ok rows=1"}},
		{func() error { _, err := d.Positions.Get(ctx, "P-0"); return err }, []string{"get position not_found rows=0"}},
		{func() error {
			for range d.Positions.GetMany(ctx, "P-1", "P-0", "P-1") {
			}
			return nil
		}, []string{"get_many position ok rows=2 failed=1"}},
		{func() error {
			return d.Positions.PutMany(ctx, slices.Values([]trading.Position{position("P-2", trading.PositionSideLong), position("", trading.PositionSideLong)}))
		}, []string{"put_many position refused rows=1"}},
		{func() error {
			_, err := d.Positions.Update(ctx, "P-2", func(p *trading.Position) error { p.Quantity = dec("2"); return nil })
			return err
		}, []string{"update position ok rows=1"}},
		{func() error {
			_, err := d.Positions.Update(ctx, "P-2", func(p *trading.Position) error { return errors.New("no") })
			return err
		}, []string{"update position other rows=0"}},
		{func() error {
			for range d.Positions.Open().All(ctx) {
				break
			}
			return nil
		}, []string{"all position ok rows=1"}},
		{func() error {
			for c := range d.Positions.Open().Watch(ctx) {
				if c.Kind == store.Synced {
					break
				}
			}
			return nil
		}, []string{"watch position ok rows=3"}},
		{func() error { _, err := d.Positions.Count(ctx); return err }, []string{"count position ok rows=2"}},
		{func() error {
			return d.Orders.AppendEvents(ctx, order("O-1", trading.OrderStatusAccepted),
				event("E-1", trading.OrderEventTypeAccepted, trading.OrderStatusAccepted), event("E-2", trading.OrderEventTypeAccepted, trading.OrderStatusAccepted))
		}, []string{"append order.events ok rows=2"}},
		{func() error {
			for range d.Orders.Events("O-1").All(ctx) {
			}
			_, err := d.Orders.Events("O-1").Len(ctx)
			return err
		}, []string{"list order.events ok rows=2", "list_len order.events ok rows=0"}},
		{func() error { return d.Orders.Events("O-1").Clear(ctx) }, []string{"clear order.events ok rows=0"}},
		{func() error {
			return errors.Join(d.Accounts.Put(ctx, trading.Account{AccountID: "A", AccountType: trading.AccountTypeCash}),
				d.Accounts.Balances("A").Put(ctx, "USDT", trading.Balance{Currency: "USDT"}))
		}, []string{"put account ok rows=1", "hash_put account.balances ok rows=1"}},
		{func() error {
			_, err1 := d.Accounts.Balances("A").Get(ctx, "USDT")
			_, err2 := d.Accounts.Balances("A").Get(ctx, "BTC")
			_, err3 := d.Accounts.Balances("A").All(ctx)
			return errors.Join(err1, err2, err3, d.Accounts.Balances("A").Delete(ctx, "USDT"))
		}, []string{"hash_get account.balances ok rows=1", "hash_get account.balances not_found rows=0", "hash account.balances ok rows=1", "hash_delete account.balances ok rows=1"}},
		{func() error {
			err := d.QuoteTicks.Append(ctx, "X.Y", trading.QuoteTick{}, trading.QuoteTick{})
			for range d.QuoteTicks.Last(ctx, "X.Y", 1) {
			}
			return err
		}, []string{"series_append quote_tick ok rows=2", "series quote_tick ok rows=1"}},
		{func() error {
			return d.Commit(ctx, func(tx *store.Tx) error {
				p, err := trading.New(tx).Positions.Get(ctx, "P-1")
				return errors.Join(err, trading.New(tx).Positions.Put(ctx, p), trading.New(tx).Orders.Delete(ctx, "O-1"))
			})
		}, []string{"get position ok rows=1", "commit ok rows=2"}},
		{func() error {
			return d.Commit(ctx, func(tx *store.Tx) error {
				for _, err := range trading.New(tx).Positions.All(ctx) {
					return err
				}
				return nil
			})
		}, []string{"all position unsupported rows=0", "commit unsupported rows=0"}},
		{func() error { _, err := d.srv.Do("SET", "trader-position:P-1", "\xc1"); return err }, nil},
		{func() error {
			_, err := d.Positions.Get(ctx, "P-1", store.Strong)
			for range d.Positions.All(ctx) {
			}
			return err
		}, []string{"get position bad_row rows=0", "all position ok rows=1 failed=1"}},
		{func() error { _, err := d.Positions.Verify(ctx, true); return err }, []string{"verify position ok rows=2"}},
		{func() error { return d.Positions.Delete(ctx, "P-1", "P-2") }, []string{"delete position ok rows=2"}},
		{func() error { return errors.Join(d.Flush(ctx), d.Purge(ctx)) }, []string{"flush ok rows=0", "purge ok rows=0"}},
	} {
		_ = step.do()
		if got := n.take(t); !slices.Equal(got, step.want) {
			t.Errorf("got  %q\nwant %q", got, step.want)
		}
	}
	must(t, d.Close(ctx))
	_ = d.Positions.Put(ctx, position("P-1", trading.PositionSideLong))
	if got := n.take(t); !slices.Equal(got, []string{"put position closed rows=0"}) {
		t.Errorf("got %q", got)
	}
}

// An error has the name of its gravest class.
func TestOutcome(t *testing.T) {
	for want, err := range map[string]error{
		"ok": nil, "other": errors.New("mine"), "bad_row": &store.RowError{Err: errors.New("msgpack")},
		"not_found": &store.RowError{Err: store.ErrNotFound}, "conflict": store.ErrConflict, "refused": store.ErrRefused,
		"unavailable": errors.Join(store.ErrRefused, store.ErrUnavailable), "unknown": errors.Join(store.ErrUnavailable, store.ErrUnknownOutcome),
		"unsupported": store.ErrUnsupported, "buffer_full": store.ErrBufferFull, "index_not_built": store.ErrIndexNotBuilt, "closed": store.ErrClosed,
	} {
		if got := (store.Observation{Err: err}).Outcome(); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}

type blind struct{}

func (blind) Observe(context.Context, store.Observation) {}

// An observer allocates nothing, and none even less.
func TestObserverAllocs(t *testing.T) {
	srv := redistest.New(t)
	without, with := openOn(t, srv), openOn(t, srv, func(c *store.Config) { c.Observer = blind{} })
	ctx, p := t.Context(), position("P-1", trading.PositionSideLong)
	for name, do := range map[string]func(d *desk){
		"get": func(d *desk) {
			if _, err := d.Positions.Get(ctx, "P-1"); err != nil {
				t.Fatal(err)
			}
		},
		"strong get": func(d *desk) {
			if _, err := d.Positions.Get(ctx, "P-1", store.Strong); err != nil {
				t.Fatal(err)
			}
		},
		"put":   func(d *desk) { must(t, d.Positions.Put(ctx, p)) },
		"flush": func(d *desk) { must(t, d.Flush(ctx)) },
	} {
		must(t, without.Positions.Put(ctx, p))
		must(t, with.Positions.Put(ctx, p))
		a := testing.AllocsPerRun(200, func() { do(without) })
		b := testing.AllocsPerRun(200, func() { do(with) })
		if b > a && !raced { // Pools forget at random then.
			t.Errorf("%s: %v allocations with an observer, %v without", name, b, a)
		}
	}
}

func BenchmarkObserver(b *testing.B) {
	srv := inMemory(b)
	for name, o := range map[string]store.Observer{"none": nil, "blind": blind{}} {
		b.Run(name, func(b *testing.B) {
			d := openOn(b, srv, func(c *store.Config) { c.Observer = o })
			must(b, d.Positions.Put(b.Context(), position("P-1", trading.PositionSideLong)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Positions.Get(b.Context(), "P-1"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
