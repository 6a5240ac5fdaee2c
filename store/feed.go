package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nacre-store/nacre/store/internal/deadline"
)

// A feed reads the rows of one table of which Redis tells that they changed,
// once for all watchers of the table. One goroutine reads and tells, so that
// every watcher is told of a row's states in the order in which they were read.
type feed[K comparable, V any] struct {
	b       *bound[K, V]
	cancel  context.CancelFunc
	running sync.WaitGroup
	wake    chan struct{}
	due     deadline.Queue // of the rows that watchers know; for run alone

	mu       sync.Mutex
	dirty    map[string]struct{} // ids of rows that changed
	again    bool                // changes may have been missed
	watchers map[*watcher[K, V]]struct{}
}

func (f *feed[K, V]) store() *Store { return f.b.s }

// kick wakes the goroutine.
func (f *feed[K, V]) kick() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

func (f *feed[K, V]) changed(id string) {
	f.mu.Lock()
	f.dirty[id] = struct{}{}
	f.mu.Unlock()
	f.kick()
}

func (f *feed[K, V]) lost() {
	f.mu.Lock()
	f.again = true
	f.mu.Unlock()
	f.kick()
}

// stop ends the goroutine and waits for it.
func (f *feed[K, V]) stop() {
	f.cancel()
	f.running.Wait()
	for w := range f.all() {
		w.fail(ErrClosed)
	}
}

func (f *feed[K, V]) all() map[*watcher[K, V]]struct{} {
	f.mu.Lock()
	defer f.mu.Unlock()
	ws := make(map[*watcher[K, V]]struct{}, len(f.watchers))
	for w := range f.watchers {
		ws[w] = struct{}{}
	}
	return ws
}

// The feed waits between two tries while Redis cannot be reached.
const (
	leastWait = 5 * time.Millisecond
	mostWait  = 500 * time.Millisecond
)

func (f *feed[K, V]) run(ctx context.Context) {
	t := time.NewTimer(time.Hour)
	defer t.Stop()
	wait := leastWait
	for ctx.Err() == nil {
		more, err := f.step(ctx)
		switch {
		case err != nil && ctx.Err() == nil && !errors.Is(err, ErrUnavailable):
			f.give(err)
			return
		case err != nil:
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
			wait = min(2*wait, mostWait)
			continue
		}
		wait = leastWait
		if more {
			continue
		}
		idle := time.Hour
		if next := f.due.Next(); next != 0 {
			idle = time.Duration(next-f.b.s.cache.Now()) + time.Millisecond
		}
		t.Reset(max(0, idle))
		select {
		case <-ctx.Done():
		case <-f.wake:
		case <-t.C:
		}
	}
}

// give ends the feed for all watchers; a later one begins another feed.
func (f *feed[K, V]) give(err error) {
	fs := f.b.s.feeds
	fs.mu.Lock()
	fs.remove(f.b.base, f)
	fs.mu.Unlock()
	for w := range f.all() {
		w.fail(err)
	}
}

// step does one part of the work: some changes, and some of what a watcher has
// to be told of its beginning or after a lost connection.
func (f *feed[K, V]) step(ctx context.Context) (more bool, err error) {
	ids := f.changes()
	if len(ids) > 0 {
		if err := f.read(ctx, ids, nil); err != nil {
			for _, id := range ids {
				f.changed(id)
			}
			return true, err
		}
	}
	for w := range f.all() {
		if did, err := f.serve(ctx, w); did || err != nil {
			return true, err
		}
	}
	return len(ids) > 0, nil
}

// serve does one part of what one watcher needs.
func (f *feed[K, V]) serve(ctx context.Context, w *watcher[K, V]) (did bool, err error) {
	w.mu.Lock()
	relist, full := w.relist, len(w.order) >= room
	ids := w.backlog[:min(len(w.backlog), chunk)]
	w.mu.Unlock()
	switch {
	case relist:
		err = f.list(ctx, w)
	case len(ids) == 0, full:
		return false, nil
	default:
		if err = f.read(ctx, ids, w); err == nil {
			w.mu.Lock()
			w.backlog = w.backlog[len(ids):]
			w.mu.Unlock()
		}
	}
	w.caughtUp()
	return true, err
}

// changes takes ids of rows that changed or should have expired.
func (f *feed[K, V]) changes() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.again {
		f.again = false
		for w := range f.watchers {
			w.mu.Lock()
			w.relist = true
			w.mu.Unlock()
		}
	}
	var ids []string
	for id := range f.dirty {
		if len(ids) == chunk {
			break
		}
		ids = append(ids, id)
		delete(f.dirty, id)
	}
	for now := f.b.s.cache.Now(); len(ids) < chunk; {
		id := f.due.Due(now)
		if id == "" {
			break
		}
		ids = append(ids, id)
	}
	return ids
}

// list lists the ids that a watcher must be told of: those of its set, and
// those that it knows and that may have gone.
func (f *feed[K, V]) list(ctx context.Context, w *watcher[K, V]) error {
	w.mu.Lock()
	w.relist = false
	w.mu.Unlock()
	ids, _, err := w.set.ids(ctx)
	if err != nil {
		w.mu.Lock()
		w.relist = true
		w.mu.Unlock()
		if ctx.Err() != nil || errors.Is(err, ErrUnavailable) {
			return err
		}
		w.fail(err)
		f.mu.Lock()
		delete(f.watchers, w) // it leaves by itself
		f.mu.Unlock()
		return nil
	}
	listed := make(map[string]struct{}, len(ids))
	for _, id := range ids {
		listed[id] = struct{}{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.rows {
		if _, ok := listed[id]; !ok {
			ids = append(ids, id)
		}
	}
	for id := range w.news { // read before the list, perhaps
		if _, ok := listed[id]; !ok && w.rows[id] == nil {
			ids = append(ids, id)
		}
	}
	w.backlog, w.listed = ids, true
	return nil
}

// read reads rows and tells all watchers, or the one whose backlog they are.
func (f *feed[K, V]) read(ctx context.Context, ids []string, of *watcher[K, V]) error {
	rows := make([]*cached[V], len(ids))
	for i, id := range ids {
		rows[i] = f.b.hitKey([]byte(f.b.base+id), f.b.s.cache.MaxAge())
	}
	errs, err := f.b.fetchMany(ctx, ids, rows)
	if err != nil {
		return err
	}
	items := make([]item[V], len(ids))
	for i, id := range ids {
		items[i] = item[V]{id: id, row: rows[i], err: errs[i]}
		if errors.Is(errs[i], ErrNotFound) {
			items[i].err = nil
		}
		if r := rows[i]; r != nil && f.b.State != nil && f.b.stateOf(&r.row) == "" {
			items[i] = item[V]{id: id, err: rowError(f.b.Name, id, errUnknownState(f.b.State(&r.row)))}
		}
		f.due.Set(id, 0)
	}
	follow := func(it item[V]) {
		if it.row != nil {
			f.due.Set(it.id, it.row.Expire)
		}
	}
	for w := range f.all() {
		w.put(items, w == of, follow)
	}
	return nil
}
