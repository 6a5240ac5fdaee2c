package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/nacre-store/nacre/bench/codec/stock"
	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/peer"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/bench/internal/verdict"
	"github.com/nacre-store/nacre/gen/trading"
	"golang.org/x/sys/unix"
)

// The codecs alone, without a server: each writes and reads the same orders, in turn.
const (
	codecOrders = 2000
	codecRounds = 12
)

// A contender is a codec with the orders in its own types.
type contender struct {
	name    string
	stored  [][]byte
	encode  func(i int, b []byte) ([]byte, error)
	decode  func(b []byte) error // Into a value that is new.
	figures [2]struct{ took, allocs []float64 }
}

func (s *session) codecs(ctx context.Context) error {
	set := s.servers[0].set
	var rows [][]byte
	target.Each(target.Only(set, dataset.Order), func(i int) {
		if len(rows) < codecOrders {
			rows = append(rows, set.Data(i))
		}
	})
	all, err := contenders(rows)
	if err != nil {
		return err
	}
	for round := -1; round < codecRounds; round++ { // The first one warms up.
		for i := range all {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err := all[(i+round+1)%len(all)].turn(round >= 0); err != nil {
				return err
			}
		}
		s.prog.show(float64(round+1)/codecRounds, 0, "all codecs in turn")
	}
	first := all[0].figures
	for _, c := range all {
		size := 0
		for _, b := range c.stored {
			size += len(b)
		}
		f := c.figures
		s.sum.Codecs = append(s.sum.Codecs, report.Codec{
			Name: c.name, Bytes: size / len(rows), Encode: summary(f[0].took), Decode: summary(f[1].took),
			EncodeRatio: verdict.Ratio(f[0].took, first[0].took), DecodeRatio: verdict.Ratio(f[1].took, first[1].took),
			EncodeAllocs: summary(f[0].allocs).Mid, DecodeAllocs: summary(f[1].allocs).Mid,
		})
	}
	return nil
}

// contenders reads the stored orders for every codec.
func contenders(rows [][]byte) ([]*contender, error) {
	own := make([]trading.Order, len(rows))
	others := make([]stock.TradingOrder, len(rows))
	for i, b := range rows {
		if _, err := own[i].UnmarshalMsg(b); err != nil {
			return nil, err
		}
		if _, err := others[i].UnmarshalMsg(b); err != nil {
			return nil, err
		}
	}
	all := []*contender{{
		name:   ours,
		encode: func(i int, b []byte) ([]byte, error) { return own[i].MarshalMsg(b) },
		decode: func(b []byte) error { var o trading.Order; _, err := o.UnmarshalMsg(b); return err },
	}}
	for _, codec := range []peer.Codec{peer.Msgp, peer.Vmihailenco, peer.JSON, peer.Protobuf} {
		all = append(all, &contender{
			name:   codec.Name,
			encode: func(i int, b []byte) ([]byte, error) { return codec.Encode(b, &others[i]) },
			decode: func(b []byte) error { var o stock.TradingOrder; return codec.Decode(b, &o) },
		})
	}
	for _, c := range all {
		for i := range rows {
			b, err := c.encode(i, nil)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.name, err)
			}
			c.stored = append(c.stored, b)
		}
	}
	return all, nil
}

// turn encodes all orders once and decodes them once. Time is the processor's in this process, garbage
// collection included: what else runs on the machine counts little.
func (c *contender) turn(count bool) error {
	buf := make([]byte, 0, 16<<10)
	for way, pass := range []func() error{
		func() error {
			for i := range c.stored {
				if _, err := c.encode(i, buf); err != nil {
					return err
				}
			}
			return nil
		},
		func() error {
			for _, b := range c.stored {
				if err := c.decode(b); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := processorTime()
		if err := pass(); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		took := processorTime() - begin
		runtime.ReadMemStats(&after)
		if count {
			n := float64(len(c.stored))
			f := &c.figures[way]
			f.took, f.allocs = append(f.took, float64(took)/n), append(f.allocs, float64(after.Mallocs-before.Mallocs)/n)
		}
	}
	return nil
}

// processorTime is what this process has spent, in nanoseconds.
func processorTime() int64 {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u) // It fails for an unknown "who" only.
	return u.Utime.Nano() + u.Stime.Nano()
}
