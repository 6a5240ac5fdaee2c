package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// What a Get from Redis costs beside a GET of the same bytes that looks at
// nothing, and beside a GET whose caller decodes the answer: in turns, by one
// caller and by many. It reports medians of the rounds.
func BenchmarkGetAgainstGet(b *testing.B) {
	const rows, gets = 1000, 6400
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprint(callers, " callers"), func(b *testing.B) {
			d := openOn(b, inMemory(b), func(c *store.Config) { c.Cache = "off" })
			raw, ctx := rawOn(b, d), b.Context()
			ids := make([]trading.PositionID, rows)
			must(b, d.Positions.PutMany(ctx, func(yield func(trading.Position) bool) {
				for i := range ids {
					p := manyFields()
					p.PositionID = trading.PositionID(fmt.Sprintf("BTCUSDT-PERP.BINANCE-EMACross-%06d", i))
					if ids[i] = p.PositionID; !yield(p) {
						return
					}
				}
			}))
			get := func(i int) ([]byte, error) {
				return raw.Do(ctx, raw.B().Get().Key("trader-position:"+string(ids[i])).Build()).AsBytes()
			}
			ways := []func(i int) error{
				func(i int) error { _, err := get(i); return err },
				func(i int) error {
					stored, err := get(i)
					if err == nil {
						var p trading.Position
						_, err = p.UnmarshalMsg(stored)
					}
					return err
				},
				func(i int) error { _, err := d.Positions.Get(ctx, ids[i]); return err },
			}
			var rounds, p95s [3][]float64 // in µs
			for b.Loop() {
				for w, way := range ways {
					took := make([]time.Duration, gets)
					start := time.Now()
					var wg sync.WaitGroup
					for c := range callers {
						wg.Go(func() {
							for i := c; i < gets; i += callers {
								var err error
								if took[i], err = timed(func() error { return way(i % rows) }); err != nil {
									b.Error(err)
								}
							}
						})
					}
					wg.Wait()
					rounds[w] = append(rounds[w], float64(time.Since(start).Microseconds())/gets)
					p95s[w] = append(p95s[w], quantile(took, 0.95))
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(ratio(rounds[0], rounds[2]), "GET/Get")
			b.ReportMetric(ratio(rounds[0], rounds[1]), "GET/decoded")
			b.ReportMetric(ratio(p95s[2], p95s[0]), "Get/GET-p95")
			b.ReportMetric(ratio(p95s[1], p95s[0]), "decoded/GET-p95")
		})
	}
}

// ratio is the median of the rounds' ratios.
func ratio(a, b []float64) float64 {
	rs := make([]float64, len(a))
	for i := range a {
		rs[i] = a[i] / b[i]
	}
	slices.Sort(rs)
	return rs[len(rs)/2]
}
