// Command nacre-bench says whether typed reads and writes of real trading
// records keep p95 < 1 ms: on a private Redis, in an open loop, with every read
// verified and the raw client measured in between.
//
// Exit codes: 0 pass, 1 could not run, 75 inconclusive, 99 breach.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/nacre-store/nacre/bench/internal/verdict"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second Ctrl-C ends the process at once.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return verdict.ExitPass
	}
	if err == nil && cfg.compare != "" {
		err = compare(ctx, cfg, stdout)
		if err != nil && ctx.Err() != nil {
			err = errors.New("interrupted")
		}
		if err == nil {
			return verdict.ExitPass
		}
	}
	if err == nil && cfg.child {
		if child(ctx, cfg, os.Stdin, stdout) != nil {
			return verdict.ExitError
		}
		return verdict.ExitPass
	}
	code := verdict.ExitError
	if err == nil {
		code, err = bench(ctx, cfg, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "nacre-bench: %s\n", oneLine(err))
	}
	return code
}
