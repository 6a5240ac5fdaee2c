package buffer

import (
	"context"
	"time"

	"github.com/nacre-store/nacre/store/internal/write"
)

// Accept takes a write, or says why it does not. The bytes of the row and of
// the elements belong to the buffer from then on; the facts are copied. When it
// returns nil, the write is pending: [Tenant.Row] shows it, and it will be sent
// behind everything accepted for its key before.
//
// Room is reserved first and the write inserted then, so that what must be
// done in between, and what fails in between, concerns a write that nobody has
// seen yet.
func (t *Tenant) Accept(ctx context.Context, op *write.Op) error {
	b := t.b
	key := keyOf(op)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.reserve(ctx, t, key, op); err != nil {
		return err
	}
	t.insert(key, op, time.Now())
	return nil
}

// reserve waits until there is room for the op, as the policy says.
func (b *Buffer) reserve(ctx context.Context, t *Tenant, key Key, op *write.Op) error {
	need := costOf(op)
	if need.entries > b.o.Entries || need.bytes > b.o.Bytes {
		return ErrTooLarge
	}
	var timeout <-chan time.Time
	for {
		if b.closing {
			return ErrClosed
		}
		now := b.used
		now.add(need)
		if now.entries > b.o.Entries || now.bytes > b.o.Bytes {
			if q := t.queues[key]; q != nil {
				now.sub(q.saves(op))
			}
		}
		if now.entries <= b.o.Entries && now.bytes <= b.o.Bytes {
			return nil
		}
		switch {
		case b.o.Full == Fail:
			return ErrFull
		case b.o.Full == Direct:
			return ErrDirect
		case timeout == nil:
			timer := time.NewTimer(b.o.MaxBlock)
			defer timer.Stop()
			timeout = timer.C
		}
		freed := b.freed
		b.blocked++
		b.mu.Unlock()
		b.poke()
		var err error
		select {
		case <-freed:
		case <-timeout:
			err = ErrFull
		case <-ctx.Done():
			err = ctx.Err()
		}
		b.mu.Lock()
		b.blocked--
		if err != nil {
			return err
		}
	}
}

// makeRoom wakes those who wait for room.
func (b *Buffer) makeRoom() {
	if b.blocked > 0 {
		close(b.freed)
		b.freed = make(chan struct{})
	}
}

// crowded tells whether so much is pending that nothing waits any more.
func (b *Buffer) crowded() bool {
	return b.closing || b.blocked > 0 || b.used.entries > b.o.Entries/2 || b.used.bytes > b.o.Bytes/2
}

// insert puts the op behind what is pending of its key.
func (t *Tenant) insert(key Key, op *write.Op, now time.Time) {
	b := t.b
	q := t.queues[key]
	fresh := q == nil
	if fresh {
		q = b.queue()
		q.key, q.t = key, t
		t.queues[key] = q
	}
	grown, replaced := q.add(op, now)
	b.used.add(grown)
	b.counts.Accepted++
	if replaced {
		b.counts.Coalesced++
	}
	if fresh {
		b.oldest.pushBack(q)
		t.lane(op).queue(q, now)
	}
}

// lane returns where the op's key is sent from. The series of a tenant are
// spread over a cluster, its rows are in one place.
func (t *Tenant) lane(op *write.Op) *lane {
	if op.Kind == write.SeriesAppend {
		return &t.series
	}
	return &t.rows
}

// maxSpare is how many queues are kept for other keys.
const maxSpare = 4096

func (b *Buffer) queue() *queue {
	if n := len(b.spare); n > 0 {
		q := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return q
	}
	return &queue{}
}

func (b *Buffer) release(q *queue) {
	delete(q.t.queues, q.key)
	b.oldest.remove(q)
	if len(b.spare) < maxSpare {
		*q = queue{gens: q.gens[:0]}
		b.spare = append(b.spare, q)
	}
}

// Pending tells whether something accepted for the key is not acknowledged.
func (t *Tenant) Pending(key Key) bool {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	return t.queues[key] != nil
}

// Row returns the row as it will be once everything pending is applied. It is
// not ok where nothing pending concerns the row; raw is nil where the row will
// not exist.
func (t *Tenant) Row(key Key) (raw []byte, ok bool) {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	if q := t.queues[key]; q != nil {
		return q.row()
	}
	return nil, false
}

// Idle tells whether nothing at all is pending.
func (t *Tenant) Idle() bool {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	return len(t.queues) == 0
}
