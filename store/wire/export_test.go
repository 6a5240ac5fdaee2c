package wire

// Canonical returns the canonical form of the value that b begins with.
func (c *Codec[V]) Canonical(b []byte) ([]byte, int, error) {
	cn := new(canon)
	used, err := cn.rewrite(&c.core, b)
	return cn.out, used, err
}

// Fast reads v by the straight line alone, and returns how many bytes that took.
func (c *Codec[V]) Fast(b []byte, v *V) (int, bool) {
	r := c.Reader(b)
	r.Next()
	c.take(v, &r)
	return r.i, r.state == first && !r.bad
}

// ErrUnread is the error that no input may cause.
var ErrUnread = errUnread
