package store

import (
	"context"

	"github.com/redis/rueidis"
)

// purge deletes the tenant's keys on one node.
func (s *Store) purge(ctx context.Context, node rueidis.Client, pattern string) error {
	return scan(ctx, node, pattern, func(keys []string) error {
		var cmds rueidis.Commands
		for _, k := range keys {
			// The pattern of trader 001 finds trader 001-abc too. What processes
			// say of themselves is not of the rows.
			if s.ns.Owns(k) && !s.meta.Owns(k) && k != writersKey(s.ns) {
				cmds = append(cmds, node.B().Unlink().Key(k).Build())
			}
		}
		for _, r := range s.conn.Client.DoMulti(ctx, cmds...) { // not of the node: a slot can be on its way to another
			if err := r.Error(); err != nil {
				return err
			}
		}
		return nil
	})
}

// scan calls f with keys of a node that match. Keys that are there all the time
// are among them, some perhaps twice.
func scan(ctx context.Context, node rueidis.Client, pattern string, f func(keys []string) error) error {
	for cursor := uint64(0); ; {
		e, err := node.Do(ctx, node.B().Scan().Cursor(cursor).Match(pattern).Count(1000).Build()).AsScanEntry()
		if err != nil {
			return err
		}
		if err := f(e.Elements); err != nil {
			return err
		}
		if cursor = e.Cursor; cursor == 0 {
			return nil
		}
	}
}
