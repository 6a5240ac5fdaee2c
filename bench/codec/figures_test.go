package codec

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/nacre-store/nacre/bench/codec/shapes"
	"github.com/nacre-store/nacre/bench/codec/stock"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/wire"
)

// A figure is one line of the table: emitted code against stock msgp, or
// against itself.
type figure struct {
	name         string
	ours, theirs func(n int) // Do it n times.
	per          int         // Rows in one.
}

// BenchmarkFigures measures emitted code against tinylib/msgp's in turns and
// prints the table. Time is that of the processor in this process, garbage
// collection included, so that what else runs on the machine counts little.
//
//	go test -run xxx -bench Figures -benchtime 15x ./codec     # in 15 turns
func BenchmarkFigures(b *testing.B) {
	figures := allFigures()
	times := make([][2][]float64, len(figures))
	order := rand.New(rand.NewPCG(1, 2))
	for turn := range b.N + 1 {
		for _, i := range order.Perm(len(figures)) {
			f := figures[i]
			for side, run := range []func(int){f.ours, f.theirs} {
				n := 20_000 / f.per
				start := processorTime()
				run(n)
				if turn > 0 { // The first one warms up.
					times[i][side] = append(times[i][side], float64(processorTime()-start)/float64(n*f.per))
				}
			}
		}
	}
	if b.N < 10 {
		return
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%-34s %19s %19s %13s\n", "ns, min / median of "+fmt.Sprint(b.N), "ours", "theirs", "ratio")
	for i, f := range figures {
		ours, theirs := times[i][0], times[i][1]
		slices.Sort(ours)
		slices.Sort(theirs)
		m := len(ours) / 2
		fmt.Fprintf(&out, "%-34s %8.1f / %8.1f %8.1f / %8.1f %5.2f / %5.2f\n", f.name, ours[0], ours[m], theirs[0], theirs[m], theirs[0]/ours[0], theirs[m]/ours[m])
	}
	fmt.Print("\n", out.String())
}

// processorTime is the time that this process has spent, in nanoseconds.
func processorTime() int64 {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return u.Utime.Nano() + u.Stime.Nano()
}

func allFigures() []figure {
	var all []figure
	all = append(all, shape("Position", position(false), position(true), stockPosition)...)
	all = append(all, shape("Order, 5 events", order(false), order(true), stockOrder)...)
	all = append(all, shape("Account, 4 balances", account(false), account(true), stockAccount)...)
	a, b := realOrders()
	all = append(all, shape("real Order", a, b, stock.FromTrading)...)

	rows := positions()
	all = append(all, bulk("bulk Position", encoded(rows, func(p *shapes.Position) message { return p }), codecOf[shapes.PositionID, shapes.Position](shapes.Schema), (*stock.Position).UnmarshalMsg))
	var real []trading.Order
	for _, o := range orders()[:10_000] {
		real = append(real, o.Row)
	}
	all = append(all, bulk("bulk real Order", encoded(real, func(o *trading.Order) message { return o }), codecOf[trading.ClientOrderID, trading.Order](trading.Schema), (*stock.TradingOrder).UnmarshalMsg))

	p := position(false)
	canonical := marshaled(p)
	return append(all, figure{"Position in another order, us", unmarshal(p, canonical), unmarshal(p, sorted(canonical)), 1})
}

// shape returns the figures of one shape, from two values of it.
func shape[V, S message](name string, a, b V, mirror func(V) S) []figure {
	ab, bb := marshaled(a), marshaled(b)
	sa, sb := mirror(a), mirror(b)
	sab, sbb := marshaled(sa), marshaled(sb)
	return []figure{
		{name + ", marshal", marshal(a), marshal(sa), 1},
		{name + ", unmarshal the same", unmarshal(a, ab), unmarshal(sa, sab), 1},
		{name + ", unmarshal another", unmarshal(b, ab, bb), unmarshal(sb, sab, sbb), 1},
	}
}

func marshaled(m message) []byte {
	b, err := m.MarshalMsg(nil)
	check(err)
	return b
}

func marshal(m message) func(int) {
	buf := make([]byte, 0, 8192)
	return func(n int) {
		for range n {
			_, err := m.MarshalMsg(buf)
			check(err)
		}
	}
}

func unmarshal(m message, inputs ...[]byte) func(int) {
	return func(n int) {
		for i := range n {
			_, err := m.UnmarshalMsg(inputs[i%len(inputs)])
			check(err)
		}
	}
}

// encoded returns the rows as they are stored.
func encoded[V any](rows []V, row func(*V) message) [][]byte {
	all := make([][]byte, len(rows))
	for i := range rows {
		all[i] = marshaled(row(&rows[i]))
	}
	return all
}

// bulk returns the figure of a load of many rows into new memory.
func bulk[V, S any](name string, stored [][]byte, c *wire.Codec[V], unmarshal func(*S, []byte) ([]byte, error)) figure {
	return figure{
		name: name,
		ours: func(n int) {
			for range n {
				rows, in := make([]V, len(stored)), wire.NewInterner()
				for i, b := range stored {
					check(c.Take(b, &rows[i], in))
				}
			}
		},
		theirs: func(n int) {
			for range n {
				rows := make([]S, len(stored))
				for i, b := range stored {
					_, err := unmarshal(&rows[i], b)
					check(err)
				}
			}
		},
		per: len(stored),
	}
}

// codecOf returns the codec of a table.
func codecOf[K comparable, V any](s store.Schema) *wire.Codec[V] {
	for _, t := range s.Tables {
		if t, ok := t.(*store.Table[K, V]); ok {
			return t.Codec
		}
	}
	panic("no such table")
}

// sorted returns a map with its keys in alphabetical order, as a writer in Rust
// would send it.
func sorted(b []byte) []byte {
	var row map[string]any
	check(msgpack.Unmarshal(b, &row))
	var out bytes.Buffer
	e := msgpack.NewEncoder(&out)
	e.SetSortMapKeys(true)
	check(e.Encode(row))
	return out.Bytes()
}

// TestAllocations holds the counts of the figures; times depend on the machine.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("counts are those of plain code")
	}
	a, b := realOrders()
	buf := make([]byte, 0, 8192)
	for _, c := range []struct {
		name string
		m    message
	}{{"Position", position(false)}, {"Order", order(false)}, {"Account", account(false)}, {"real Order", a}, {"another real Order", b}} {
		stored := marshaled(c.m)
		if n := testing.AllocsPerRun(100, func() { c.m.MarshalMsg(buf) }); n > 0 {
			t.Errorf("%s, marshal: %v allocations", c.name, n)
		}
		if n := testing.AllocsPerRun(100, func() { c.m.UnmarshalMsg(stored) }); n > 0 {
			t.Errorf("%s, unmarshal the same: %v allocations", c.name, n)
		}
	}
	rows := positions()
	stored := encoded(rows, func(p *shapes.Position) message { return p })
	codec := codecOf[shapes.PositionID, shapes.Position](shapes.Schema)
	out := make([]shapes.Position, len(rows))
	n := testing.AllocsPerRun(3, func() {
		clear(out)
		in := wire.NewInterner()
		for i, b := range stored {
			check(codec.Take(b, &out[i], in))
		}
	})
	t.Logf("bulk Position: %.3f allocations a row", n/float64(len(rows)))
	if perRow := n / float64(len(rows)); perRow > 0.2 {
		t.Errorf("bulk: %.3f allocations a row", perRow)
	}
	p := position(false)
	foreign := sorted(marshaled(p))
	if n := testing.AllocsPerRun(100, func() { p.UnmarshalMsg(foreign) }); n > 0 {
		t.Errorf("another key order: %v allocations", n)
	}
}
