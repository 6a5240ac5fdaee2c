package conn

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// Server is what the probe at Open found out. On a cluster it is about the
// masters, and each field is that of the worst of them.
type Server struct {
	Version  string
	Eviction string // maxmemory-policy
	AOF      bool
	Replica  bool // no master answered
}

// Server returns what the probe found.
func (c *Conn) Server() Server { return c.server }

// probe reads the servers' version, policy and clock, and makes sure that they
// are of the kind that was asked for.
func (c *Conn) probe(ctx context.Context, o Options) error {
	c.server = Server{AOF: true, Replica: true}
	for addr, node := range c.Client.Nodes() {
		before := c.clock.passed()
		rs := node.DoMulti(ctx, node.B().Info().Build(), node.B().Time().Build())
		text, err := rs[0].ToString()
		if err != nil {
			return at(addr, err)
		}
		in := info(text)
		if err := in.fit(o); err != nil {
			return at(addr, err)
		}
		if t, err := rs[1].AsStrSlice(); err == nil && len(t) == 2 {
			c.clock.set(before, c.clock.passed(), t)
		}
		if o.Cluster && in.get("role") == "slave" {
			continue
		}
		s := &c.server
		s.Version = in.get("redis_version")
		if p := in.get("maxmemory_policy"); s.Eviction == "" || s.Eviction == "noeviction" {
			s.Eviction = p
		}
		s.AOF = s.AOF && in.get("aof_enabled") == "1"
		s.Replica = in.get("role") == "slave"
	}
	return nil
}

// Masters returns a client for each server that takes writes. On a cluster its
// answers are those of that one node.
func (c *Conn) Masters(ctx context.Context) ([]rueidis.Client, error) {
	var masters []rueidis.Client
	for addr, node := range c.Client.Nodes() {
		if c.many {
			role, err := node.Do(ctx, node.B().Role().Build()).ToArray()
			if err != nil {
				return nil, at(addr, err)
			}
			if len(role) == 0 {
				return nil, fmt.Errorf("%s: empty answer to ROLE", addr)
			}
			if name, err := role[0].ToString(); err != nil || name != "master" {
				continue
			}
		}
		masters = append(masters, node)
	}
	return masters, nil
}

// at names the server of an error.
func at(addr string, err error) error {
	if _, ok := rueidis.IsRedisErr(err); ok || Classify(err) == Refused {
		return fmt.Errorf("%s: %w", addr, err)
	}
	return err
}

// info is the answer to INFO.
type info string

func (i info) get(name string) string {
	_, rest, ok := strings.Cut("\n"+string(i), "\n"+name+":")
	if !ok {
		return ""
	}
	v, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(v)
}

// fit says why a server cannot be used.
func (i info) fit(o Options) error {
	if v := i.get("redis_version"); v != "" {
		major, _, _ := strings.Cut(v, ".")
		if n, err := strconv.Atoi(major); err == nil && n < 7 {
			return &Unfit{fmt.Sprintf("Redis %s is too old, 7.0 or newer is needed", v)}
		}
	}
	switch mode := i.get("redis_mode"); {
	case mode == "sentinel":
		return &Unfit{"this is a Sentinel: name it in database.sentinel"}
	case mode == "cluster" && !o.Cluster:
		return &Unfit{"this is a node of a cluster: name it in database.cluster"}
	case mode == "standalone" && o.Cluster:
		return &Unfit{"this is no cluster: name the server in database.host; hash_tag gives it the keys of a cluster"}
	}
	if i.get("loading") == "1" {
		return NotReady("LOADING Redis is loading the dataset in memory")
	}
	return nil
}

// NotReady is what a server that cannot serve yet says.
type NotReady string

func (n NotReady) Error() string { return string(n) }
