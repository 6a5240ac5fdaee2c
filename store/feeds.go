package store

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
)

// feeds are the tables that are watched, by the start of their rows' keys.
type feeds struct {
	any atomic.Int64
	mu  sync.RWMutex
	by  map[string][]source
}

// A source is a feed without its types.
type source interface {
	changed(id string) // must not wait
	lost()             // must not wait
	stop()
	store() *Store
}

// changed tells the feed of the row under the key, if there is one.
func (fs *feeds) changed(key string) {
	if fs.any.Load() == 0 {
		return
	}
	i := strings.IndexByte(key, ':') + 1 // no earlier part of a row's key has one
	fs.mu.RLock()
	defer fs.mu.RUnlock()
	for _, f := range fs.by[key[:i]] {
		f.changed(key[i:])
	}
}

// lost tells all feeds that changes may have been missed.
func (fs *feeds) lost() {
	fs.mu.RLock()
	defer fs.mu.RUnlock()
	for _, l := range fs.by {
		for _, f := range l {
			f.lost()
		}
	}
}

// of returns the feeds of one store's tables.
func (fs *feeds) of(s *Store) []source {
	fs.mu.RLock()
	defer fs.mu.RUnlock()
	var all []source
	for _, l := range fs.by {
		for _, f := range l {
			if f.store() == s {
				all = append(all, f)
			}
		}
	}
	return all
}

// join makes the watcher one of its table's feed, which begins with the first.
func (w *watcher[K, V]) join() error {
	b := w.set.b
	fs := b.s.feeds
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if b.s.busy.closed.Load() {
		return ErrClosed
	}
	for _, l := range fs.by[b.base] {
		if f, ok := l.(*feed[K, V]); ok && f.b == b {
			w.feed = f
		}
	}
	if w.feed == nil {
		ctx, cancel := context.WithCancel(context.Background())
		w.feed = &feed[K, V]{b: b, cancel: cancel, wake: make(chan struct{}, 1), dirty: map[string]struct{}{}, watchers: map[*watcher[K, V]]struct{}{}}
		fs.by[b.base] = append(fs.by[b.base], w.feed)
		fs.any.Add(1)
		w.feed.running.Go(func() { w.feed.run(ctx) })
	}
	w.feed.mu.Lock()
	defer w.feed.mu.Unlock()
	w.feed.watchers[w] = struct{}{}
	w.feed.kick()
	return nil
}

// leave ends the feed with its last watcher, and waits for that.
func (w *watcher[K, V]) leave() {
	f, fs := w.feed, w.set.b.s.feeds
	fs.mu.Lock()
	f.mu.Lock()
	delete(f.watchers, w)
	last := len(f.watchers) == 0
	f.mu.Unlock()
	if last {
		fs.remove(f.b.base, f)
	}
	fs.mu.Unlock()
	if last {
		f.stop()
	}
}

// remove takes a feed out; the caller holds the lock.
func (fs *feeds) remove(base string, f source) {
	l := fs.by[base]
	for i := range l {
		if l[i] == f {
			fs.any.Add(-1)
			l = append(l[:i:i], l[i+1:]...)
			break
		}
	}
	if fs.by[base] = l; len(l) == 0 {
		delete(fs.by, base)
	}
}
