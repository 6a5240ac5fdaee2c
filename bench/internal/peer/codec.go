// Package peer is what others would write by hand to keep an order in Redis: the same fields in a plain struct,
// other codecs, other clients.
package peer

import (
	"bytes"
	"encoding/json"

	"github.com/nacre-store/nacre/bench/codec/stock"
	"github.com/vmihailenco/msgpack/v5"
)

// A Codec turns an order into bytes and back.
type Codec struct {
	Name   string
	Encode func(b []byte, o *stock.TradingOrder) ([]byte, error)
	Decode func(b []byte, o *stock.TradingOrder) error
}

// The codecs: what msgp generates, and the two that work by reflection.
var (
	Msgp = Codec{
		Name:   "stock msgp",
		Encode: func(b []byte, o *stock.TradingOrder) ([]byte, error) { return o.MarshalMsg(b) },
		Decode: func(b []byte, o *stock.TradingOrder) error { _, err := o.UnmarshalMsg(b); return err },
	}
	Vmihailenco = Codec{
		Name: "vmihailenco/msgpack",
		Encode: func(b []byte, o *stock.TradingOrder) ([]byte, error) {
			w := bytes.NewBuffer(b)
			enc := msgpack.GetEncoder()
			defer msgpack.PutEncoder(enc)
			enc.Reset(w)
			enc.SetSortMapKeys(true)
			err := enc.Encode(o)
			return w.Bytes(), err
		},
		Decode: func(b []byte, o *stock.TradingOrder) error { return msgpack.Unmarshal(b, o) },
	}
	JSON = Codec{
		Name: "encoding/json",
		Encode: func(b []byte, o *stock.TradingOrder) ([]byte, error) {
			j, err := json.Marshal(o)
			return append(b, j...), err
		},
		Decode: func(b []byte, o *stock.TradingOrder) error { return json.Unmarshal(b, o) },
	}
)
