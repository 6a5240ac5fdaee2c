package peer

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/nacre-store/nacre/bench/codec/stock"
	"github.com/nacre-store/nacre/bench/internal/load"
)

// A Peer is a client with a codec and the orders that it keeps: its own keys on the server that the others use.
type Peer struct {
	Name   string
	client Client
	codec  Codec
	keys   []string
	orders []stock.TradingOrder
	bytes  [][]byte
}

// New makes a peer; rows are orders in Nacre's bytes, which stock msgp reads too.
func New(name string, c Client, codec Codec, prefix string, ids []string, rows [][]byte) (*Peer, error) {
	p := &Peer{Name: name, client: c, codec: codec, keys: make([]string, len(ids)), orders: make([]stock.TradingOrder, len(ids)), bytes: make([][]byte, len(ids))}
	for i, id := range ids {
		p.keys[i] = prefix + ":" + id
		if _, err := p.orders[i].UnmarshalMsg(rows[i]); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, id, err)
		}
		var err error
		if p.bytes[i], err = codec.Encode(nil, &p.orders[i]); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", name, id, err)
		}
	}
	return p, nil
}

// Load writes all orders once.
func (p *Peer) Load(ctx context.Context) error {
	for i := range p.keys {
		if err := p.client.Set(ctx, p.keys[i], p.bytes[i]); err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	}
	return nil
}

// Close closes the client.
func (p *Peer) Close() error { return p.client.Close() }

// Target measures the peer.
func (p *Peer) Target(kind load.Kind, seed uint64, slots int) load.Target {
	t := &target{Peer: p, kind: kind, slots: make([]slot, slots)}
	for i := range t.slots {
		t.slots[i].rng = rand.New(rand.NewPCG(seed, uint64(i)))
	}
	return t
}

type target struct {
	*Peer
	kind  load.Kind
	slots []slot
}

type slot struct {
	rng   *rand.Rand
	row   int
	order stock.TradingOrder
	buf   []byte
}

func (t *target) Prepare(i int) load.Kind {
	t.slots[i].row = t.slots[i].rng.IntN(len(t.keys))
	return t.kind
}

// Do is a read and decode, or an encode and write.
func (t *target) Do(ctx context.Context, i int) error {
	s := &t.slots[i]
	if t.kind == load.Read {
		b, err := t.client.Get(ctx, t.keys[s.row])
		if err != nil {
			return err
		}
		s.order = stock.TradingOrder{}
		return t.codec.Decode(b, &s.order)
	}
	var err error
	if s.buf, err = t.codec.Encode(s.buf[:0], &t.orders[s.row]); err != nil {
		return err
	}
	return t.client.Set(ctx, t.keys[s.row], s.buf)
}

func (t *target) Check(i int) error {
	s := &t.slots[i]
	if t.kind == load.Write {
		return nil
	}
	var err error
	if s.buf, err = t.codec.Encode(s.buf[:0], &s.order); err != nil {
		return err
	}
	if !bytes.Equal(s.buf, t.bytes[s.row]) {
		return fmt.Errorf("%w: %s, %s is not what was written", load.ErrMismatch, t.Name, t.keys[s.row])
	}
	return nil
}
