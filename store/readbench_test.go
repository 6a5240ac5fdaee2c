package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// What a Get from Redis costs beside a GET of the same bytes that looks at
// nothing, and beside a GET whose caller decodes the answer: in turns, by one
// caller and by many. It reports ratios of the rounds' medians and of the p95.
func BenchmarkGetAgainstGet(b *testing.B) {
	const rows, gets = 1000, 6400
	for _, callers := range []int{1, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
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
			var rounds, gotten [3][]time.Duration
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
					rounds[w] = append(rounds[w], time.Since(start))
					gotten[w] = append(gotten[w], took...)
				}
			}
			b.ReportMetric(0, "ns/op")
			for w, name := range map[int]string{1: "decoded", 2: "Get"} {
				b.ReportMetric(float64(median(rounds[0]))/float64(median(rounds[w])), "GET/"+name)
				b.ReportMetric(quantile(gotten[w], 0.95)/quantile(gotten[0], 0.95), name+"/GET-p95")
			}
		})
	}
}
