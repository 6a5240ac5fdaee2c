package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/store"
)

// watch collects the changes of a set in a goroutine until the test ends.
type watch[K comparable, V any] struct {
	t    testing.TB
	mu   sync.Mutex
	got  []store.Change[K, V]
	errs []error
	end  context.CancelFunc
	over chan struct{}
}

func watching[K comparable, V any](t testing.TB, s store.Set[K, V]) *watch[K, V] {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch[K, V]{t: t, end: cancel, over: make(chan struct{})}
	go func() {
		defer close(w.over)
		for c, err := range s.Watch(ctx) {
			w.mu.Lock()
			if err != nil {
				w.errs = append(w.errs, err)
			} else {
				w.got = append(w.got, c)
			}
			w.mu.Unlock()
		}
	}()
	t.Cleanup(w.stop)
	return w
}

func (w *watch[K, V]) stop() {
	w.end()
	<-w.over
}

func (w *watch[K, V]) text() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s []string
	for _, c := range w.got {
		s = append(s, strings.TrimSpace(fmt.Sprint(c.Kind, " ", c.ID)))
	}
	return s
}

// wait waits until exactly these changes have been told, and forgets them.
func (w *watch[K, V]) wait(want ...string) []store.Change[K, V] {
	w.t.Helper()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Microsecond) {
		if slices.Equal(w.text(), want) {
			w.mu.Lock()
			defer w.mu.Unlock()
			got := w.got
			w.got = nil
			return got
		}
	}
	w.t.Fatalf("the changes are %q, want %q", w.text(), want)
	return nil
}
