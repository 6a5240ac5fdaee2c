package storetest

import (
	"log/slog"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/nacre-store/nacre/store"
)

// Redis starts a private, empty Redis for t and returns the configuration to
// open it with. It stops when t ends; what the store logs goes to t's output.
// Add the Schemas of your package:
//
//	cfg := storetest.Redis(t)
//	cfg.Schemas = []store.Schema{trading.Schema}
//	s, err := store.Open(t.Context(), cfg)
func Redis(t testing.TB) store.Config {
	t.Helper()
	s := Run(t, ServerOptions{})
	return config(t, "127.0.0.1", s.Port())
}

// Embedded is [Redis] without Redis: a server inside the test's own process
// (miniredis), for machines that have none. It has the commands, and neither
// the timing nor the persistence, of a real one.
func Embedded(t testing.TB) store.Config {
	t.Helper()
	s := miniredis.RunT(t)
	return config(t, s.Host(), s.Server().Addr().Port)
}

func config(t testing.TB, host string, port int) store.Config {
	return store.Config{
		Database: store.DatabaseConfig{Host: host, Port: port},
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}
