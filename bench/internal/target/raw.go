package target

import (
	"context"
	"crypto/tls"
	"math/rand/v2"
	"net"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/redis/rueidis"
)

// Raw is rueidis without the store: GET and SET of the same bytes under the same keys, without a codec and
// without indexes. It is the floor that the store is compared with, and the control that tells a slow machine
// from a slow store.
type Raw struct {
	mix    Mix
	client rueidis.Client
	rngs   []*rand.Rand
	slots  []rawSlot
}

type rawSlot struct {
	row     int
	kind    load.Kind
	version uint32
	data    []byte
}

// RawOption is how the store connects: one connection, pipelined always, no retries, no tracking.
func RawOption(network, address, username, password string, db int) rueidis.ClientOption {
	o := rueidis.ClientOption{
		InitAddress: []string{address}, Username: username, Password: password, SelectDB: db,
		ForceSingleClient: true, PipelineMultiplex: -1, BlockingPipeline: -1, AlwaysPipelining: true,
		DisableRetry: true, DisableCache: true, ConnWriteTimeout: 10 * time.Second,
		Dialer: net.Dialer{Timeout: 2 * time.Second, KeepAlive: time.Second},
	}
	if network == "unix" {
		o.DialCtxFn = func(ctx context.Context, _ string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			return d.DialContext(ctx, "unix", address)
		}
	}
	return o
}

// NewRaw measures a raw client on the keys of the mix's rows.
func NewRaw(c rueidis.Client, mix Mix, slots int) *Raw {
	return &Raw{mix: mix, client: c, rngs: rngs(mix, slots), slots: make([]rawSlot, slots)}
}

// Prepare draws a row.
func (r *Raw) Prepare(slot int) load.Kind {
	s := &r.slots[slot]
	s.row, s.kind = r.mix.draw(r.rngs[slot])
	return s.kind
}

// Do is one GET, or one SET that keeps the key's expiry.
func (r *Raw) Do(ctx context.Context, slot int) error {
	s := &r.slots[slot]
	set := r.mix.Set
	if s.kind == load.Read {
		s.version, _ = set.Versions(s.row)
		var err error
		s.data, err = r.client.Do(ctx, r.client.B().Get().Key(set.Key(s.row)).Build()).AsBytes()
		return err
	}
	s.version = set.BeginWrite(s.row)
	s.data = set.AppendVersion(s.data[:0], s.row, s.version)
	err := r.client.Do(ctx, r.client.B().Set().Key(set.Key(s.row)).Value(rueidis.BinaryString(s.data)).Keepttl().Build()).Error()
	if err != nil {
		s.data = nil // The client may still be sending it.
		return err
	}
	set.EndWrite(s.row)
	return nil
}

// Check compares the bytes that were read with those that were written.
func (r *Raw) Check(slot int) error {
	s := &r.slots[slot]
	if s.kind == load.Write {
		return nil
	}
	return r.mix.Set.CheckBytes(s.row, s.data, s.version)
}
