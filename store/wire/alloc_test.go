package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/tinylib/msgp/msgp"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/wire"
)

// wideDecimal has more digits than an integer.
const wideDecimal = "123456789.1234567890123456789"

// order returns an order with about 25 fields set.
func order(n int) *trading.Order {
	return &trading.Order{
		ClientOrderID: trading.ClientOrderID(fmt.Sprintf("O-20251230-%06d", n)), VenueOrderID: fmt.Sprint(8389765000 + int64(n)),
		InstrumentID: trading.InstrumentID(fmt.Sprintf("SYM%d-PERP.BINANCE", n%50)), OrderType: "LIMIT", Side: "BUY", Quantity: dec("5.001"), Status: "FILLED",
		TraderID: "TRADER-001", StrategyID: fmt.Sprintf("EMACross-%03d", n%20), AccountID: "BINANCE-USDT_FUTURES-master", PositionID: "SYM-PERP.BINANCE-EMACross-001",
		TimeInForce: "GTC", Price: some2(decimal.New(int64(4627100+n%200), -2)), PostOnly: store.Some(true), FilledQty: some2(dec("5.001")), LeavesQty: some2(dec("0.000")),
		AvgPx: some2(decimal.New(int64(4627100+n%200), -2)), LiquiditySide: "MAKER", Commissions: map[string]decimal.Decimal{"USDT": dec("0.04")},
		TsInit: 1700000000123456789, TsSubmitted: 1700000000123456790, TsAccepted: 1700000000123456791, TsClosed: 1700000000123456792, TsLast: 1700000000123456793,
		EventCount: store.Some(int64(5)), LastEventID: fmt.Sprintf("b5c4-4f3e-8a9b-%012d", n),
	}
}

func some2(d decimal.Decimal) store.Opt[decimal.Decimal] { return store.Some(d) }

// TestAllocations holds the counts that do not depend on the machine.
func TestAllocations(t *testing.T) {
	if testing.CoverMode() != "" || raceEnabled || pureGo {
		t.Skip("counts are those of plain code that reads coefficients in place")
	}
	o := order(1)
	v := full()
	v.Extra, v.Legs[1].Extra = "", ""
	extra := full()
	extra.ByName, extra.Desks, extra.DeskBy = nil, nil, nil
	extra.Desk, extra.Other = desk{}, desk{}
	v.Peak, v.Desk, v.Other, v.Desks, v.DeskBy, v.ByName = some(dec(wideDecimal)), desk{}, desk{}, nil, nil, nil
	q := tick{Bid: dec("1.1"), Ask: dec(wideDecimal), At: 5, Venue: "V"}
	buf := make([]byte, 0, 64<<10)
	eb := must2(extra.MarshalMsg(nil))
	ob, vb, qb := must2(o.MarshalMsg(nil)), must2(v.MarshalMsg(nil)), must2(tickCodec.Append(nil, &q))
	jb := must2(o.MarshalJSON())
	w := msgp.NewWriter(io.Discard)
	in := wire.NewInterner()
	for _, c := range []struct {
		name string
		max  float64
		f    func()
	}{
		{"order MarshalMsg", 0, func() { must2(o.MarshalMsg(buf)) }},
		{"order MarshalMsg into nothing", 1, func() { must2(o.MarshalMsg(nil)) }},
		{"order UnmarshalMsg, unchanged", 0, func() { must2(o.UnmarshalMsg(ob)) }},
		{"order Msgsize", 0, func() { o.Msgsize() }},
		{"order EncodeMsg", 0, func() { must(t)(nil, o.EncodeMsg(w)) }},
		// An id of several parts is made of strings and becomes one.
		{"sample MarshalMsg", 1, func() { must2(v.MarshalMsg(buf)) }},
		{"sample UnmarshalMsg, unchanged", 5, func() { must2(v.UnmarshalMsg(vb)) }},
		{"sample Append", 1, func() { must2(sampleCodec.Append(buf, v)) }},
		{"sample Take, unchanged", 5, func() { must(t)(nil, sampleCodec.Take(vb, v, nil)) }},
		{"sample Take, interned", 5, func() { must(t)(nil, sampleCodec.Take(vb, v, in)) }},
		{"sample MarshalMsg, unknown fields", 6, func() { must2(extra.MarshalMsg(buf)) }},
		{"sample UnmarshalMsg, unknown fields", 14, func() { must2(extra.UnmarshalMsg(eb)) }},
		{"tick Append", 0, func() { must2(tickCodec.Append(buf, &q)) }},
		{"tick Take, unchanged", 0, func() { must(t)(nil, tickCodec.Take(qb, &q, nil)) }},
		{"order to JSON", 0, func() { must2(orderCodec().Transcode(buf, ob, wire.Format{JSON: true, ISO8601: true})) }},
		{"order from JSON, unchanged", 0, func() { must(t)(nil, orderCodec().Take(jb, o, nil)) }},
	} {
		c.f()
		if n := testing.AllocsPerRun(200, c.f); n > c.max {
			t.Errorf("%s: %v allocations, at most %v", c.name, n, c.max)
		}
	}
}

func must2(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

func orderCodec() *wire.Codec[trading.Order] {
	for _, t := range trading.Schema.Tables {
		if t, ok := t.(*store.Table[trading.ClientOrderID, trading.Order]); ok {
			return t.Codec
		}
	}
	panic("no orders")
}

// TestForeignAllocations holds that another key order allocates nothing either.
func TestForeignAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("counts are those of plain code")
	}
	s := subjectNamed(t, "position")
	v := readVectors(t, "../../testdata/wire/v1/position.json")[1]
	p := s.fresh()
	for name, b := range v.Foreign {
		f := func() { must(t)(nil, s.take(b, p)) }
		f()
		want := 0.0
		if strings.Contains(name, "RFC 3339") {
			want = 4
		}
		if n := testing.AllocsPerRun(200, f); n > want {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestBulkAllocations holds that a bulk load shares strings and decimals.
func TestBulkAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("counts are those of plain code")
	}
	const rows = 10_000
	stored := make([][]byte, rows)
	for i := range stored {
		stored[i] = must2(order(i).MarshalMsg(nil))
	}
	codec := orderCodec()
	out := make([]trading.Order, rows)
	allocs := testing.AllocsPerRun(2, func() {
		in := wire.NewInterner()
		clear(out)
		for i, b := range stored {
			must(t)(nil, codec.Take(b, &out[i], in))
		}
	})
	// A row brings a map with one entry, which takes two allocations.
	if perRow := allocs / rows; perRow > 2.2 {
		t.Errorf("%.3f allocations a row", perRow)
	}
	for i, b := range stored {
		if again := must2(out[i].MarshalMsg(nil)); !bytes.Equal(again, b) {
			t.Fatalf("row %d: %x\n%x", i, b, again)
		}
	}
	if out[0].InstrumentID != out[50].InstrumentID || out[1].Quantity != out[0].Quantity {
		t.Error("nothing is shared")
	}
}

// TestInternerKeepsValues reads rows whose values crowd out each other.
func TestInternerKeepsValues(t *testing.T) {
	in := wire.NewInterner()
	var rows []*leg
	var stored [][]byte
	c := wire.NewCodec("leg", (*leg).append, (*leg).take)
	for i := range 20_000 {
		v := leg{Name: fmt.Sprint("name ", i*i%7919, strings.Repeat("x", i%90)), Ratio: some(decimal.New(int64(i*7919%100_003), -int32(i%19)))}
		b := must2(c.Append(nil, &v))
		got := new(leg)
		must(t)(nil, c.Take(b, got, in))
		rows, stored = append(rows, got), append(stored, b)
	}
	for i, v := range rows {
		if b := must2(c.Append(nil, v)); !slices.Equal(b, stored[i]) {
			t.Fatalf("row %d: %+v", i, v)
		}
	}
}

// TestInternerTellsApart holds that what is alike is not taken for the same: a
// coefficient at another scale, and a text that is no UTF-8.
func TestInternerTellsApart(t *testing.T) {
	in := wire.NewInterner()
	c := wire.NewCodec("leg", (*leg).append, (*leg).take)
	for _, ratio := range []string{"1.10", "11.0", "110", "-110", "0.110"} {
		var got leg
		must(t)(nil, c.Take(must2(c.Append(nil, &leg{Name: "n", Ratio: some(dec(ratio))})), &got, in))
		if s := got.Ratio.Value.StringFixed(-got.Ratio.Value.Exponent()); s != ratio {
			t.Errorf("read %s for %s", s, ratio)
		}
	}
	b := must2(c.Append(nil, &leg{Name: "no UTF-8"}))
	b[bytes.IndexByte(b, '-')] = 0xff
	for range 2 {
		if err := c.Take(b, new(leg), in); !errors.Is(err, wire.ErrUTF8) {
			t.Errorf("a text that is no UTF-8: %v", err)
		}
	}
}
