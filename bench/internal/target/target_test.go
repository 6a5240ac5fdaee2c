package target

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
	"github.com/redis/rueidis"
)

// loaded is a private Redis with one seed in it.
func loaded(t *testing.T) (*storetest.Server, trading.Tables, rueidis.Client, *dataset.Set) {
	t.Helper()
	srv := storetest.Run(t, storetest.ServerOptions{})
	s, err := store.Open(t.Context(), store.Config{
		Database: store.DatabaseConfig{Host: "127.0.0.1", Port: srv.Port()}, Schemas: []store.Schema{trading.Schema}, Cache: "off",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	raw, err := rueidis.NewClient(RawOption("tcp", srv.Addr(), "", "", 0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(raw.Close)
	src, err := dataset.ReadSource("../../../testdata/market")
	if err != nil {
		t.Fatal(err)
	}
	set := dataset.New("trader")
	tables := trading.New(s)
	begin := time.Now()
	if err := dataset.Load(t.Context(), tables, src, set, dataset.Plan{Rows: 10_000}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows, %d elements, %d bytes in %v", set.Len(), set.Events, set.Bytes, time.Since(begin))
	t.Cleanup(func() { _ = set.Free() })
	return srv, tables, raw, set
}

func TestTargetsReadWhatWasWritten(t *testing.T) {
	srv, tables, raw, set := loaded(t)
	keys, err := ParseKeys("zipf", set.Len()) // Popular rows make reads and writes of one row meet.
	if err != nil {
		t.Fatal(err)
	}
	mix := Mix{Set: set, Keys: keys, Writes: 50, Seed: 1}
	const clients = 8
	targets := map[string]load.Target{"nacre": NewNacre(tables, mix, clients), "raw": NewRaw(raw, mix, clients)}
	for name, target := range targets {
		c := load.NewClosed(target, clients)
		if err := c.Run(t.Context(), 300*time.Millisecond); err != nil {
			t.Fatal(err)
		}
		s := c.Collect()
		t.Logf("%s: %d requests, read p95 %v, write p95 %v", name, s.Done,
			time.Duration(s.Service[load.Read].ValueAtQuantile(95)), time.Duration(s.Service[load.Write].ValueAtQuantile(95)))
		if s.Errors+s.Mismatch > 0 || s.Service[load.Read].TotalCount() == 0 || s.Service[load.Write].TotalCount() == 0 {
			t.Errorf("%s: %d errors, %d mismatches of %d: %v", name, s.Errors, s.Mismatch, s.Done, s.First)
		}
	}
	// Each way in which a stored row can be wrong must be seen by both.
	row := 0
	for set.Table(row) != dataset.Order {
		row++
	}
	floor, _ := set.Versions(row)
	good := set.AppendVersion(nil, row, floor)
	other := row + 1
	for set.Table(other) != dataset.Order || len(set.Data(other)) == len(good) {
		other++
	}
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)-1] ^= 1 // The last byte of last_event_id, so that it still decodes.
	for name, bytes := range map[string][]byte{
		"another row": set.Data(other), "a flipped bit": flipped, "a version from the future": set.AppendVersion(nil, row, 1_000_000),
	} {
		if _, err := srv.Do("SET", set.Key(row), string(bytes), "KEEPTTL"); err != nil {
			t.Fatal(err)
		}
		one := Mix{Set: set, Keys: fixed(row), Seed: 1}
		for client, target := range map[string]load.Target{"nacre": NewNacre(tables, one, 1), "raw": NewRaw(raw, one, 1)} {
			target.Prepare(0)
			err := target.Do(t.Context(), 0)
			if err == nil {
				err = target.Check(0)
			}
			var refused *store.RowError // The typed store sees by itself that a key holds another row.
			if !errors.Is(err, load.ErrMismatch) && !errors.As(err, &refused) {
				t.Errorf("%s, read by %s: %v, want a mismatch", name, client, err)
			}
		}
	}
}

type fixed int

func (f fixed) next(*rand.Rand) int { return int(f) }

// A read that sees an older version than one acknowledged before it began is a mismatch; one that overlaps
// writes may see any of them.
func TestVersions(t *testing.T) {
	_, _, _, set := loaded(t)
	row := set.Len() - 1
	read := func(v uint32, floor uint32) error { return set.CheckBytes(row, set.AppendVersion(nil, row, v), floor) }
	first := set.BeginWrite(row)
	floor, _ := set.Versions(row)
	if err := errors.Join(read(0, floor), read(first, floor)); err != nil {
		t.Errorf("during a write: %v", err)
	}
	set.EndWrite(row)
	if floor, _ = set.Versions(row); floor != first {
		t.Errorf("floor %d after the write of version %d", floor, first)
	}
	if err := read(0, floor); !errors.Is(err, load.ErrMismatch) {
		t.Errorf("the overwritten version is accepted: %v", err)
	}
	a, b := set.BeginWrite(row), set.BeginWrite(row)
	set.EndWrite(row)
	set.EndWrite(row)
	floor, _ = set.Versions(row)
	if err := errors.Join(read(a, floor), read(b, floor)); err != nil {
		t.Errorf("after two writes that overlapped: %v", err)
	}
	if err := read(b+1, floor); !errors.Is(err, load.ErrMismatch) {
		t.Errorf("a version that nobody wrote is accepted: %v", err)
	}
}

func TestZipf(t *testing.T) {
	const n = 10_000
	keys, err := ParseKeys("zipf", n)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	count := make([]int, n)
	const draws = 200_000
	for range draws {
		count[keys.next(rng)]++
	}
	z := keys.(*zipf)
	// The first rank's share is 1/zeta; the second's a factor 2^0.99 less.
	first, second := float64(count[z.perm[0]])/draws, float64(count[z.perm[1]])/draws
	if want := 1 / z.zeta; first < 0.95*want || first > 1.05*want {
		t.Errorf("most popular row: %.4f of the draws, want %.4f", first, want)
	}
	if ratio := first / second; ratio < 1.85 || ratio > 2.15 {
		t.Errorf("second row is %.2f times less popular, want 1.99", ratio)
	}
	if _, err := ParseKeys("gauss", n); err == nil {
		t.Error("an unknown distribution is accepted")
	}
}
