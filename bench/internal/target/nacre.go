package target

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// Nacre is the typed store: Get and Put of whole rows of four tables.
type Nacre struct {
	mix    Mix
	tables trading.Tables
	rngs   []*rand.Rand // One a slot where slots prepare at the same time, else one.
	slots  []nacreSlot
}

type nacreSlot struct {
	row     int
	kind    load.Kind
	version uint32 // Write: the version sent. Read: the oldest that may be seen.
	buf     []byte
	rows    rowSet
}

// rowSet holds one row of any table.
type rowSet struct {
	order      trading.Order
	position   trading.Position
	account    trading.Account
	instrument trading.Instrument
}

// NewNacre measures the tables of a store into which the mix's rows were loaded.
func NewNacre(t trading.Tables, mix Mix, slots int) *Nacre {
	n := &Nacre{mix: mix, tables: t, slots: make([]nacreSlot, slots)}
	n.rngs = rngs(mix, slots)
	return n
}

// rngs are one a slot: in the closed loop the slots prepare for themselves.
func rngs(mix Mix, slots int) []*rand.Rand {
	out := make([]*rand.Rand, slots)
	for i := range out {
		m := mix
		m.Seed = mix.Seed*1_000_003 + uint64(i)
		out[i] = m.rng()
	}
	return out
}

// Prepare draws a row; one to be written is decoded, as an application has it at hand.
func (n *Nacre) Prepare(slot int) load.Kind {
	s := &n.slots[slot]
	row, kind := n.mix.draw(n.rngs[slot])
	s.row, s.kind = row, kind
	if kind == load.Write {
		n.take(slot, row)
	}
	return kind
}

// take prepares the slot to write the row.
func (n *Nacre) take(slot, row int) {
	s := &n.slots[slot]
	s.row = row
	if err := s.rows.decode(n.mix.Set.Table(row), n.mix.Set.Data(row)); err != nil {
		panic(fmt.Sprintf("a row that was encoded here cannot be decoded: %v", err))
	}
}

// Do is one Get or one Put.
func (n *Nacre) Do(ctx context.Context, slot int) error {
	s := &n.slots[slot]
	set := n.mix.Set
	if s.kind == load.Read {
		s.version, _ = set.Versions(s.row)
		return s.rows.get(ctx, n.tables, set.Table(s.row), set.ID(s.row))
	}
	s.version = set.BeginWrite(s.row)
	s.rows.stamp(set.Table(s.row), set.Base(s.row)+store.Timestamp(s.version))
	if err := s.rows.put(ctx, n.tables, set.Table(s.row)); err != nil {
		return err
	}
	set.EndWrite(s.row)
	return nil
}

// Check encodes the row that was read and compares it with what was written.
func (n *Nacre) Check(slot int) error {
	s := &n.slots[slot]
	if s.kind == load.Write {
		return nil
	}
	set := n.mix.Set
	t := set.Table(s.row)
	at := s.rows.stamp(t, set.Base(s.row))
	var err error
	if s.buf, err = s.rows.encode(t, s.buf[:0]); err != nil {
		return err
	}
	return set.CheckRow(s.row, s.buf, at, s.version)
}

func (r *rowSet) decode(t dataset.Table, b []byte) (err error) {
	switch t {
	case dataset.Order:
		r.order = trading.Order{}
		_, err = r.order.UnmarshalMsg(b)
	case dataset.Position:
		r.position = trading.Position{}
		_, err = r.position.UnmarshalMsg(b)
	case dataset.Account:
		r.account = trading.Account{}
		_, err = r.account.UnmarshalMsg(b)
	case dataset.Instrument:
		r.instrument = trading.Instrument{}
		_, err = r.instrument.UnmarshalMsg(b)
	}
	return err
}

func (r *rowSet) encode(t dataset.Table, b []byte) ([]byte, error) {
	switch t {
	case dataset.Order:
		return r.order.MarshalMsg(b)
	case dataset.Position:
		return r.position.MarshalMsg(b)
	case dataset.Account:
		return r.account.MarshalMsg(b)
	}
	return r.instrument.MarshalMsg(b)
}

func (r *rowSet) get(ctx context.Context, t trading.Tables, table dataset.Table, id string) (err error) {
	switch table {
	case dataset.Order:
		r.order, err = t.Orders.Get(ctx, trading.ClientOrderID(id))
	case dataset.Position:
		r.position, err = t.Positions.Get(ctx, trading.PositionID(id))
	case dataset.Account:
		r.account, err = t.Accounts.Get(ctx, trading.AccountID(id))
	case dataset.Instrument:
		r.instrument, err = t.Instruments.Get(ctx, trading.InstrumentID(id))
	}
	return err
}

func (r *rowSet) put(ctx context.Context, t trading.Tables, table dataset.Table) error {
	switch table {
	case dataset.Order:
		return t.Orders.Put(ctx, r.order)
	case dataset.Position:
		return t.Positions.Put(ctx, r.position)
	case dataset.Account:
		return t.Accounts.Put(ctx, r.account)
	}
	return t.Instruments.Put(ctx, r.instrument)
}

// stamp replaces the row's version and returns the one that it had.
func (r *rowSet) stamp(t dataset.Table, at store.Timestamp) (was store.Timestamp) {
	field := &r.instrument.TsInit
	switch t {
	case dataset.Order:
		field = &r.order.TsLast
	case dataset.Position:
		field = &r.position.TsLast
	case dataset.Account:
		field = &r.account.TsLast
	}
	was, *field = *field, at
	return was
}
