package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/report"
)

// ceiling asks redis-benchmark, where it is installed, what the server can do: a program in C that neither
// decodes nor checks. Its figures are a range over runs and never part of a ratio, for they can't be interleaved.
func ceiling(ctx context.Context, srv *server, clients int) ([]report.Ceiling, error) {
	bin, err := exec.LookPath("redis-benchmark")
	if err != nil || srv.kind != "private" || srv.db.Unix != "" {
		return nil, nil
	}
	size := strconv.Itoa(int(srv.set.Bytes) / srv.set.Len())
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var out []report.Ceiling
	for range 3 {
		for _, depth := range []int{1, 16} {
			cmd := exec.CommandContext(ctx, bin, "-h", srv.db.Host, "-p", strconv.Itoa(srv.db.Port), "-c", strconv.Itoa(clients),
				"-n", strconv.Itoa(60_000*depth/min(depth, 4)), "-P", strconv.Itoa(depth), "-d", size, "-t", "set,get", "--csv")
			text, err := cmd.Output() // It hangs when the server is gone; the context's deadline ends it.
			if err != nil {
				return nil, fmt.Errorf("redis-benchmark: %w", err)
			}
			rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
			if err != nil || len(rows) < 2 || len(rows[0]) < 6 || rows[0][1] != "rps" || rows[0][5] != "p95_latency_ms" {
				return nil, nil // An older one without percentiles.
			}
			for _, row := range rows[1:] {
				rps, _ := strconv.ParseFloat(row[1], 64)
				p95, _ := strconv.ParseFloat(row[5], 64)
				i := slices.IndexFunc(out, func(c report.Ceiling) bool { return c.Test == row[0] && c.Depth == depth })
				if i < 0 {
					out = append(out, report.Ceiling{Test: row[0], Depth: depth, Lo: rps, Hi: rps, P95: p95})
					continue
				}
				out[i].Lo, out[i].Hi, out[i].P95 = min(out[i].Lo, rps), max(out[i].Hi, rps), max(out[i].P95, p95)
			}
		}
	}
	return out, nil
}
