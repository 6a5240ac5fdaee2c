package store

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/ahead"
	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/wire"
)

// OfRow is the whole list or hash of the row with the id.
type OfRow[K comparable, T any] struct {
	ID  K
	All T
}

// The parts in which the lists or hashes of many rows are read.
const (
	firstLists = 16
	maxLists   = 128
)

// Many yields the lists of the rows, in the order of the ids and each exactly
// once; that of a row that does not exist is empty. Many of them share a round
// trip, and the next ones are under way while the loop is busy. When elements
// cannot be decoded, the others are yielded together with an error that joins
// a *[RowError] for each of them, and the loop goes on; any other error is the
// last thing yielded. It is for emitted code.
func (l *ListTable[K, V, E]) Many(ctx context.Context, r Rows[K, V], ids []K) iter.Seq2[OfRow[K, []E], error] {
	m := manyOf[K, V, E, []E]{r: r, name: l.Name, codec: l.Codec}
	m.ask = func(c rueidis.Client, key string) rueidis.Completed {
		return c.B().Lrange().Key(key).Start(0).Stop(-1).Build()
	}
	m.take = func(p *part[E], reply rueidis.RedisResult, in *wire.Interner) ([]E, int, error) {
		ms, err := reply.ToArray()
		if err != nil || len(ms) == 0 {
			return nil, 0, err
		}
		raws := make([][]byte, len(ms))
		for i := range ms {
			if raws[i], err = ms[i].AsBytes(); err != nil {
				return nil, 0, err
			}
		}
		return p.decodeAll(raws, in)
	}
	m.inside = func(ctx context.Context, p *part[E]) ([]E, error) {
		raws, err := p.elements(ctx, 0)
		if err != nil {
			return nil, err
		}
		es, _, err := p.decodeAll(raws, nil)
		return es, err
	}
	return m.all(ctx, ids)
}

// decodeAll decodes the elements of a list, and says how long they were.
func (p *part[E]) decodeAll(raws [][]byte, in *wire.Interner) ([]E, int, error) {
	es, bytes := make([]E, 0, len(raws)), 0
	var errs []error
	for i, raw := range raws {
		bytes += len(raw)
		e, err := p.decode(fmt.Sprint(i), raw, in)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		es = append(es, e)
	}
	return es, bytes, joinErrors(errs)
}

// Many yields the hashes of the rows like [ListTable.Many]. It is for emitted
// code.
func (h *HashTable[K, V, E]) Many(ctx context.Context, r Rows[K, V], ids []K) iter.Seq2[OfRow[K, map[string]E], error] {
	m := manyOf[K, V, E, map[string]E]{r: r, name: h.Name, codec: h.Codec}
	m.ask = func(c rueidis.Client, key string) rueidis.Completed { return c.B().Hgetall().Key(key).Build() }
	m.take = func(p *part[E], reply rueidis.RedisResult, in *wire.Interner) (map[string]E, int, error) {
		ms, err := reply.AsMap()
		if err != nil {
			return nil, 0, err
		}
		all, bytes := make(map[string]E, len(ms)), 0
		var errs []error
		for k, m := range ms {
			raw, err := m.AsBytes()
			if err != nil {
				return nil, 0, err
			}
			bytes += len(raw)
			e, err := p.decode(k, raw, in)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			all[k] = e
		}
		return all, bytes, joinErrors(errs)
	}
	m.inside = func(ctx context.Context, p *part[E]) (map[string]E, error) { return Hash[E]{p}.All(ctx) }
	return m.all(ctx, ids)
}

// manyOf reads one list or hash of many rows.
type manyOf[K comparable, V, E, T any] struct {
	r      Rows[K, V]
	name   string
	codec  *wire.Codec[E]
	ask    func(c rueidis.Client, key string) rueidis.Completed
	take   func(*part[E], rueidis.RedisResult, *wire.Interner) (all T, bytes int, err error)
	inside func(context.Context, *part[E]) (T, error) // of a Commit
}

// ofRows are the lists or hashes of some rows, with what is wrong with each.
type ofRows[K comparable, T any] struct {
	all  []OfRow[K, T]
	errs []error
	err  error // of the whole part
}

func (m manyOf[K, V, E, T]) all(ctx context.Context, ids []K) iter.Seq2[OfRow[K, T], error] {
	return observed(ctx, m.r.b.s.shared, "many", m.r.b.Name, m.name, func(yield func(OfRow[K, T], error) bool) {
		var none OfRow[K, T]
		end := func(err error) { yield(none, fmt.Errorf("%s.%s: %w", m.r.b.Name, m.name, err)) }
		p := ahead.Pace{First: firstLists, Max: maxLists, Bytes: partBytes}
		from := m.r.b.s.conn.Client
		if m.r.tx == nil && m.r.b.err == nil {
			if err := m.r.b.s.barrier(ctx); err != nil {
				end(err)
				return
			}
			if len(ids) > firstLists {
				from = m.r.b.s.conn.Bulk(ctx)
			}
		}
		read := func(ctx context.Context, lo, hi int) ofRows[K, T] { return m.part(ctx, from, ids[lo:hi], &p) }
		parts := ahead.Parts(ctx, len(ids), p.Size, read)
		if m.r.tx != nil { // which is for one goroutine
			parts = func(yield func(ofRows[K, T]) bool) {
				for i := range ids {
					if !yield(m.one(ctx, ids[i])) {
						return
					}
				}
			}
		}
		for some := range parts {
			for i, of := range some.all {
				if !yield(of, some.errs[i]) {
					return
				}
			}
			if some.err != nil {
				end(some.err)
				return
			}
		}
	})
}

// one reads inside a Commit.
func (m manyOf[K, V, E, T]) one(ctx context.Context, id K) ofRows[K, T] {
	p := newPart(m.r, m.name, id, m.codec)
	if p.err != nil {
		return ofRows[K, T]{err: p.err}
	}
	all, err := m.inside(ctx, p)
	if row := new(RowError); err != nil && !errors.As(err, &row) {
		return ofRows[K, T]{err: err}
	}
	return ofRows[K, T]{all: []OfRow[K, T]{{id, all}}, errs: []error{err}}
}

func (m manyOf[K, V, E, T]) part(ctx context.Context, from rueidis.Client, ids []K, pace *ahead.Pace) (out ofRows[K, T]) {
	parts := make([]*part[E], len(ids))
	for i, id := range ids {
		if parts[i] = newPart(m.r, m.name, id, m.codec); m.r.b.err != nil {
			return ofRows[K, T]{err: m.r.b.err}
		}
	}
	var replies []rueidis.RedisResult
	out.err = m.r.b.s.readFrom(ctx, from, func(c rueidis.Client) error {
		var cmds rueidis.Commands
		for _, p := range parts {
			cmds = append(cmds, m.ask(c, p.key()))
		}
		replies = c.DoMulti(ctx, cmds...)
		for _, r := range replies {
			if err := r.Error(); err != nil && conn.Classify(err) != conn.Refused {
				return err
			}
		}
		return nil
	})
	if out.err != nil {
		return out
	}
	in := interners.Get().(*wire.Interner)
	defer interners.Put(in)
	out.all, out.errs = make([]OfRow[K, T], len(ids)), make([]error, len(ids))
	total := 0
	for i, p := range parts {
		out.all[i].ID = ids[i]
		if out.errs[i] = p.err; p.err != nil {
			continue
		}
		all, bytes, err := m.take(p, replies[i], in)
		if row := new(RowError); err != nil && !errors.As(err, &row) {
			err = p.fail(readClass(err))
		}
		out.all[i].All, out.errs[i] = all, err
		total += bytes
	}
	pace.Saw(len(ids), total)
	m.r.b.s.reading.saw(0, len(ids), total, out.errs)
	return out
}
