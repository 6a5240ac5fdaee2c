package store_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"github.com/redis/rueidis/mock"
	"go.uber.org/mock/gomock"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
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

// recorded are the commands that Puts of the rows send, with a buffer or without.
func recorded(b *testing.B, rows []trading.Position, change ...func(*store.Config)) (cmds [][]string) {
	client, d := injectedWith(b, change...)
	var mu sync.Mutex
	client.EXPECT().DoMulti(gomock.Any(), gomock.Any()).AnyTimes().DoAndReturn(func(_ context.Context, sent ...rueidis.Completed) []rueidis.RedisResult {
		mu.Lock()
		defer mu.Unlock()
		rs := make([]rueidis.RedisResult, len(sent))
		var values []rueidis.RedisMessage
		for i, c := range sent {
			cmds = append(cmds, slices.Clone(c.Commands()))
			switch c.Commands()[0] {
			case "MULTI":
				values = nil
				rs[i] = mock.Result(mock.RedisString("OK"))
			case "EXEC":
				rs[i] = mock.Result(mock.RedisArray(values...))
			default:
				values = append(values, mock.RedisNil())
				rs[i] = mock.Result(mock.RedisString("QUEUED"))
			}
		}
		return rs
	})
	for _, p := range rows {
		must(b, d.Positions.Put(b.Context(), p))
	}
	must(b, d.Flush(b.Context()))
	return cmds
}

// piped sends transactions through a raw client, some 2000 commands at once.
func piped(ctx context.Context, raw rueidis.Client, cmds [][]string) error {
	pipe := make(rueidis.Commands, 0, 3000)
	for i, c := range cmds {
		pipe = append(pipe, raw.B().Arbitrary(c...).Build())
		if i < len(cmds)-1 && (len(pipe) < 2000 || c[0] != "EXEC") {
			continue
		}
		for _, r := range raw.DoMulti(ctx, pipe...) {
			if err := r.Error(); err != nil && !rueidis.IsRedisNil(err) {
				return err
			}
		}
		pipe = pipe[:0]
	}
	return nil
}

// How fast the buffer drains, beside raw pipelines: of what Put sends for each
// row, and of what the buffer sends for all of them together.
func BenchmarkDrain(b *testing.B) {
	const n = 20_000
	rows := make([]trading.Position, n)
	for i := range rows {
		rows[i] = versioned(fmt.Sprint("P-", i), 1)
	}
	d := openOn(b, inMemory(b), buffering(time.Hour))
	puts, same := recorded(b, rows), recorded(b, rows, buffering(time.Hour))
	raw, ctx := rawOn(b, d), b.Context()
	took := map[string][]time.Duration{}
	for b.Loop() {
		for _, p := range rows {
			must(b, d.Positions.Put(ctx, p))
		}
		for _, c := range []struct {
			name string
			do   func() error
		}{
			{"drain", func() error { return d.Flush(ctx) }},
			{"puts", func() error { return piped(ctx, raw, puts) }},
			{"same", func() error { return piped(ctx, raw, same) }},
		} {
			runtime.GC()
			t, err := timed(c.do)
			must(b, err)
			took[c.name] = append(took[c.name], t)
		}
	}
	drain := quantile(took["drain"], 0.5)
	b.ReportMetric(quantile(took["puts"], 0.5)/drain, "x-raw-puts")
	b.ReportMetric(quantile(took["same"], 0.5)/drain, "x-raw-same")
	b.ReportMetric(float64(len(puts))/n, "cmds/put")
	b.ReportMetric(float64(len(same))/n, "cmds/row")
	b.ReportMetric(n/drain*1e6, "rows/s")
}
