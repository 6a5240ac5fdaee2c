package conn

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ErrNotMaster is the answer of a server that takes no writes: reads of it may
// be old.
var ErrNotMaster = errors.New("the server is not a master")

// Beat asks every node for its role and then for the time, one after the
// other on the connections that carry all other commands. Without an error,
// every push for a write that was acknowledged before Beat has been taken by
// then: one round trip is not enough, as a server sends the pushes of a turn
// of its loop behind the replies of that turn.
//
// On Redis Cluster replicas are nodes too; there must be a master among them.
func (c *Conn) Beat(ctx context.Context) error {
	nodes := c.Client.Nodes()
	names := strings.Join(slices.Sorted(maps.Keys(nodes)), " ")
	if was := c.nodes.Swap(&names); was != nil && *was != names && c.onDial != nil {
		// A command may have run on the old node after the new one was dialled.
		c.onDial()
	}
	masters := 0
	for addr, n := range nodes {
		role, err := n.Do(ctx, n.B().Role().Build()).ToArray()
		if err != nil {
			return err
		}
		if len(role) == 0 {
			return fmt.Errorf("%s: empty answer to ROLE", addr)
		}
		if text, err := role[0].ToString(); err != nil || text != "master" {
			continue
		}
		masters++
	}
	for _, n := range nodes {
		before := c.clock.passed()
		t, err := n.Do(ctx, n.B().Time().Build()).AsStrSlice()
		if err != nil {
			return err
		}
		if len(t) == 2 {
			c.clock.set(before, c.clock.passed(), t)
		}
	}
	if masters == 0 {
		return ErrNotMaster
	}
	return nil
}
