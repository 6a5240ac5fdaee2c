package store_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/redis/rueidis/mock"
	"go.uber.org/mock/gomock"

	"github.com/nacre-store/nacre/gen/trading"
)

// rawOn is a client without anything around it, with one connection like the
// store's.
func rawOn(b *testing.B, d *desk) rueidis.Client {
	c, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{d.srv.Addr()}, DisableCache: true, AlwaysPipelining: true, PipelineMultiplex: -1, DisableRetry: true,
	})
	must(b, err)
	b.Cleanup(c.Close)
	return c
}

// quantile is of durations in any order.
func quantile(ds []time.Duration, q float64) float64 {
	slices.Sort(ds)
	return float64(ds[int(q*float64(len(ds)-1))].Nanoseconds()) / 1e3
}

func timed(f func() error) (time.Duration, error) {
	start := time.Now()
	err := f()
	return time.Since(start), err
}

// What Put costs beside a SET of the same bytes, one after the other, by turns.
func BenchmarkPutAgainstSet(b *testing.B) {
	for name, put := range map[string]func(d *desk, i int) (key string, err error){
		"three indexes and a TTL": func(d *desk, i int) (string, error) {
			p := versioned(fmt.Sprint("P-", i%1000), int64(i))
			p.Side = trading.PositionSideFlat
			return "trader-position:" + string(p.PositionID), d.Positions.Put(b.Context(), p)
		},
		"no index": func(d *desk, i int) (string, error) {
			code := trading.CurrencyCode(fmt.Sprint("C", i%1000))
			return "trader-currency:" + string(code), d.Currencies.Put(b.Context(), trading.Currency{CurrencyCode: code, CurrencyType: trading.CurrencyTypeFiat})
		},
	} {
		b.Run(name, func(b *testing.B) {
			d := openOn(b, inMemory(b))
			raw, ctx := rawOn(b, d), b.Context()
			key, err := put(d, 0)
			must(b, err)
			value := d.do(b, "GET", key)
			var puts, sets []time.Duration
			for i := 0; b.Loop(); i++ {
				took, err := timed(func() error { _, err := put(d, i); return err })
				must(b, err)
				puts = append(puts, took)
				took, err = timed(func() error {
					return raw.Do(ctx, raw.B().Set().Key(fmt.Sprint("raw:", i%1000)).Value(value).Build()).Error()
				})
				must(b, err)
				sets = append(sets, took)
			}
			b.ReportMetric(quantile(puts, 0.95)/quantile(sets, 0.95), "p95-ratio")
			b.ReportMetric(quantile(puts, 0.95), "put-p95-us")
			b.ReportMetric(quantile(sets, 0.95), "set-p95-us")
		})
	}
}

// What acceptance into the buffer takes, beside a Put that waits for Redis.
func BenchmarkAccept(b *testing.B) {
	d := openOn(b, inMemory(b))
	buffered := openOn(b, d.srv, buffering(10*time.Millisecond))
	rows := make([]trading.Position, 1000)
	for i := range rows {
		rows[i] = versioned(fmt.Sprint("P-", i), 1)
	}
	put := func(d *desk, i int) time.Duration {
		took, err := timed(func() error { return d.Positions.Put(b.Context(), rows[i%len(rows)]) })
		must(b, err)
		return took
	}
	var waited []time.Duration
	for i := range 2000 {
		waited = append(waited, put(d, i))
	}
	accepted := make([]time.Duration, 0, 1<<20)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if took := put(buffered, i); len(accepted) < cap(accepted) {
			accepted = append(accepted, took)
		}
	}
	b.ReportMetric(quantile(waited, 0.5)/quantile(accepted, 0.5), "x-faster-p50")
	b.ReportMetric(quantile(accepted, 0.5), "accept-p50-us")
	b.ReportMetric(quantile(waited, 0.5), "put-p50-us")
}

// recorded are the commands that Puts of the rows send.
func recorded(b *testing.B, rows []trading.Position) (cmds [][]string) {
	client, tables := injected(b)
	client.EXPECT().DoMulti(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, sent ...rueidis.Completed) []rueidis.RedisResult {
		rs := make([]rueidis.RedisResult, len(sent))
		for i, c := range sent {
			cmds = append(cmds, slices.Clone(c.Commands()))
			rs[i] = mock.Result(mock.RedisString("QUEUED"))
		}
		rs[len(rs)-1] = mock.Result(mock.RedisArray(mock.RedisNil(), mock.RedisInt64(1), mock.RedisInt64(1), mock.RedisInt64(1), mock.RedisInt64(1)))
		return rs
	})
	for _, p := range rows {
		must(b, tables.Positions.Put(b.Context(), p))
	}
	return cmds
}

// How fast the buffer drains, beside a raw pipeline of the same commands.
func BenchmarkDrain(b *testing.B) {
	const n = 20_000
	rows := make([]trading.Position, n)
	for i := range rows {
		rows[i] = versioned(fmt.Sprint("P-", i), 1)
	}
	d := openOn(b, inMemory(b), buffering(time.Hour))
	cmds := recorded(b, rows)
	raw, ctx := rawOn(b, d), b.Context()
	var drains, pipes []time.Duration
	for b.Loop() {
		for _, p := range rows {
			must(b, d.Positions.Put(ctx, p))
		}
		runtime.GC()
		took, err := timed(func() error { return d.Flush(ctx) })
		must(b, err)
		drains = append(drains, took)
		runtime.GC()
		took, err = timed(func() error {
			for part := range slices.Chunk(cmds, 2048) {
				pipe := make(rueidis.Commands, len(part))
				for i, c := range part {
					pipe[i] = raw.B().Arbitrary(c...).Build()
				}
				for _, r := range raw.DoMulti(ctx, pipe...) {
					if err := r.Error(); err != nil && !rueidis.IsRedisNil(err) {
						return err
					}
				}
			}
			return nil
		})
		must(b, err)
		pipes = append(pipes, took)
	}
	drain, pipe := quantile(drains, 0.5), quantile(pipes, 0.5)
	b.ReportMetric(pipe/drain, "x-raw")
	b.ReportMetric(n/drain*1e6, "rows/s")
}
