package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

const benchRows = 100_000

// A ware is one way to get a position near.
type ware struct {
	name string
	get  func(id trading.PositionID) trading.Position
}

// wares are a hit, a plain map under a lock, and rueidis' own cached read with
// decoding, on the same rows.
func wares(b *testing.B, row trading.Position) ([]trading.PositionID, []ware) {
	d := openOn(b, inMemory(b), func(c *store.Config) { c.CacheBytes = 1 << 30 })
	ids := make([]trading.PositionID, benchRows)
	plain := struct {
		sync.RWMutex
		m map[trading.PositionID]trading.Position
	}{m: make(map[trading.PositionID]trading.Position, benchRows)}
	must(b, d.Positions.PutMany(b.Context(), func(yield func(trading.Position) bool) {
		for i := range ids {
			p := row
			p.PositionID = trading.PositionID(fmt.Sprintf("BTCUSDT-PERP.BINANCE-EMACross-%06d", i))
			ids[i] = p.PositionID
			plain.m[p.PositionID] = p
			if !yield(p) {
				return
			}
		}
	}))
	raw, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{d.srv.Addr()}, CacheSizeEachConn: 1 << 30, ForceSingleClient: true, PipelineMultiplex: -1})
	must(b, err)
	b.Cleanup(raw.Close)
	ctx := context.Background()
	ws := []ware{
		{"hit", func(id trading.PositionID) trading.Position {
			p, err := d.Positions.Get(ctx, id)
			if err != nil {
				b.Fatal(err)
			}
			return p
		}},
		{"map", func(id trading.PositionID) trading.Position {
			plain.RLock()
			defer plain.RUnlock()
			return plain.m[id]
		}},
		{"DoCache", func(id trading.PositionID) trading.Position {
			stored, err := raw.DoCache(ctx, raw.B().Get().Key("trader-position:"+string(id)).Cache(), time.Hour).AsBytes()
			if err != nil {
				b.Fatal(err)
			}
			var p trading.Position
			if _, err := p.UnmarshalMsg(stored); err != nil {
				b.Fatal(err)
			}
			return p
		}},
	}
	for _, w := range ws {
		for _, id := range ids {
			w.get(id)
		}
	}
	before := d.Stats().Cache.Misses
	b.Cleanup(func() {
		if n := d.Stats().Cache.Misses - before; n > 0 {
			b.Errorf("%d of the hits were none", n)
		}
	})
	rand.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	return ids, ws
}

var sink trading.Position

func BenchmarkNear(b *testing.B) {
	ids, ws := wares(b, position("", trading.PositionSideLong))
	for _, w := range ws {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i++; i == len(ids) {
					i = 0
				}
				sink = w.get(ids[i])
			}
		})
	}
}

// BenchmarkNearRatios takes the three in turns, so that what else runs on the
// machine falls on all of them, and reports medians. A hit costs the same
// whatever the row holds; decoding does not.
func BenchmarkNearRatios(b *testing.B) {
	b.Run("required fields", func(b *testing.B) { nearRatios(b, position("", trading.PositionSideLong)) })
	b.Run("many fields", func(b *testing.B) { nearRatios(b, manyFields()) })
}

func nearRatios(b *testing.B, row trading.Position) {
	ids, ws := wares(b, row)
	const batch = 20_000
	times := make([][]float64, len(ws))
	i := 0
	for b.Loop() {
		for n, w := range ws {
			at := i
			start := time.Now()
			for range batch {
				if at++; at >= len(ids) {
					at = 0
				}
				sink = w.get(ids[at])
			}
			times[n] = append(times[n], float64(time.Since(start))/batch)
		}
		i = (i + batch) % len(ids)
	}
	for n := range times {
		slices.Sort(times[n])
		b.ReportMetric(times[n][len(times[n])/2], ws[n].name+"-ns")
	}
	hit := times[0][len(times[0])/2]
	b.ReportMetric(hit/times[1][len(times[1])/2], "hit/map")
	b.ReportMetric(times[2][len(times[2])/2]/hit, "DoCache/hit")
	b.ReportMetric(0, "ns/op")
}
