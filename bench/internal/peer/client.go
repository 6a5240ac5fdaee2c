package peer

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

// A Client reads and writes bytes.
type Client interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Set(ctx context.Context, key string, value []byte) error
	Close() error
}

// Rueidis is rueidis as the options say; with cache, reads go through its client-side cache.
func Rueidis(o rueidis.ClientOption, cache bool) (Client, error) {
	c, err := rueidis.NewClient(o)
	if err != nil {
		return nil, err
	}
	if cache {
		return docache{rueidisClient{c}}, nil
	}
	return rueidisClient{c}, nil
}

type rueidisClient struct{ c rueidis.Client }

func (r rueidisClient) Get(ctx context.Context, key string) ([]byte, error) {
	return r.c.Do(ctx, r.c.B().Get().Key(key).Build()).AsBytes()
}

func (r rueidisClient) Set(ctx context.Context, key string, value []byte) error {
	return r.c.Do(ctx, r.c.B().Set().Key(key).Value(rueidis.BinaryString(value)).Build()).Error()
}

func (r rueidisClient) Close() error { r.c.Close(); return nil }

type docache struct{ rueidisClient }

func (d docache) Get(ctx context.Context, key string) ([]byte, error) {
	return d.c.DoCache(ctx, d.c.B().Get().Key(key).Cache(), time.Minute).AsBytes()
}

// GoRedis is go-redis with its defaults, one connection a client of the loop.
func GoRedis(o *redis.Options) Client { return goRedis{redis.NewClient(o)} }

type goRedis struct{ c *redis.Client }

func (g goRedis) Get(ctx context.Context, key string) ([]byte, error) {
	return g.c.Get(ctx, key).Bytes()
}

func (g goRedis) Set(ctx context.Context, key string, value []byte) error {
	return g.c.Set(ctx, key, value, 0).Err()
}

func (g goRedis) Close() error { return g.c.Close() }
