package store

import (
	"reflect"
	"sync"

	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/write"
	"github.com/nacre-store/nacre/store/wire"
)

// bound is a table on one store: what Rows, Set, List and Hash share.
type bound[K comparable, V any] struct {
	*Table[K, V]
	s     *Store
	w     *write.Table
	known known
	base  string         // of a row's key
	state map[string]int // value of the deciding field to place in States
	err   error          // why every operation is refused
	rows  sync.Pool      // *V, each zero, for coding: a variable that is passed on escapes
	olds  sync.Pool      // *V, for reading rows that were replaced
	// batches are *batch[V], for reading many rows.
	batches sync.Pool
	spare   sync.Pool // *write.Facts, for rows that are buffered
	size    int       // see weigh
	dies    bool      // some rows expire
}

// Rows returns the table's rows on the session. It is for emitted code.
func (t *Table[K, V]) Rows(s Session) Rows[K, V] {
	st, tx := s.session()
	return Rows[K, V]{Set[K, V]{b: bind(st, t), tx: tx, index: allRows}}
}

// bind returns the one binding of a table on a store.
func bind[K comparable, V any](s *Store, t *Table[K, V]) *bound[K, V] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b, ok := s.tables[t.Name].(*bound[K, V]); ok && b.Table == t {
		return b
	}
	b := &bound[K, V]{Table: t, s: s, base: s.ns.Base(t.Name, ""), state: map[string]int{}}
	b.known = s.known[t.Name]
	if b.known.self != Described(t) {
		b.err = refused("table %q: its package is not in Config.Schemas", t.Name)
	}
	for i, st := range t.States {
		for _, v := range st.Values {
			b.state[v] = i
		}
	}
	b.w = &write.Table{Name: t.Name, Base: b.base, Kept: len(t.KeptBy) > 0, Keeps: len(t.Holds) > 0}
	for _, x := range t.Indexes {
		b.w.Indexes = append(b.w.Indexes, write.Index{Name: x.Name, Field: x.Field != nil})
	}
	for _, c := range t.Collections {
		c := c.collection()
		b.w.Collections = append(b.w.Collections, write.Collection{Name: c.name, List: c.list, Capacity: c.capacity})
	}
	b.w.Facts = func(row []byte) (write.Facts, error) {
		v := b.olds.Get().(*V) // much of the row before is the same
		defer b.olds.Put(v)
		if err := t.Codec.Take(row, v, nil); err != nil {
			return write.Facts{}, err
		}
		return b.facts(v), nil
	}
	b.olds.New = func() any { return new(V) }
	b.rows.New = func() any { return new(V) }
	b.size = sizeOf(reflect.TypeFor[V]())
	for _, ttl := range b.known.ttl {
		b.dies = b.dies || ttl > 0
	}
	s.tables[t.Name] = b
	return b
}

// stateOf returns the name of the row's state; "" where the table has none or
// the value is one that this program does not know.
func (b *bound[K, V]) stateOf(v *V) string {
	if b.State == nil {
		return ""
	}
	i, ok := b.state[b.State(v)]
	if !ok {
		return ""
	}
	return b.States[i].Name
}

// inState returns an error for a row whose state is not known here, as one of a
// newer schema's can be.
func (b *bound[K, V]) inState(id string, v *V) error {
	if b.State != nil && b.stateOf(v) == "" {
		return rowError(b.Name, id, errUnknownState(b.State(v)))
	}
	return nil
}

// facts are the row's places in indexes and what it keeps.
func (b *bound[K, V]) facts(v *V) write.Facts {
	return b.addFacts(v, write.Facts{In: make([]write.Place, 0, len(b.Indexes))})
}

// addFacts appends them to what is there, which is empty.
func (b *bound[K, V]) addFacts(v *V, f write.Facts) write.Facts {
	state := b.stateOf(v)
	for _, x := range b.Indexes {
		p := write.Place{Listed: x.State == "" || x.State == state}
		if x.Field != nil {
			p.Value = x.Field(v)
			p.Listed = p.Listed && p.Value != ""
		}
		f.In = append(f.In, p)
	}
	for _, h := range b.Holds {
		id := h.Ref(v)
		if id == "" {
			continue
		}
		f.Refs = addRef(f.Refs, write.Ref{
			Table: h.Table, ID: id, Active: h.State == state,
			TTL: b.s.release(h.Table).Milliseconds(),
		})
	}
	return f
}

// addRef merges the refs to one row: any state that keeps it is enough.
func addRef(refs []write.Ref, r write.Ref) []write.Ref {
	for i := range refs {
		if refs[i].Table == r.Table && refs[i].ID == r.ID {
			refs[i].Active = refs[i].Active || r.Active
			return refs
		}
	}
	return append(refs, r)
}

// put makes the op that stores the row, for the caller to send. The bytes of
// the row are appended to buf.
func (b *bound[K, V]) put(kind write.Kind, row V, buf []byte) (write.Op, error) {
	return b.putWith(kind, row, buf, write.Facts{In: make([]write.Place, 0, len(b.Indexes))})
}

// putWith is put with room for the facts.
func (b *bound[K, V]) putWith(kind write.Kind, row V, buf []byte, facts write.Facts) (write.Op, error) {
	v := b.rows.Get().(*V)
	*v = row
	defer func() {
		var zero V
		*v = zero
		b.rows.Put(v)
	}()
	id := b.Key.text(b.ID(v))
	if err := key.CheckID(id); err != nil {
		return write.Op{}, b.refuse(id, err)
	}
	if b.State != nil {
		if _, ok := b.state[b.State(v)]; !ok {
			return write.Op{}, b.refuse(id, errUnknownState(b.State(v)))
		}
	}
	op := write.Op{Kind: kind, NS: b.s.ns, Table: b.w, ID: id, Facts: b.addFacts(v, facts), Count: -1}
	for i, p := range op.Facts.In {
		if p.Value != "" {
			if err := key.CheckID(p.Value); err != nil {
				return write.Op{}, b.refuse(id, errIndexed(b.Indexes[i].Name, err))
			}
		}
	}
	for _, r := range op.Facts.Refs {
		if err := key.CheckID(r.ID); err != nil {
			return write.Op{}, b.refuse(id, errIndexed(r.Table, err))
		}
	}
	if ttl := b.known.ttl[b.stateOf(v)]; ttl > 0 {
		op.Expire = expireAt(b.s.conn.Now(), ttl.Milliseconds())
	}
	var err error
	if op.Row, err = encode(b.s, b.Codec, buf, v); err != nil {
		return write.Op{}, b.refuse(id, err)
	}
	return op, nil
}

// ttlGrain is the share of a TTL that an expiry may come late.
const ttlGrain = 1024

// expireAt is when a row that is written now expires: never before its TTL, and
// up to a thousandth of it later. Instants are that coarse so that a row which
// is written again soon keeps its own: Redis then has nothing to move in the
// sorted sets that list the row, which is most of what a Put costs there.
func expireAt(now, ttl int64) int64 {
	grain := max(1, ttl/ttlGrain)
	return (now + max(1, ttl) + grain - 1) / grain * grain
}

// encode writes v in the configured encoding behind buf[:0].
func encode[E any](s *Store, c *wire.Codec[E], buf []byte, v *E) ([]byte, error) {
	f := wire.Format{JSON: s.cfg.Encoding == "json", ISO8601: s.cfg.TimestampsAsISO8601}
	msg, err := c.Append(buf[:0], v)
	if err != nil || f == (wire.Format{}) {
		return msg, err
	}
	return c.Transcode(nil, msg, f)
}

// decode reads a stored row and makes sure that it is the one asked for.
func (b *bound[K, V]) decode(id string, raw []byte) (V, error) {
	p := b.rows.Get().(*V)
	err := b.take(id, raw, p, nil)
	v := *p
	var zero V
	*p = zero
	b.rows.Put(p)
	return v, err
}

// take is decode into v.
func (b *bound[K, V]) take(id string, raw []byte, v *V, in *wire.Interner) error {
	if err := b.Codec.Take(raw, v, in); err != nil {
		return rowError(b.Name, id, err)
	}
	if got := b.Key.text(b.ID(v)); got != id {
		return rowError(b.Name, id, errOtherRow(got))
	}
	return nil
}

func (b *bound[K, V]) refuse(id string, err error) error {
	e := rowError(b.Name, id, err).(*RowError)
	e.Err = class(ErrRefused, e.Err)
	return e
}

// collectionTTL tells whether the list or hash is kept at all.
func (s *Store) skips(table, collection string) bool {
	return table == "account" && collection == "events" && !yes(s.cfg.PersistAccountEvents)
}

// buffers are encoding buffers. One goes back only when the server has
// answered: until then, and for ever after a lost answer, the connection may
// still read it.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

const maxPooled = 64 << 10

func recycle(b *[]byte, row []byte) {
	if cap(row) > cap(*b) && cap(row) <= maxPooled {
		*b = row[:0]
	}
	buffers.Put(b)
}
