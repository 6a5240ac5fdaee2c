package wire_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/wire"
)

// A subject is an emitted type as tests of all types see it. Values are pointers.
type subject struct {
	name      string
	array     bool
	fresh     func() any
	append    func(b []byte, v any) ([]byte, error)
	take      func(b []byte, v any) error
	transcode func(b []byte, f wire.Format) ([]byte, error)
	canonical func(b []byte) ([]byte, int, error)
	fast      func(b []byte) (int, bool)
}

func subjectOf[V any](c *wire.Codec[V], array bool) subject {
	return subject{
		name:      c.Name(),
		array:     array,
		fresh:     func() any { return new(V) },
		append:    func(b []byte, v any) ([]byte, error) { return c.Append(b, v.(*V)) },
		take:      func(b []byte, v any) error { return c.Take(b, v.(*V), nil) },
		transcode: func(b []byte, f wire.Format) ([]byte, error) { return c.Transcode(nil, b, f) },
		canonical: c.Canonical,
		fast:      func(b []byte) (int, bool) { return c.Fast(b, new(V)) },
	}
}

// subjects returns the stored types of the trading schema that have vectors,
// and the samples.
func subjects() []subject {
	all := []subject{subjectOf(sampleCodec, false), subjectOf(tickCodec, true)}
	for _, t := range trading.Schema.Tables {
		switch t := t.(type) {
		case *store.Table[trading.PositionID, trading.Position]:
			all = append(all, subjectOf(t.Codec, false),
				list[trading.PositionID, trading.Position, trading.OrderEvent](t, 0),
				list[trading.PositionID, trading.Position, trading.PositionAdjustment](t, 1),
				list[trading.PositionID, trading.Position, trading.PositionCycle](t, 2))
		case *store.Table[trading.ClientOrderID, trading.Order]:
			all = append(all, subjectOf(t.Codec, false))
		case *store.Table[trading.AccountID, trading.Account]:
			all = append(all, subjectOf(t.Codec, false),
				hash[trading.AccountID, trading.Account, trading.Balance](t, 0),
				hash[trading.AccountID, trading.Account, trading.Margin](t, 1),
				list[trading.AccountID, trading.Account, trading.AccountEvent](t, 2))
		case *store.Table[trading.InstrumentID, trading.Instrument]:
			all = append(all, subjectOf(t.Codec, false))
		case *store.Table[trading.CurrencyCode, trading.Currency]:
			all = append(all, subjectOf(t.Codec, false))
		case *store.Table[trading.VenueCode, trading.Venue]:
			all = append(all, subjectOf(t.Codec, false))
		case *store.SeriesTable[trading.InstrumentID, trading.QuoteTick]:
			all = append(all, subjectOf(t.Codec, true))
		case *store.SeriesTable[trading.InstrumentID, trading.TradeTick]:
			all = append(all, subjectOf(t.Codec, true))
		case *store.SeriesTable[trading.BarType, trading.Bar]:
			all = append(all, subjectOf(t.Codec, true))
		}
	}
	return all
}

func list[K comparable, V, E any](t *store.Table[K, V], n int) subject {
	return subjectOf(t.Collections[n].(*store.ListTable[K, V, E]).Codec, false)
}

func hash[K comparable, V, E any](t *store.Table[K, V], n int) subject {
	return subjectOf(t.Collections[n].(*store.HashTable[K, V, E]).Codec, false)
}

// subjectNamed returns one of them.
func subjectNamed(t testing.TB, name string) subject {
	for _, s := range subjects() {
		if s.name == name {
			return s
		}
	}
	t.Fatalf("no type %s", name)
	return subject{}
}

// sameDecimals compares decimals with their scale; lists and maps of length 0
// are what they are.
var sameDecimals = cmp.Options{
	cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Exponent() == b.Exponent() && a.Equal(b) }),
	cmp.AllowUnexported(desk{}),
}

// equal returns how two values differ.
func equal(want, got any) string { return cmp.Diff(want, got, sameDecimals) }

// fill sets v from decoded JSON by reflection. It shares nothing with the
// codecs: it knows how Go names are made and what the JSON of a field is.
func fill(v reflect.Value, from any) {
	switch v.Interface().(type) {
	case decimal.Decimal:
		v.Set(reflect.ValueOf(decimal.RequireFromString(from.(string))))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(from.(string))
	case reflect.Bool:
		v.SetBool(from.(bool))
	case reflect.Int64:
		n, err := strconv.ParseInt(from.(string), 10, 64)
		if err != nil {
			panic(err)
		}
		v.SetInt(n)
	case reflect.Slice:
		list := from.([]any)
		if len(list) == 0 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
		for i, e := range list {
			fill(v.Index(i), e)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for k, e := range from.(map[string]any) {
			elem := reflect.New(v.Type().Elem()).Elem()
			fill(elem, e)
			v.SetMapIndex(reflect.ValueOf(k), elem)
		}
	case reflect.Struct:
		fillStruct(v, from)
	default:
		panic(v.Type().String())
	}
}

func fillStruct(v reflect.Value, from any) {
	if valid := v.FieldByName("Valid"); valid.IsValid() && v.NumField() == 2 {
		valid.SetBool(true)
		fill(v.FieldByName("Value"), from)
		return
	}
	switch from := from.(type) {
	case []any:
		for i, e := range from[:min(len(from), v.NumField()-1)] {
			if e != nil {
				fill(v.Field(i), e)
			}
		}
	case map[string]any:
		for k, e := range from {
			if f := v.FieldByName(goName(k)); f.IsValid() {
				fill(f, e)
			}
		}
	}
}

// goName turns a wire name into the name of a Go field.
func goName(name string) string {
	words := strings.Split(name, "_")
	for i, w := range words {
		switch w {
		case "id", "url", "uuid":
			words[i] = strings.ToUpper(w)
		default:
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, "")
}
