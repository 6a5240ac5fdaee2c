package peer

import (
	"context"
	"errors"
	"testing"

	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/sim"
)

// memory is a client without a server.
type memory map[string][]byte

func (m memory) Get(_ context.Context, key string) ([]byte, error) { return m[key], nil }
func (m memory) Set(_ context.Context, key string, v []byte) error {
	m[key] = append([]byte(nil), v...)
	return nil
}
func (m memory) Close() error { return nil }

// Every codec brings real orders back, and a wrong one is seen.
func TestPeersReadWhatTheyWrote(t *testing.T) {
	src, err := dataset.ReadSource("../../../testdata/market")
	if err != nil {
		t.Fatal(err)
	}
	f, err := src.Market.Run(sim.Options{Orders: 300})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	var rows [][]byte
	for i := range f.Orders {
		b, err := f.Orders[i].Row.MarshalMsg(nil)
		if err != nil {
			t.Fatal(err)
		}
		ids, rows = append(ids, string(f.Orders[i].Row.ClientOrderID)), append(rows, b)
	}
	for _, codec := range []Codec{Msgp, Vmihailenco, JSON, Protobuf} {
		m := memory{}
		p, err := New(codec.Name, m, codec, "peer", ids, rows)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []load.Kind{load.Write, load.Read} {
			target := p.Target(kind, 1, 1)
			for range 500 {
				if got := target.Prepare(0); got != kind {
					t.Fatalf("%s: prepared a %v", codec.Name, got)
				}
				if err := errors.Join(target.Do(t.Context(), 0), target.Check(0)); err != nil {
					t.Fatalf("%s: %v", codec.Name, err)
				}
			}
		}
		for k := range m {
			m[k] = m["peer:"+ids[0]]
		}
		target := p.Target(load.Read, 1, 1)
		seen := false
		for range 10 {
			target.Prepare(0)
			if err := target.Do(t.Context(), 0); err != nil {
				t.Fatal(err)
			}
			seen = seen || errors.Is(target.Check(0), load.ErrMismatch)
		}
		if !seen {
			t.Errorf("%s: another order under the key is not seen", codec.Name)
		}
	}
}
