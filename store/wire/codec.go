package wire

import (
	"sync"
	"sync/atomic"

	"github.com/tinylib/msgp/msgp"
)

// A Codec writes and reads values of type V: one for each table, series and
// struct that is stored on its own, in a variable of the emitted package. It is
// safe for concurrent use.
type Codec[V any] struct {
	core
	append func(*V, *Writer)
	take   func(*V, *Reader)
}

// core is the part of a codec that does not depend on the type.
type core struct {
	name  string
	once  sync.Once
	teach func(*Reader)
	known *layout
	size  atomic.Int32 // Size of the value for which a buffer grew last.
}

// NewCodec returns the codec of a type. Name is that of the table, series or
// struct, for errors.
func NewCodec[V any](name string, append func(*V, *Writer), take func(*V, *Reader)) *Codec[V] {
	c := &Codec[V]{append: append, take: take}
	c.name = name
	c.teach = func(r *Reader) { take(new(V), r) }
	return c
}

// Name returns the name of the table, series or struct.
func (c *Codec[V]) Name() string { return c.name }

// layout returns what take knows.
func (c *core) layout() *layout {
	c.once.Do(func() {
		r := &Reader{learn: &learner{}, odd: true, c: c}
		c.teach(r)
		c.known = r.learn.root
	})
	return c.known
}

// Writer returns a writer that appends one value to b.
func (c *Codec[V]) Writer(b []byte) Writer {
	return Writer{b: b, start: len(b), cap: cap(b), c: &c.core}
}

// Reader returns a reader of the value that b begins with, in MessagePack or
// in JSON.
func (c *Codec[V]) Reader(b []byte) Reader {
	return Reader{src: b, c: &c.core}
}

var (
	writers = sync.Pool{New: func() any { return new(Writer) }}
	readers = sync.Pool{New: func() any { return new(Reader) }}
	bufs    = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}
)

// maxPooled is the largest buffer that is kept for later.
const maxPooled = 64 << 10

func putBuf(b *[]byte) {
	if cap(*b) <= maxPooled {
		bufs.Put(b)
	}
}

// Append appends the canonical form of v to b. On failure it returns b as it
// was and an *[Error].
func (c *Codec[V]) Append(b []byte, v *V) ([]byte, error) {
	w := writers.Get().(*Writer)
	*w = Writer{b: b, start: len(b), cap: cap(b), c: &c.core, keys: w.keys[:0]}
	c.append(v, w)
	b, err := w.Close()
	w.b = nil
	writers.Put(w)
	return b, err
}

// Take reads v from the whole of b, MessagePack or JSON by its first byte. On
// failure it returns an *[Error], and v holds anything. Lists and maps of v are
// reused: rows that share them must be clones. With an interner strings and
// decimals are shared between rows.
func (c *Codec[V]) Take(b []byte, v *V, in *Interner) error {
	r := readers.Get().(*Reader)
	r.src, r.c, r.in = b, &c.core, in // Else it is empty.
	for r.Next() {
		c.take(v, r)
	}
	rest, err := r.Close()
	*r = Reader{}
	readers.Put(r)
	if err == nil && len(rest) > 0 {
		return &Error{Name: c.name, Offset: len(b) - len(rest), Err: ErrTrailing}
	}
	return err
}

// Size returns the size of the canonical form of v, or of what could be written
// of it.
func (c *Codec[V]) Size(v *V) int {
	buf := bufs.Get().(*[]byte)
	w := writers.Get().(*Writer)
	*w = Writer{b: (*buf)[:0], cap: cap(*buf), c: &c.core, keys: w.keys[:0]}
	c.append(v, w)
	n := len(w.b)
	*buf = w.b
	w.b = nil
	writers.Put(w)
	putBuf(buf)
	return n
}

// EncodeMsg writes the canonical form of v to w.
func (c *Codec[V]) EncodeMsg(w *msgp.Writer, v *V) error {
	buf := bufs.Get().(*[]byte)
	b, err := c.Append((*buf)[:0], v)
	if err == nil {
		_, err = w.Write(b)
	}
	*buf = b
	putBuf(buf)
	return err
}

// DecodeMsg reads v from the next MessagePack value of r, which may be at most
// [MaxMessage] long.
func (c *Codec[V]) DecodeMsg(r *msgp.Reader, v *V) error {
	buf := bufs.Get().(*[]byte)
	w := bounded{b: (*buf)[:0]}
	_, err := r.CopyNext(&w)
	if err == nil {
		err = c.Take(w.b, v, nil)
	}
	*buf = w.b
	putBuf(buf)
	return err
}

// bounded is a buffer of at most [MaxMessage] bytes.
type bounded struct{ b []byte }

func (w *bounded) Write(p []byte) (int, error) {
	if len(w.b)+len(p) > MaxMessage {
		return 0, ErrTooLong
	}
	w.b = append(w.b, p...)
	return len(p), nil
}

// ToJSON returns v as JSON: integers and timestamps as strings of digits,
// so that no reader rounds them.
func (c *Codec[V]) ToJSON(v *V) ([]byte, error) {
	buf := bufs.Get().(*[]byte)
	defer putBuf(buf)
	b, err := c.Append((*buf)[:0], v)
	if err != nil {
		return nil, err
	}
	*buf = b
	return c.Transcode(nil, b, Format{JSON: true})
}

// FromJSON reads v from JSON; null changes nothing.
func (c *Codec[V]) FromJSON(b []byte, v *V) error {
	if string(b) == "null" {
		return nil
	}
	return c.Take(b, v, nil)
}

// A Format is a stored form of a value. The zero Format is the canonical form.
type Format struct {
	JSON    bool // JSON text, for debugging.
	ISO8601 bool // Timestamps as RFC 3339 text.
}
