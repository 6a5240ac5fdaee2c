package store_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
	"github.com/nacre-store/nacre/store/storetest"
)

// Where tracking cannot be had, everything works without a cache, and one line
// says so.
func TestUncached(t *testing.T) {
	acl := redistest.New(t)
	for name, words := range map[string]string{"untracked": "-client|tracking", "no role": "-role"} {
		if _, err := acl.Do("ACL", "SETUSER", strings.ReplaceAll(name, " ", ""), "on", ">pw", "~*", "+@all", words); err != nil {
			t.Fatal(err)
		}
	}
	user := func(name string) store.Config {
		c := at(acl.Port())
		c.Database.Username, c.Database.Password = name, "pw"
		return c
	}
	off := at(acl.Port())
	off.Cache = "off"
	embedded := storetest.Embedded(t)
	for name, c := range map[string]struct {
		cfg   store.Config
		lines int
		why   string
	}{
		"no right to track":    {user("untracked"), 1, "NOPERM"},
		"no right to ask":      {user("norole"), 1, "NOPERM"},
		"off by configuration": {off, 0, "configuration"},
		"embedded server":      {embedded, 1, "tracking"},
	} {
		t.Run(name, func(t *testing.T) {
			var log syncBuffer
			c.cfg.Schemas = []store.Schema{trading.Schema}
			c.cfg.Logger = slog.New(slog.NewTextHandler(&log, nil))
			s, err := store.Open(t.Context(), c.cfg)
			must(t, err)
			defer func() { must(t, s.Close(t.Context())) }()
			x := trading.New(s)
			must(t, x.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
			for range 3 {
				if _, err := x.Positions.Get(t.Context(), "P-1"); err != nil {
					t.Fatal(err)
				}
			}
			if _, ok := x.Positions.Peek("P-1"); ok {
				t.Error("Peek finds a row")
			}
			for _, err := range x.Positions.GetMany(t.Context(), "P-1") {
				must(t, err)
			}
			st := s.Stats().Cache
			if st.Hits != 0 || !strings.Contains(st.Off, c.why) {
				t.Errorf("%d hits; off because %q, want %q", st.Hits, st.Off, c.why)
			}
			if n := strings.Count(log.String(), "not cached"); n != c.lines {
				t.Errorf("%d lines say so, want %d:\n%s", n, c.lines, log.String())
			}
		})
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
