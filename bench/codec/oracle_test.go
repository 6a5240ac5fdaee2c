package codec

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/tinylib/msgp/msgp"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/nacre-store/nacre/bench/codec/shapes"
	"github.com/nacre-store/nacre/bench/codec/stock"
	"github.com/nacre-store/nacre/gen/trading"
)

// A codec is a value that writes and reads itself.
type codec interface {
	msgp.Marshaler
	msgp.Unmarshaler
	msgp.Encodable
	msgp.Decodable
	msgp.Sizer
}

var (
	_ codec = (*shapes.Position)(nil)
	_ codec = (*trading.Order)(nil)
	_ codec = (*trading.QuoteTick)(nil)
)

// TestStockReadsAndIsRead holds that tinylib/msgp's code reads what emitted code
// writes, as the same value, and the other way round. The shim that others use
// loses zeros at the end of decimals, so values are compared as it writes them.
func TestStockReadsAndIsRead(t *testing.T) {
	for _, other := range []bool{false, true} {
		p, o, a := position(other), order(other), account(other)
		both(t, p, new(shapes.Position), stockPosition, new(stock.Position))
		both(t, o, new(shapes.Order), stockOrder, new(stock.Order))
		both(t, a, new(shapes.Account), stockAccount, new(stock.Account))
	}
	for _, o := range orders() {
		both(t, &o.Row, new(trading.Order), stock.FromTrading, new(stock.TradingOrder))
	}
}

type message interface {
	MarshalMsg([]byte) ([]byte, error)
	UnmarshalMsg([]byte) ([]byte, error)
}

// both lets two codecs read each other.
func both[V, S message](t *testing.T, ours, ourEmpty V, mirror func(V) S, theirEmpty S) {
	t.Helper()
	theirs := mirror(ours)
	b, err := ours.MarshalMsg(nil)
	check(err)
	if rest, err := theirEmpty.UnmarshalMsg(b); err != nil || len(rest) > 0 {
		t.Fatalf("stock reads ours: %v, %d left", err, len(rest))
	}
	if want, got := generic(theirs), generic(theirEmpty); !reflect.DeepEqual(want, got) {
		t.Fatalf("stock reads ours:\n%v\n%v", want, got)
	}
	b, err = theirs.MarshalMsg(nil)
	check(err)
	if rest, err := ourEmpty.UnmarshalMsg(b); err != nil || len(rest) > 0 {
		t.Fatalf("stock is read: %v, %d left", err, len(rest))
	}
	if want, got := generic(theirs), generic(mirror(ourEmpty)); !reflect.DeepEqual(want, got) {
		t.Fatalf("stock is read:\n%v\n%v", want, got)
	}
}

// generic returns the value that m writes as a third codec reads it.
func generic(m message) any {
	b, err := m.MarshalMsg(nil)
	check(err)
	var v any
	check(msgpack.Unmarshal(b, &v))
	return v
}

// TestVmihailencoReadsAndIsRead is the same with a codec that knows no schema:
// it writes maps in the order of their keys, or in none.
func TestVmihailencoReadsAndIsRead(t *testing.T) {
	for i, o := range orders() {
		b, err := o.Row.MarshalMsg(nil)
		check(err)
		var row map[string]any
		if err := msgpack.Unmarshal(b, &row); err != nil {
			t.Fatal(err)
		}
		if row["client_order_id"] != string(o.Row.ClientOrderID) || row["quantity"] != o.Row.Quantity.StringFixed(-o.Row.Quantity.Exponent()) {
			t.Fatalf("%v", row)
		}
		var out bytes.Buffer
		e := msgpack.NewEncoder(&out)
		e.SetSortMapKeys(i%2 == 0)
		check(e.Encode(row))
		var got trading.Order
		if _, err := got.UnmarshalMsg(out.Bytes()); err != nil {
			t.Fatal(err)
		}
		if again, err := got.MarshalMsg(nil); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v\n%x\n%x", err, b, again)
		}
	}
}

// TestWide reads and writes a table of 130 fields.
func TestWide(t *testing.T) {
	v := shapes.Wide{WideID: "w", Extra: "\xa3new\x01"}
	b, err := v.MarshalMsg(nil)
	check(err)
	var row map[string]any
	check(msgpack.Unmarshal(b, &row))
	// Every field in turn, and then all of them, as vmihailenco writes them.
	all := map[string]any{}
	for name, value := range wideValues(t) {
		all[name] = value
		for _, m := range []map[string]any{{name: value}, all} {
			one := map[string]any{}
			for k, e := range row {
				one[k] = e
			}
			for k, e := range m {
				one[k] = e
			}
			in, err := msgpack.Marshal(one)
			check(err)
			var got shapes.Wide
			if _, err := got.UnmarshalMsg(in); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			out, err := got.MarshalMsg(nil)
			check(err)
			var back map[string]any
			check(msgpack.Unmarshal(out, &back))
			if want, got := loose(one), loose(back); !reflect.DeepEqual(want, got) {
				t.Fatalf("%s:\n%v\n%v", name, want, got)
			}
			var fast shapes.Wide
			if _, err := fast.UnmarshalMsg(out); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	if len(all) < 120 {
		t.Errorf("%d fields were set", len(all))
	}
}
