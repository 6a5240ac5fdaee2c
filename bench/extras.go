package main

import "context"

func (s *session) extras(ctx context.Context) error           { return nil }
func compare(ctx context.Context, cfg *config, out any) error { return nil }
