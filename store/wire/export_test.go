package wire

// Canonical returns the canonical form of the value that b begins with.
func (c *Codec[V]) Canonical(b []byte) ([]byte, int, error) { return c.canonical(nil, b) }

// ErrUnread is the error that no input may cause.
var ErrUnread = errUnread
