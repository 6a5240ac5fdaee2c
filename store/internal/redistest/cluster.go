package redistest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// A Cluster is a Redis Cluster of three masters, one of which has a replica.
type Cluster struct {
	Masters []*Server
	Replica *Server
}

// RunCluster starts a cluster and returns when every node finds it complete.
func RunCluster(t testing.TB, opts Options) *Cluster {
	t.Helper()
	opts.Args = append([]string{
		"--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0",
	}, opts.Args...)
	if opts.Password != "" {
		opts.Args = append(opts.Args, "--masterauth", opts.Password)
	}
	c := &Cluster{}
	for range 3 {
		c.Masters = append(c.Masters, Run(t, opts))
	}
	c.Replica = Run(t, opts)
	do := func(s *Server, args ...string) string {
		t.Helper()
		r, err := s.Do(args...)
		if err != nil {
			t.Fatalf("redistest: %s: %v: %v", s.Addr(), args, err)
		}
		return r
	}
	const slots = 16384
	for i, s := range c.Masters {
		do(s, "CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/3), strconv.Itoa((i+1)*slots/3-1))
		do(s, "CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
	}
	for _, s := range append(c.Masters[1:], c.Replica) {
		do(s, "CLUSTER", "MEET", "127.0.0.1", strconv.Itoa(c.Masters[0].Port()))
	}
	all := append(c.Masters, c.Replica)
	for _, s := range all {
		eventually(t, s, fmt.Sprintf("cluster_known_nodes:%d", len(all)), "CLUSTER", "INFO")
	}
	do(c.Replica, "CLUSTER", "REPLICATE", do(c.Masters[0], "CLUSTER", "MYID"))
	for _, s := range all {
		eventually(t, s, "cluster_state:ok", "CLUSTER", "INFO")
		eventually(t, s, "slave ", "CLUSTER", "NODES")
	}
	eventually(t, c.Replica, "master_link_status:up", "INFO", "replication")
	return c
}

// Addrs are the addresses of the masters.
func (c *Cluster) Addrs() []string {
	var addrs []string
	for _, s := range c.Masters {
		addrs = append(addrs, s.Addr())
	}
	return addrs
}

// Do sends a command to the node that has the slot of its keys.
func (c *Cluster) Do(args ...string) (string, error) {
	r, err := c.Masters[0].Do(args...)
	if err != nil && strings.HasPrefix(err.Error(), "MOVED ") {
		for _, s := range c.Masters {
			if strings.HasSuffix(err.Error(), " "+s.Addr()) {
				return s.Do(args...)
			}
		}
	}
	return r, err
}
