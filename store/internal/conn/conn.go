// Package conn holds the connection to Redis: how it is dialled, fenced,
// probed and retried, and what each kind of error says about a command.
package conn

import (
	"context"
	"crypto/tls"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

// Options say where to connect.
type Options struct {
	Addresses  []string
	Unix       string
	Username   string
	Password   string
	TLS        *tls.Config
	DB         int
	Timeout    time.Duration // Of connecting.
	Sentinel   string        // Master name; Addresses are then the sentinels.
	SentinelUN string
	SentinelPW string
	Cluster    bool
	// FenceRequired refuses a server through which the fence cannot work.
	FenceRequired bool
	broken        bool     // see fence
	Tracking      []string // CLIENT TRACKING options; nil connects without tracking.
	OnPush        func(keys []rueidis.RedisMessage)
	OnDial        func() // Called before a connection to a node is made, and when the nodes change.
	Logger        *slog.Logger
}

// A Conn is one ordered, pipelined connection to each Redis node in use.
type Conn struct {
	Client rueidis.Client
	fence  *fence // nil when the client was given
	own    bool
	many   bool  // a cluster
	bulk   *bulk // nil on a cluster, whose nodes one connection each serves, and when the client was given
	clock  clock // of the server
	server Server
	nodes  atomic.Pointer[string] // at the last Beat
	onDial func()
}

// retryFor bounds how long a command that was surely not applied is tried
// again when the context has no earlier deadline.
const retryFor = 5 * time.Second

// Open connects. It fails within o.Timeout, naming address and cause.
func Open(ctx context.Context, o Options) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	c := &Conn{own: true, many: o.Cluster, fence: newFence(o), onDial: o.OnDial}
	c.fence.opening.Store(&ctx)
	defer c.fence.opening.Store(nil)
	opt := rueidis.ClientOption{
		InitAddress: o.Addresses,
		Username:    o.Username, Password: o.Password,
		TLSConfig: o.TLS, SelectDB: o.DB,
		ForceSingleClient: !o.Cluster && o.Sentinel == "",
		// One connection a node: two would reorder writes of one key.
		PipelineMultiplex: -1, BlockingPipeline: -1, AlwaysPipelining: true,
		DisableRetry:          true, // retried here, by what the error says
		DisableCache:          o.Tracking == nil,
		ConnWriteTimeout:      max(2*time.Second, o.Timeout),
		Dialer:                net.Dialer{Timeout: o.Timeout, KeepAlive: time.Second},
		DialCtxFn:             c.fence.dial,
		ClusterOption:         rueidis.ClusterOption{ShardsRefreshInterval: 15 * time.Second, MaxMovedRedirections: 5},
		Sentinel:              o.sentinel(),
		ClientTrackingOptions: o.Tracking,
		OnInvalidations:       o.OnPush,
	}
	if o.Tracking == nil {
		opt.OnInvalidations = nil
	}
	if !o.Cluster {
		c.bulk = newBulk(o, opt)
	}
	done := make(chan error, 1)
	go func() { // the dial of some topologies does not take a context
		client, err := rueidis.NewClient(opt)
		if err == nil {
			c.Client = client
		} else if client != nil {
			client.Close()
		}
		done <- err
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select { // the dial says better what it has been waiting for
		case err = <-done:
		case <-time.After(grace):
			go func() { // a late client must not stay open
				if err := <-done; err == nil {
					c.Client.Close()
				}
			}()
			err = errNoAnswer
		}
	}
	if err != nil {
		return nil, o.explain(err)
	}
	if err = c.probe(ctx, o); err == nil {
		err = c.fence.probe(ctx, &opt.Dialer, o.TLS)
	}
	if err != nil {
		c.Client.Close()
		return nil, err
	}
	return c, nil
}

// grace is how long a dial may go on behind its deadline to say what it has
// been waiting for.
const grace = 200 * time.Millisecond

// Given uses a client that somebody else made: without a fence, and never
// closed here.
func Given(client rueidis.Client) *Conn { return &Conn{Client: client} }

// Close waits for calls under way and closes.
func (c *Conn) Close() {
	if c.own {
		c.Client.Close()
	}
	if c.bulk != nil {
		c.bulk.close()
	}
}

// Unfit says why a server that answers cannot be used.
type Unfit struct{ Reason string }

func (u *Unfit) Error() string { return u.Reason }

// Retry calls try until it returns nil, or an error that [Classify] does not
// call [NotApplied], or until the context or the bound on retries ends. It
// returns the last error.
func Retry(ctx context.Context, try func() error) error {
	var end time.Time
	for n := 0; ; n++ {
		err := try()
		if err == nil || Classify(err) != NotApplied {
			return err
		}
		if n == 0 {
			end = time.Now().Add(retryFor)
		}
		// 5 ms doubling to 200 ms, half of it random: a server that comes back
		// is found soon and is not stormed.
		d := min(5*time.Millisecond<<min(n, 6), 200*time.Millisecond)
		d = d/2 + rand.N(d/2+1)
		if time.Now().Add(d).After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(d):
		}
	}
}
