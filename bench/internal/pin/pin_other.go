//go:build !linux

package pin

import "errors"

var errPlatform = errors.New("-pin needs Linux")

func allowed() ([]int, error) { return nil, errPlatform }

// Process is refused on this platform.
func Process(int, []int) error { return errPlatform }
