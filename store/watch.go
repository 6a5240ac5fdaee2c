package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
)

// A ChangeKind says what a [Change] tells.
type ChangeKind int

// The kinds of changes.
const (
	Present ChangeKind = iota // The row was in the set when the watch began: New.
	Synced                    // Every row of the beginning has been told; without a row.
	Added                     // The row has come into the set: New.
	Updated                   // The row has changed and is still in the set: Old and New.
	Removed                   // The row has left the set: Old, and New where it still exists.
)

// String returns the name of the kind.
func (k ChangeKind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("ChangeKind(%d)", int(k))
	}
	return kindNames[k]
}

var kindNames = [...]string{"Present", "Synced", "Added", "Updated", "Removed"}

// A Change is what a watch tells of one row.
type Change[K comparable, V any] struct {
	Kind ChangeKind
	ID   K
	Old  V // The row as it was told before.
	New  V // The row as it is.
}

// Watch tells which rows are in the set, then Synced, and from then on every
// change, whoever makes it, own writes and expiry included. Redis itself tells
// of changes; nothing is polled. What changes again before it could be told is
// told once, so that a slow loop skips what lay between, but never the final
// state; nor does a connection that is lost and made anew. While Redis cannot
// be reached, Watch waits. It tells what is in Redis: a buffered write is told
// when it has been sent, which Flush hastens; Get shows it at once.
//
// A row that cannot be decoded yields a *[RowError] and the loop goes on; what
// was told of it before stands. Any other error is the last thing yielded, also
// when the context ends. Watchers of one table share the reading of it. Where
// rows are not cached ([CacheStats].Off), and inside a Commit, it is
// [ErrUnsupported].
func (s Set[K, V]) Watch(ctx context.Context) iter.Seq2[Change[K, V], error] {
	return observed(ctx, s.b.s.shared, "watch", s.b.Name, "", func(yield func(Change[K, V], error) bool) {
		fail := func(err error) { yield(Change[K, V]{}, fmt.Errorf("%s: watch: %w", s.b.Name, err)) }
		switch err := errors.Join(s.b.err, s.err); {
		case err != nil:
			fail(err)
			return
		case s.tx != nil:
			fail(class(ErrUnsupported, errors.New("not inside a Commit")))
			return
		case s.b.s.cache == nil:
			fail(class(ErrUnsupported, errors.New("rows are not cached: "+s.b.s.uncached)))
			return
		}
		w := &watcher[K, V]{set: s, rows: map[string]*cached[V]{}, news: map[string]item[V]{}, wake: make(chan struct{}, 1), relist: true}
		if err := w.join(); err != nil {
			fail(err)
			return
		}
		defer w.leave()
		for {
			c, rowErr, err := w.next(ctx)
			if err != nil {
				fail(err)
				return
			}
			if !yield(c, rowErr) {
				return
			}
		}
	})
}

// A watcher is one loop over Watch: what it has been told, and what it has not
// taken yet.
type watcher[K comparable, V any] struct {
	set  Set[K, V]
	feed *feed[K, V]
	wake chan struct{} // there is news, or an end

	mu      sync.Mutex
	rows    map[string]*cached[V] // told
	news    map[string]item[V]    // not told yet
	order   []string              // of news; "" is the end of the beginning
	backlog []string              // ids to be read for this watcher
	relist  bool                  // the ids are to be listed (again)
	listed  bool                  // the ids of the beginning have been listed
	synced  bool                  // the end of the beginning is in order
	told    bool                  // and has been told
	end     error
}

// item is a row as the feed has read it: nil when there is none.
type item[V any] struct {
	id  string
	row *cached[V]
	err error
}

// has tells whether the row belongs to the watched set.
func (w *watcher[K, V]) has(row *cached[V]) bool {
	s := w.set
	if s.index != allRows && s.b.Indexes[s.index].Field != nil && s.value == "" {
		return false // "" is not indexed
	}
	return row != nil && s.has(&row.row)
}

// room is how much news a watcher holds before the reading of its backlog
// waits for it. Changes are never held back: there is at most one for a row.
const room = 2 * chunk

// put takes rows in the order in which they were read, and tells which of them
// this watcher needs to be told of again when they expire.
func (w *watcher[K, V]) put(items []item[V], asked bool, follow func(item[V])) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, it := range items {
		_, told := w.rows[it.id]
		_, waits := w.news[it.id]
		mine := told || waits || w.has(it.row) || it.err != nil && (asked || w.set.index == allRows)
		if !mine {
			continue
		}
		follow(it)
		if !waits {
			w.order = append(w.order, it.id)
		}
		w.news[it.id] = it
	}
	w.tell()
}

// caughtUp marks the end of the beginning once the backlog has been read.
func (w *watcher[K, V]) caughtUp() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.listed && !w.relist && len(w.backlog) == 0 && !w.synced {
		w.synced = true
		w.order = append(w.order, "")
		w.tell()
	}
}

// tell wakes the loop.
func (w *watcher[K, V]) tell() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *watcher[K, V]) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.end == nil {
		w.end = err
	}
	w.tell()
}

// next waits for the next change. An error of a row stands beside the change.
func (w *watcher[K, V]) next(ctx context.Context) (c Change[K, V], rowErr, err error) {
	for {
		if ctx.Err() != nil {
			return c, nil, class(ErrUnavailable, ctx.Err())
		}
		c, rowErr, ok, err := w.take()
		if ok || err != nil {
			return c, rowErr, err
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
		}
	}
}

// take returns a change if there is one.
func (w *watcher[K, V]) take() (c Change[K, V], rowErr error, ok bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for len(w.order) > 0 && w.end == nil {
		id := w.order[0]
		w.order = w.order[1:]
		if len(w.order) == chunk && len(w.backlog) > 0 {
			w.feed.kick()
		}
		if id == "" {
			w.told = true
			return Change[K, V]{Kind: Synced}, nil, true, nil
		}
		it := w.news[id]
		delete(w.news, id)
		old, had := w.rows[id]
		switch in := w.has(it.row); {
		case it.err != nil:
			return c, it.err, true, nil
		case in && had && it.row.Sum == old.Sum:
			continue
		case in && had:
			c.Kind, c.Old, c.New = Updated, old.row, it.row.row
		case in && w.told:
			c.Kind, c.New = Added, it.row.row
		case in:
			c.Kind, c.New = Present, it.row.row
		case had:
			c.Kind, c.Old = Removed, old.row
			if it.row != nil {
				c.New = it.row.row
			}
		default:
			continue
		}
		if c.Kind == Removed {
			delete(w.rows, id)
			c.ID = w.set.b.ID(&c.Old)
		} else {
			w.rows[id] = it.row
			c.ID = w.set.b.ID(&c.New)
		}
		return c, nil, true, nil
	}
	return c, nil, false, w.end
}
