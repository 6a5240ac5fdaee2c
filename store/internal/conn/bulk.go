package conn

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/redis/rueidis"
)

// bulk is the connection for reads of many rows: of its own, so that they hold
// up no other operation, and without tracking. It is made when it is first
// needed.
type bulk struct {
	opt    rueidis.ClientOption
	mu     sync.Mutex
	client rueidis.Client
	closed bool
}

func newBulk(o Options, opt rueidis.ClientOption) *bulk {
	o.OnDial, o.Logger = nil, nil // its connections say nothing about the ordinary one
	opt.DialCtxFn = newFence(o).dial
	opt.DisableCache, opt.ClientTrackingOptions, opt.OnInvalidations = true, nil, nil
	return &bulk{opt: opt}
}

func (b *bulk) get() (rueidis.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, rueidis.ErrClosing
	}
	if b.client == nil {
		c, err := rueidis.NewClient(b.opt)
		if err != nil {
			if c != nil {
				c.Close()
			}
			return nil, err
		}
		b.client = c
	}
	return b.client, nil
}

func (b *bulk) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.client != nil {
		b.client.Close()
	}
}

// Bulk returns the client for reads of many rows. It is another connection to
// the server to which the ordinary one leads at this moment; where that is not
// certain, it is the ordinary one. After a failover behind one address the two
// could lead to different servers, and an old master answers for ever.
func (c *Conn) Bulk(ctx context.Context) rueidis.Client {
	if c.bulk == nil {
		return c.Client
	}
	b, err := c.bulk.get()
	if err != nil {
		return c.Client
	}
	main, err := RunID(ctx, c.Client)
	if err != nil || main == "" {
		return c.Client
	}
	if id, err := RunID(ctx, b); err != nil || id != main {
		return c.Client
	}
	return b
}

// RunID names the server process behind a client of one node.
func RunID(ctx context.Context, c rueidis.Client) (string, error) {
	info, err := c.Do(ctx, c.B().Info().Section("server").Build()).ToString()
	if err != nil {
		return "", err
	}
	_, rest, ok := strings.Cut(info, "\nrun_id:")
	if !ok {
		return "", errors.New("no run_id")
	}
	id, _, _ := strings.Cut(rest, "\r")
	return id, nil
}
