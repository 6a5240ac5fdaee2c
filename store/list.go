package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/buffer"
	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/write"
	"github.com/nacre-store/nacre/store/wire"
)

// A List is the history that belongs to one row, such as the events of an
// order: oldest first. It lives as long as the row. It is safe for concurrent
// use.
type List[E any] struct{ p *part[E] }

// part is one row's list or hash without the types of its table.
type part[E any] struct {
	s     *Store
	tx    *Tx
	table *write.Table
	name  string
	id    string
	codec *wire.Codec[E]
	err   error
}

func newPart[K comparable, V, E any](r Rows[K, V], name string, id K, c *wire.Codec[E]) *part[E] {
	p := &part[E]{s: r.b.s, tx: r.tx, table: r.b.w, name: name, id: r.b.Key.text(id), codec: c, err: r.b.err}
	if err := key.CheckID(p.id); err != nil && p.err == nil {
		p.err = rowError(r.b.Name, p.id, class(ErrRefused, err))
	}
	return p
}

func (p *part[E]) key() string { return p.s.ns.Base(p.table.Name, p.name) + p.id }

func (p *part[E]) op(kind write.Kind) write.Op {
	return write.Op{Kind: kind, NS: p.s.ns, Table: p.table, ID: p.id, Part: p.name}
}

func (p *part[E]) send(ctx context.Context, op write.Op) error {
	if p.tx != nil {
		return p.tx.add(op)
	}
	return p.s.one(ctx, op)
}

// settled waits until what is pending of the row has reached Redis.
func (p *part[E]) settled(ctx context.Context) error {
	key := buffer.Key{Base: p.table.Base, ID: p.id}
	if p.tx != nil {
		return p.tx.touch(ctx, key)
	}
	return p.s.acknowledged(ctx, key)
}

func (p *part[E]) fail(err error) error { return rowError(p.table.Name, p.id, err) }

// decode reads one element and names its place in an error.
func (p *part[E]) decode(place string, raw []byte, in *wire.Interner) (E, error) {
	var e E
	err := rowError(p.table.Name, p.id, p.codec.Take(raw, &e, in))
	if err, ok := err.(*RowError); ok {
		err.Field = joinField(p.name+"["+place+"]", err.Field)
		return e, err
	}
	return e, nil
}

func joinField(a, b string) string {
	if b == "" || b[0] == '[' {
		return a + b
	}
	return a + "." + b
}

// Of returns the list of one row. It is for emitted code.
func (l *ListTable[K, V, E]) Of(r Rows[K, V], id K) List[E] {
	return List[E]{newPart(r, l.Name, id, l.Codec)}
}

// Append stores the row together with new elements of its list, its expiry
// and its index memberships in one atomic step. Elements whose id is in the
// list already are not appended again; when all of them are, nothing is
// written at all, so that a repeated call never takes the row back to an older
// state. Where the row counts its elements and somebody else has appended
// meanwhile, the error wraps [ErrConflict]. It is for emitted code.
func (l *ListTable[K, V, E]) Append(ctx context.Context, r Rows[K, V], row V, elems []E) (err error) {
	t := r.tx.time(ctx, r.b.s.shared, "append", r.b.Name, l.Name)
	defer t.done(len(elems), &err)
	if r.b.err != nil {
		return r.b.err
	}
	op, err := r.b.put(write.Append, row, nil)
	if err != nil {
		return err
	}
	if r.b.s.skips(r.b.Name, l.Name) {
		op.Kind = write.Put
		return r.send(ctx, op)
	}
	op.Part, op.Capacity = l.Name, l.Capacity
	for i := range elems {
		e := write.Elem{ID: l.ID(&elems[i])}
		if err := key.CheckID(e.ID); err != nil {
			return r.b.refuse(op.ID, fmt.Errorf("%s[%d]: %w", l.Name, i, err))
		}
		if e.Value, err = encode(r.b.s, l.Codec, nil, &elems[i]); err != nil {
			return r.b.refuse(op.ID, fmt.Errorf("%s[%d]: %w", l.Name, i, err))
		}
		op.Elems = append(op.Elems, e)
	}
	if l.Count != nil && len(elems) > 0 {
		if n, ok := l.Count(&row); ok {
			if op.Count = n; n < int64(len(elems)) {
				return r.b.refuse(op.ID, fmt.Errorf("%s: the row counts %d elements, %d are to be appended", l.Name, n, len(elems)))
			}
		}
	}
	return r.send(ctx, op)
}

// All yields the elements, oldest first. An element that cannot be decoded
// yields a *[RowError] that names its place and the loop goes on; any other
// error is the last thing yielded.
func (l List[E]) All(ctx context.Context) iter.Seq2[E, error] { return l.p.lrange(ctx, 0) }

// Last yields the newest n elements, oldest first, like All.
func (l List[E]) Last(ctx context.Context, n int) iter.Seq2[E, error] { return l.p.last(ctx, n) }

// Len returns the number of elements in the list, which for a capped list may
// be fewer than were ever appended.
func (l List[E]) Len(ctx context.Context) (n int, err error) {
	t := l.p.s.time(ctx, "list_len", l.p.table.Name, l.p.name)
	defer t.done(0, &err)
	if l.p.err != nil {
		return 0, l.p.err
	}
	if err := l.p.settled(ctx); err != nil {
		return 0, l.p.fail(err)
	}
	if l.p.tx != nil {
		elems, err := l.p.tx.list(ctx, l.p.key(), l.p.seenKey())
		return len(elems), l.p.fail(err)
	}
	var all int64
	err = l.p.s.read(ctx, func(c rueidis.Client) error {
		var err error
		all, err = c.Do(ctx, c.B().Llen().Key(l.p.key()).Build()).AsInt64()
		return err
	})
	return int(all), l.p.fail(err)
}

// Clear empties the list and forgets the ids and the number of its elements,
// so that a next cycle counts from zero. The row stays as it is: inside a
// Commit, put or append the row of the new cycle in the same step.
func (l List[E]) Clear(ctx context.Context) (err error) {
	t := l.p.tx.time(ctx, l.p.s.shared, "clear", l.p.table.Name, l.p.name)
	defer t.done(0, &err)
	if l.p.err != nil {
		return l.p.err
	}
	return l.p.send(ctx, l.p.op(write.Clear))
}

func (p *part[E]) seenKey() string {
	return p.s.ns.Base(p.table.Name, write.Seen(p.name)) + p.id
}

func (p *part[E]) last(ctx context.Context, n int) iter.Seq2[E, error] {
	if n <= 0 {
		return func(func(E, error) bool) {}
	}
	return p.lrange(ctx, -n)
}

func (p *part[E]) lrange(ctx context.Context, from int) iter.Seq2[E, error] {
	return observed(ctx, p.s.shared, "list", p.table.Name, p.name, func(yield func(E, error) bool) {
		var zero E
		if p.err != nil {
			yield(zero, p.err)
			return
		}
		raws, err := p.elements(ctx, from)
		if err != nil {
			yield(zero, p.fail(err))
			return
		}
		in := wire.NewInterner()
		for i, raw := range raws {
			if !yield(p.decode(fmt.Sprint(i), raw, in)) {
				return
			}
		}
	})
}

func (p *part[E]) elements(ctx context.Context, from int) ([][]byte, error) {
	if err := p.settled(ctx); err != nil {
		return nil, err
	}
	if p.tx != nil {
		all, err := p.tx.list(ctx, p.key(), p.seenKey())
		if from < 0 && -from < len(all) {
			all = all[len(all)+from:]
		}
		return all, err
	}
	return lrange(ctx, p.s, p.key(), from)
}

// lrange reads a Redis list from a place on; a negative one counts from the
// end. One command, so that a list that is trimmed meanwhile is seen whole.
func lrange(ctx context.Context, s *Store, key string, from int) ([][]byte, error) {
	var raws [][]byte
	err := s.read(ctx, func(c rueidis.Client) error {
		var err error
		raws, err = lrangeBy(ctx, c, key, from)
		return err
	})
	return raws, err
}

func lrangeBy(ctx context.Context, c rueidis.Client, key string, from int) ([][]byte, error) {
	ms, err := c.Do(ctx, c.B().Lrange().Key(key).Start(int64(from)).Stop(-1).Build()).ToArray()
	if err != nil {
		return nil, err
	}
	raws := make([][]byte, len(ms))
	for i := range ms {
		if raws[i], err = ms[i].AsBytes(); err != nil {
			return nil, err
		}
	}
	return raws, nil
}
