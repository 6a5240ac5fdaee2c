package store

import "time"

// The bounds of the write buffer where the configuration names none.
const (
	defaultBufferEntries = 100_000
	defaultBufferBytes   = 64 << 20
	defaultMaxBlock      = time.Second
)

func (c Config) bufferEntries() int {
	if c.BufferEntries == 0 {
		return defaultBufferEntries
	}
	return c.BufferEntries
}

func (c Config) bufferBytes() int64 {
	if c.BufferBytes == 0 {
		return defaultBufferBytes
	}
	return c.BufferBytes
}

func (c Config) maxBlock() time.Duration {
	if c.MaxBlock == 0 {
		return defaultMaxBlock
	}
	return c.MaxBlock
}

// validateWrites checks the options of the write buffer and of the fence.
func (c Config) validateWrites(bad func(option, format string, args ...any)) {
	if c.BufferIntervalMS < 0 {
		bad("buffer_interval_ms", "%d is negative", c.BufferIntervalMS)
	}
	if c.BufferEntries < 0 {
		bad("buffer_entries", "%d is negative", c.BufferEntries)
	}
	if c.BufferBytes < 0 {
		bad("buffer_bytes", "%d is negative", c.BufferBytes)
	}
	switch c.BufferFull {
	case "", "block", "fail", "sync":
	default:
		bad("buffer_full", "%q is not block, fail or sync", c.BufferFull)
	}
	if c.MaxBlock < 0 {
		bad("max_block", "%v is negative", c.MaxBlock)
	}
	if c.OpenWait < 0 {
		bad("open_wait", "%v is negative", c.OpenWait)
	}
	switch c.Fence {
	case "", "auto", "required":
	default:
		bad("fence", "%q is not auto or required", c.Fence)
	}
	if c.Fence == "required" && c.Client != nil {
		bad("fence", "there is none with a client that is given")
	}
}
