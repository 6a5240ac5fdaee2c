// Package storetest gives tests a Redis: a throw-away real one in one line, or
// one of their own to stop, kill and freeze.
//
// Real servers need redis-server of Redis 7.0 or newer on PATH, or at
// NACRE_REDIS_SERVER. Where it is missing, a test fails: it never skips.
package storetest

import (
	"testing"

	"github.com/nacre-store/nacre/store/internal/redistest"
)

// Server is a private redis-server process: set up as deploy/redis.conf says,
// started on a free port and in a temporary directory, and dead when the program
// that started it is.
type Server = redistest.Server

// ServerOptions says how a [Server] runs. The zero value will do.
type ServerOptions = redistest.Options

// Start starts a server and returns when it answers. The caller closes it.
func Start(opts ServerOptions) (*Server, error) { return redistest.Start(opts) }

// Run starts a server for t and closes it when t ends. When t failed, the
// server's last log lines are shown.
func Run(t testing.TB, opts ServerOptions) *Server {
	t.Helper()
	return redistest.Run(t, opts)
}

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on, for what a
// server's arguments need beside its own port.
func FreePort() (int, error) { return redistest.FreePort() }
