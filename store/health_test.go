package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/store"
)

func TestHealth(t *testing.T) {
	d := open(t, func(c *store.Config) { c.MaxAge = 500 * time.Millisecond })
	must(t, d.Health(t.Context()))
	must(t, d.srv.Pause())
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := d.Health(ctx); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("of a frozen server: %v", err)
	}
	must(t, d.srv.Resume())
	soon(t, "healthy again", func() bool { return d.Health(t.Context()) == nil })
	d.do(t, "REPLICAOF", "127.0.0.1", "1")
	if err := d.Health(t.Context()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "master") {
		t.Errorf("of a replica: %v", err)
	}
	must(t, d.srv.Stop())
	soon(t, "unhealthy", func() bool { return errors.Is(d.Health(t.Context()), store.ErrUnavailable) })
}
