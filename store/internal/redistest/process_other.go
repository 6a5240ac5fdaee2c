//go:build !linux

package redistest

import "syscall"

// dieWithParent is Linux's: elsewhere a server outlives a test binary that is
// killed, until somebody ends it.
func dieWithParent() *syscall.SysProcAttr { return nil }

func waitStopped(int) error { return nil }
