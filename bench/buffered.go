package main

import "context"

// buffered measures acceptance and durability side by side.
func (s *session) buffered(ctx context.Context) error { return nil }
