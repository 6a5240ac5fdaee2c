package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/write"
	"github.com/nacre-store/nacre/store/wire"
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
func (s Set[K, V]) All(ctx context.Context) iter.Seq2[V, error] {
	return func(yield func(V, error) bool) {
		var zero V
		ids, err := s.ids(ctx)
		if err != nil {
			yield(zero, err)
			return
		}
		in := wire.NewInterner()
		for part := range slices.Chunk(ids, chunk) {
			raws, err := s.raws(ctx, part)
			if err != nil {
				yield(zero, fmt.Errorf("%s: %w", s.b.Name, err))
				return
			}
			var stale []member
			more := true
			for i, raw := range raws {
				if raw == nil {
					stale = append(stale, member{id: part[i]})
					continue
				}
				v, err := s.b.decode(part[i], raw, in)
				if err == nil && s.b.State != nil && s.b.stateOf(&v) == "" {
					err = rowError(s.b.Name, part[i], errUnknownState(s.b.State(&v)))
				} else if err == nil && !s.has(&v) {
					stale = append(stale, member{part[i], raw})
					continue
				}
				if more = yield(v, err); !more {
					break
				}
			}
			s.heal(ctx, stale)
			if !more {
				return
			}
		}
	}
}

// Count returns the number of rows, each checked like in All.
func (s Set[K, V]) Count(ctx context.Context) (int, error) {
	n := 0
	var errs []error
	for _, err := range s.All(ctx) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n++
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

// ids lists the members, which may be more than the rows that belong.
func (s Set[K, V]) ids(ctx context.Context) ([]string, error) {
	if err := errors.Join(s.b.err, s.err); err != nil {
		return nil, err
	}
	if s.tx != nil {
		return nil, class(ErrUnsupported, fmt.Errorf("%s: a set cannot be read inside a Commit", s.b.Name))
	}
	if s.index != allRows && s.b.Indexes[s.index].Field != nil && s.value == "" {
		return nil, nil // "" is not indexed
	}
	if s.b.s.sweeps.due(s.key()) {
		s.sweep(ctx)
	}
	var ids []string
	err := s.b.s.read(ctx, func(c rueidis.Client) error {
		var err error
		ids, err = c.Do(ctx, c.B().Zrange().Key(s.key()).Min("0").Max("-1").Build()).AsStrSlice()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.b.Name, err)
	}
	return ids, nil
}

// A member of an index that its row does not justify; row is nil where there
// is none.
type member struct {
	id  string
	row []byte
}

// healScript drops members whose row still is what the reader saw. A bare ZREM
// would take out a row that has come back meanwhile.
const healScript = `
for i = 2, #KEYS do
	local row = redis.call('GET', KEYS[i])
	if (ARGV[2*i-2] == '' and not row) or (row and row == ARGV[2*i-2]) then
		redis.call('ZREM', KEYS[1], ARGV[2*i-3])
	end
end
return 1`

// heal drops stale members. Losing it is harmless.
func (s Set[K, V]) heal(ctx context.Context, stale []member) {
	if len(stale) == 0 {
		return
	}
	keys := []string{s.key()}
	var args []string
	for _, m := range stale {
		keys = append(keys, s.b.base+m.id)
		args = append(args, m.id, string(m.row))
	}
	_ = s.b.s.read(ctx, func(c rueidis.Client) error {
		return c.Do(ctx, c.B().Eval().Script(healScript).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()).Error()
	})
}

// sweepScript removes the members whose rows have expired a minute ago. The
// margin is needed: a row is still alive at the instant of its score.
const sweepScript = `
local t = redis.call('TIME')
return redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (t[1] * 1000 - ` + sweepMarginMS + `))`

const sweepMarginMS = "60000"

func (s Set[K, V]) sweep(ctx context.Context) {
	_ = s.b.s.read(ctx, func(c rueidis.Client) error {
		return c.Do(ctx, c.B().Eval().Script(sweepScript).Numkeys(1).Key(s.key()).Build()).Error()
	})
}

// mget returns the bytes under the keys, nil for those that hold no string.
func mget(ctx context.Context, c rueidis.Client, keys []string) ([][]byte, error) {
	raws := make([][]byte, len(keys))
	ms, err := c.Do(ctx, c.B().Mget().Key(keys...).Build()).ToArray()
	if err != nil {
		return raws, err
	}
	if len(ms) != len(keys) {
		return raws, fmt.Errorf("MGET of %d keys answered %d", len(keys), len(ms))
	}
	for i := range ms {
		if !ms[i].IsNil() {
			if raws[i], err = ms[i].AsBytes(); err != nil {
				return raws, err
			}
		}
	}
	return raws, nil
}

// sweeps remembers when each index was swept by this process.
type sweeps struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// maxSweeps bounds the memory of sweeps; an index that is forgotten is swept a
// little too often.
const maxSweeps = 10_000

func (w *sweeps) due(index string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.last[index]) < sweepEvery {
		return false
	}
	if w.last == nil || len(w.last) >= maxSweeps {
		w.last = map[string]time.Time{}
	}
	w.last[index] = time.Now()
	return true
}
