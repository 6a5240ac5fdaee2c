package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// Behind a proxy that gives all clients one connection, old bytes cannot be
// told from new ones: the store says so, or refuses to work there.
func TestFenceBehindAMultiplexer(t *testing.T) {
	port := listen(t, oldRedis("7.0.15")) // says of every connection that it is client 7
	s, err := store.Open(t.Context(), at(port))
	must(t, err)
	if off := s.Stats().Fence.Off; !strings.Contains(off, "multiplexing proxy") {
		t.Errorf("fence off: %q", off)
	}
	must(t, s.Close(t.Context()))
	_, err = store.Open(t.Context(), with(at(port), func(c *store.Config) { c.Fence = "required" }))
	if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "multiplexing proxy") {
		t.Errorf("a required fence that cannot work: %v", err)
	}
	d := openOn(t, redistest.New(t), func(c *store.Config) { c.Fence = "required" })
	if off := d.Stats().Fence.Off; off != "" {
		t.Errorf("fence off: %q", off)
	}
}
