package wire_test

import (
	"github.com/shopspring/decimal"
	"github.com/tinylib/msgp/msgp"

	"github.com/nacre-store/nacre/store/wire"
)

// This file has the shape of emitted code: a row with a field of every kind, a
// struct inside, and an element of a series.

// Opt is what package store calls Opt.
type Opt[T any] struct {
	Value T
	Valid bool
}

type sampleID string

type desk struct {
	Desk string
	Book int64
}

func (id desk) String() string { return wire.JoinID(id.Desk, itoa(id.Book)) }

func (id *desk) UnmarshalText(text []byte) error {
	parts, err := wire.SplitID(string(text), 2)
	if err != nil {
		return err
	}
	book, err := atoi(parts[1])
	if err != nil {
		return err
	}
	*id = desk{parts[0], book}
	return nil
}

type leg struct {
	Name  string
	Ratio Opt[decimal.Decimal]
	Fees  map[string]decimal.Decimal
	Extra string
}

func (l *leg) append(w *wire.Writer) {
	m := w.Map(1, 3)
	wire.PutString(w, "\xa4name", l.Name)
	w.PutOptDecimal("\xa5ratio", l.Ratio)
	w.PutDecimalMap("\xa4fees", l.Fees, wire.Optional)
	w.End(m, l.Extra)
}

func (l *leg) take(r *wire.Reader) {
	m := r.Map(1, 3)
	r.TakeString("\xa4name", &l.Name)
	r.TakeOptDecimal("\xa5ratio", &l.Ratio.Value, &l.Ratio.Valid)
	r.TakeDecimalMap("\xa4fees", &l.Fees, wire.Optional)
	r.End(m, &l.Extra)
}

type sample struct {
	ID      sampleID
	Count   int64
	Weight  float64
	Price   decimal.Decimal
	At      int64
	On      bool
	Raw     []byte
	Desk    desk
	Main    leg
	Legs    []leg
	ByName  map[string]leg
	Tags    []string
	Note    string
	Info    string
	Number  int64
	Since   int64
	Hits    Opt[int64]
	Ratio   Opt[float64]
	Flag    Opt[bool]
	Peak    Opt[decimal.Decimal]
	Blob    []byte
	Other   desk
	Hedge   Opt[leg]
	Words   []string
	Ints    []int64
	Times   []int64
	Desks   []desk
	Prices  []decimal.Decimal
	Bools   []bool
	Floats  []float64
	Blobs   [][]byte
	WordBy  map[string]string
	IntBy   map[string]int64
	TimeBy  map[string]int64
	DeskBy  map[string]desk
	PriceBy map[string]decimal.Decimal
	BoolBy  map[string]bool
	FloatBy map[string]float64
	BlobBy  map[string][]byte
	Extra   string
}

func (s *sample) append(w *wire.Writer) {
	m := w.Map(12, 39)
	wire.PutString(w, "\xa2id", s.ID)
	wire.PutInt(w, "\xa5count", s.Count)
	w.PutFloat("\xa6weight", s.Weight)
	w.PutDecimal("\xa5price", s.Price)
	wire.PutTimestamp(w, "\xa2at", s.At)
	w.PutBool("\xa2on", s.On)
	w.PutBytes("\xa3raw", s.Raw, wire.Required, wire.MaxString)
	wire.PutText(w, "\xa4desk", s.Desk)
	w.Key("\xa4main")
	s.Main.append(w)
	w.List("\xa4legs", len(s.Legs), wire.Required)
	for i := range s.Legs {
		s.Legs[i].append(w)
	}
	for _, k := range wire.Keys(w, "\xa7by_name", s.ByName, wire.Required) {
		v := s.ByName[k]
		w.Entry(k)
		v.append(w)
	}
	wire.PutStrings(w, "\xa4tags", s.Tags, wire.Required, wire.MaxString)
	wire.PutOptString(w, "\xa4note", s.Note)
	wire.PutOptStringMax(w, "\xa4info", s.Info, 256<<10)
	wire.PutOptIntID(w, "\xa6number", s.Number)
	wire.PutOptTimestamp(w, "\xa5since", s.Since)
	w.PutOptInt("\xa4hits", s.Hits)
	w.PutOptFloat("\xa5ratio", s.Ratio)
	w.PutOptBool("\xa4flag", s.Flag)
	w.PutOptDecimal("\xa4peak", s.Peak)
	w.PutBytes("\xa4blob", s.Blob, wire.Optional, wire.MaxString)
	wire.PutOptText(w, "\xa5other", s.Other)
	if w.Opt("\xa5hedge", s.Hedge.Valid) {
		s.Hedge.Value.append(w)
	}
	wire.PutStrings(w, "\xd9\x28words_under_a_name_of_more_than_31_bytes", s.Words, wire.Optional, 100)
	wire.PutInts(w, "\xa4ints", s.Ints, wire.Optional)
	wire.PutTimestamps(w, "\xa5times", s.Times, wire.Optional)
	wire.PutTexts(w, "\xa5desks", s.Desks, wire.Optional)
	w.PutDecimals("\xa6prices", s.Prices, wire.Optional)
	w.PutBools("\xa5bools", s.Bools, wire.Optional)
	w.PutFloats("\xa6floats", s.Floats, wire.Optional)
	w.PutBytesList("\xa5blobs", s.Blobs, wire.Optional, wire.MaxString)
	wire.PutStringMap(w, "\xa7word_by", s.WordBy, wire.Optional, wire.MaxString)
	wire.PutIntMap(w, "\xa6int_by", s.IntBy, wire.Optional)
	wire.PutTimestampMap(w, "\xa7time_by", s.TimeBy, wire.Optional)
	wire.PutTextMap(w, "\xa7desk_by", s.DeskBy, wire.Optional)
	w.PutDecimalMap("\xa8price_by", s.PriceBy, wire.Optional)
	w.PutBoolMap("\xa7bool_by", s.BoolBy, wire.Optional)
	w.PutFloatMap("\xa8float_by", s.FloatBy, wire.Optional)
	w.PutBytesMap("\xa7blob_by", s.BlobBy, wire.Optional, wire.MaxString)
	w.End(m, s.Extra)
}

func (s *sample) take(r *wire.Reader) {
	m := r.Map(12, 39)
	r.TakeString("\xa2id", (*string)(&s.ID))
	wire.TakeInt(r, "\xa5count", &s.Count)
	r.TakeFloat("\xa6weight", &s.Weight)
	r.TakeDecimal("\xa5price", &s.Price)
	wire.TakeTimestamp(r, "\xa2at", &s.At)
	r.TakeBool("\xa2on", &s.On)
	r.TakeBytes("\xa3raw", &s.Raw, wire.Required, wire.MaxString)
	wire.TakeText(r, "\xa4desk", &s.Desk)
	r.Key("\xa4main")
	s.Main.take(r)
	wire.TakeList(r, "\xa4legs", &s.Legs, wire.Required, 7)
	for i := range s.Legs {
		s.Legs[i].take(r)
	}
	for n := wire.TakeMap(r, "\xa7by_name", &s.ByName, wire.Required, 8); n > 0; n-- {
		var v leg
		k := r.Entry()
		v.take(r)
		s.ByName[k] = v
	}
	wire.TakeStrings(r, "\xa4tags", &s.Tags, wire.Required, wire.MaxString)
	r.TakeOptString("\xa4note", &s.Note)
	r.TakeOptStringMax("\xa4info", &s.Info, 256<<10)
	wire.TakeOptIntID(r, "\xa6number", &s.Number)
	wire.TakeOptTimestamp(r, "\xa5since", &s.Since)
	r.TakeOptInt("\xa4hits", &s.Hits.Value, &s.Hits.Valid)
	r.TakeOptFloat("\xa5ratio", &s.Ratio.Value, &s.Ratio.Valid)
	r.TakeOptBool("\xa4flag", &s.Flag.Value, &s.Flag.Valid)
	r.TakeOptDecimal("\xa4peak", &s.Peak.Value, &s.Peak.Valid)
	r.TakeBytes("\xa4blob", &s.Blob, wire.Optional, wire.MaxString)
	wire.TakeOptText(r, "\xa5other", &s.Other)
	if r.Opt("\xa5hedge", &s.Hedge.Valid) {
		s.Hedge.Value.take(r)
	} else {
		s.Hedge.Value = leg{}
	}
	wire.TakeStrings(r, "\xd9\x28words_under_a_name_of_more_than_31_bytes", &s.Words, wire.Optional, 100)
	wire.TakeInts(r, "\xa4ints", &s.Ints, wire.Optional)
	wire.TakeTimestamps(r, "\xa5times", &s.Times, wire.Optional)
	wire.TakeTexts(r, "\xa5desks", &s.Desks, wire.Optional)
	r.TakeDecimals("\xa6prices", &s.Prices, wire.Optional)
	r.TakeBools("\xa5bools", &s.Bools, wire.Optional)
	r.TakeFloats("\xa6floats", &s.Floats, wire.Optional)
	r.TakeBytesList("\xa5blobs", &s.Blobs, wire.Optional, wire.MaxString)
	wire.TakeStringMap(r, "\xa7word_by", &s.WordBy, wire.Optional, wire.MaxString)
	wire.TakeIntMap(r, "\xa6int_by", &s.IntBy, wire.Optional)
	wire.TakeTimestampMap(r, "\xa7time_by", &s.TimeBy, wire.Optional)
	wire.TakeTextMap(r, "\xa7desk_by", &s.DeskBy, wire.Optional)
	r.TakeDecimalMap("\xa8price_by", &s.PriceBy, wire.Optional)
	r.TakeBoolMap("\xa7bool_by", &s.BoolBy, wire.Optional)
	r.TakeFloatMap("\xa8float_by", &s.FloatBy, wire.Optional)
	r.TakeBytesMap("\xa7blob_by", &s.BlobBy, wire.Optional, wire.MaxString)
	r.End(m, &s.Extra)
}

var sampleCodec = wire.NewCodec("sample", (*sample).append, (*sample).take)

func (s *sample) MarshalMsg(b []byte) ([]byte, error) {
	w := sampleCodec.Writer(b)
	s.append(&w)
	return w.Close()
}

func (s *sample) UnmarshalMsg(b []byte) ([]byte, error) {
	r := sampleCodec.Reader(b)
	for r.Next() {
		s.take(&r)
	}
	return r.Close()
}

func (s *sample) Msgsize() int                   { return sampleCodec.Size(s) }
func (s *sample) EncodeMsg(w *msgp.Writer) error { return sampleCodec.EncodeMsg(w, s) }
func (s *sample) DecodeMsg(r *msgp.Reader) error { return sampleCodec.DecodeMsg(r, s) }
func (s sample) MarshalJSON() ([]byte, error)    { return sampleCodec.ToJSON(&s) }
func (s *sample) UnmarshalJSON(b []byte) error   { return sampleCodec.FromJSON(b, s) }

// tick is an element of a series.
type tick struct {
	Bid   decimal.Decimal
	Ask   decimal.Decimal
	At    int64
	Size  Opt[decimal.Decimal]
	Venue string
	Leg   Opt[leg]
	Extra string
}

func (t *tick) append(w *wire.Writer) {
	m := w.Array(3, 6)
	w.PutDecimal("", t.Bid)
	w.PutDecimal("", t.Ask)
	wire.PutTimestamp(w, "", t.At)
	w.PutOptDecimal("", t.Size)
	wire.PutOptString(w, "", t.Venue)
	if w.Opt("", t.Leg.Valid) {
		t.Leg.Value.append(w)
	}
	w.End(m, t.Extra)
}

func (t *tick) take(r *wire.Reader) {
	m := r.Array(3, 6)
	r.TakeDecimal("\xa3bid", &t.Bid)
	r.TakeDecimal("\xa3ask", &t.Ask)
	wire.TakeTimestamp(r, "\xa2at", &t.At)
	r.TakeOptDecimal("\xa4size", &t.Size.Value, &t.Size.Valid)
	r.TakeOptString("\xa5venue", &t.Venue)
	if r.Opt("\xa3leg", &t.Leg.Valid) {
		t.Leg.Value.take(r)
	} else {
		t.Leg.Value = leg{}
	}
	r.End(m, &t.Extra)
}

var tickCodec = wire.NewCodec("tick", (*tick).append, (*tick).take)
