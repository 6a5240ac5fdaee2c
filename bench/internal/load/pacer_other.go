//go:build !linux

package load

import "time"

// Pacing says how this platform waits.
const Pacing = "time.Sleep"

func sharpTimer() (release func()) { return func() {} }

func sleep(ns int64) { time.Sleep(time.Duration(ns)) }
