package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/meta"
	"github.com/nacre-store/nacre/store/internal/write"
)

// A Set is a table or one of its indexes: rows to range over. It is a small
// value and safe for concurrent use.
type Set[K comparable, V any] struct {
	b     *bound[K, V]
	tx    *Tx
	index int    // place in Indexes, or allRows
	value string // of an index with a field
	err   error
}

const allRows = -1

// Index returns the rows of an index, for an index with a field those of one
// value. It is for emitted code.
func (t *Table[K, V]) Index(r Rows[K, V], name string, value ...string) Set[K, V] {
	s := r.Set
	s.index = slices.IndexFunc(t.Indexes, func(x Index[V]) bool { return x.Name == name })
	if s.index < 0 {
		s.err = refused("%s: no index %q", t.Name, name)
		return s
	}
	if len(value) > 0 {
		s.value = value[0]
	}
	if (t.Indexes[s.index].Field != nil) != (len(value) == 1) {
		s.err = refused("%s: index %q: wrong number of values", t.Name, name)
	} else if len(value) == 1 && s.value != "" {
		if err := key.CheckID(s.value); err != nil {
			s.err = refused("%s: index %q: %w", t.Name, name, err)
		}
	}
	return s
}

// All yields the rows, each at most once, in no particular order. Each yielded
// row satisfied the index when it was read: index entries are checked against
// the row itself. A row that is in the set during the whole loop is yielded; a
// row that changes meanwhile may be. A row that cannot be decoded yields a
// *[RowError] and the loop goes on; any other error is the last thing yielded,
// so that an answer is never silently partial. Inside a Commit it is
// [ErrUnsupported].
//
// The ids are listed in one step and held during the loop; of the rows, only
// the next few hundred are. They are read ahead of the loop, on a connection
// of their own when there are many.
func (s Set[K, V]) All(ctx context.Context) iter.Seq2[V, error] {
	return observed(ctx, s.b.s.shared, "all", s.b.Name, "", func(yield func(V, error) bool) {
		var zero V
		for b := range s.batches(ctx) {
			if b.err != nil {
				yield(zero, b.err)
				return
			}
			for i := range b.rows {
				if !yield(b.rows[i], b.errOf(i)) {
					return
				}
			}
		}
	})
}

// Count returns the number of rows, each read and checked like in All.
func (s Set[K, V]) Count(ctx context.Context) (n int, err error) {
	t := s.b.s.time(ctx, "count", s.b.Name, "")
	defer t.doneSome(&n, &err)
	var errs []error
	for b := range s.batches(ctx) {
		n += len(b.rows)
		for _, err := range append(b.errs, b.err) {
			if err != nil {
				errs = append(errs, err)
			}
		}
		for _, err := range b.errs {
			if err != nil {
				n--
			}
		}
	}
	return n, joinErrors(errs)
}

// has tells whether the row itself belongs to the set.
func (s Set[K, V]) has(v *V) bool {
	if s.index == allRows {
		return true
	}
	x := s.b.Indexes[s.index]
	return (x.State == "" || s.b.stateOf(v) == x.State) && (x.Field == nil || x.Field(v) == s.value)
}

func (s Set[K, V]) key() string {
	if s.index == allRows {
		return s.b.s.ns.Name(s.b.Name, write.IDs)
	}
	name := s.b.Indexes[s.index].Name
	if s.b.Indexes[s.index].Field == nil {
		return s.b.s.ns.Name(s.b.Name, name)
	}
	return s.b.s.ns.Base(s.b.Name, name) + s.value
}

// ids lists the members, which may be more than the rows that belong, and
// says which client to read the rows with: a long answer would hold up other
// operations.
func (s Set[K, V]) ids(ctx context.Context) ([]string, rueidis.Client, error) {
	st := s.b.s
	if err := errors.Join(s.b.err, s.err); err != nil {
		return nil, nil, err
	}
	if s.tx != nil {
		return nil, nil, class(ErrUnsupported, fmt.Errorf("%s: a set cannot be read inside a Commit", s.b.Name))
	}
	if s.index != allRows && s.b.Indexes[s.index].Field != nil && s.value == "" {
		return nil, nil, nil // "" is not indexed
	}
	if err := st.barrier(ctx); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.b.Name, err)
	}
	key := s.key()
	if st.sweeps.due(key) {
		s.sweep(ctx)
	}
	l, err := s.list(ctx, key)
	if err == nil && !l.built {
		// A tenant that nobody has used yet becomes known here.
		why := st.meta.Register(ctx)
		if l, err = s.list(ctx, key); err == nil && !l.built {
			err = class(ErrIndexNotBuilt, errors.Join(fmt.Errorf("%s: Verify(ctx, true) of the table builds it", s.b.Indexes[s.index].Name), why))
		}
	}
	from := st.conn.Client
	if err == nil && l.all > firstPart {
		from = st.conn.Bulk(ctx)
		err = st.readFrom(ctx, from, func(c rueidis.Client) error {
			var err error
			l.ids, err = c.Do(ctx, zrange(c, key, -1)).AsStrSlice()
			return err
		})
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", s.b.Name, err)
	}
	return l.ids, from, nil
}

// A listing is what one round trip says of an index.
type listing struct {
	built bool
	all   int64    // members
	ids   []string // the first of them
}

func (s Set[K, V]) list(ctx context.Context, key string) (listing, error) {
	l := listing{built: true}
	st := s.b.s
	err := st.read(ctx, func(c rueidis.Client) error {
		var cmds rueidis.Commands
		want := ""
		if s.index != allRows && st.meta != nil { // first: what is listed later is at least as complete
			x := s.b.Indexes[s.index]
			var marker rueidis.Completed
			marker, want = st.meta.Built(c, s.b.Name, meta.Index{Name: x.Name, State: x.State, By: x.By})
			cmds = append(cmds, marker)
		}
		cmds = append(cmds, c.B().Zcard().Key(key).Build(), zrange(c, key, firstPart-1))
		rs := c.DoMulti(ctx, cmds...)
		if len(cmds) == 3 {
			got, err := rs[0].ToString()
			if err != nil && !rueidis.IsRedisNil(err) {
				return err
			}
			l.built, rs = got == want, rs[1:]
		}
		var err error
		if l.all, err = rs[0].AsInt64(); err == nil {
			l.ids, err = rs[1].AsStrSlice()
		}
		return err
	})
	return l, err
}

func zrange(c rueidis.Client, key string, to int64) rueidis.Completed {
	return c.B().Zrange().Key(key).Min("0").Max(strconv.FormatInt(to, 10)).Build()
}
