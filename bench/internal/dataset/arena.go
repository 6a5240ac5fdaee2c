// Package dataset loads simulated trading state into a store and remembers
// every row's bytes, so that each read of a run can be checked.
package dataset

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// An arena keeps bytes for good, outside of Go's heap: a million rows on the heap would change how often the
// collector runs, and with it what is measured.
type arena struct{ chunks [][]byte }

const chunkSize = 64 << 20

// A ref is a place in an arena: chunk, offset and length.
type ref struct {
	chunk  uint16
	length uint32
	offset uint32
}

// put copies b.
func (a *arena) put(b []byte) (ref, error) {
	last := len(a.chunks) - 1
	if last < 0 || cap(a.chunks[last])-len(a.chunks[last]) < len(b) {
		if len(b) > chunkSize {
			return ref{}, fmt.Errorf("a row of %d bytes", len(b))
		}
		m, err := unix.Mmap(-1, 0, chunkSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return ref{}, fmt.Errorf("memory for rows: %w", err)
		}
		a.chunks = append(a.chunks, m[:0])
		last++
	}
	c := a.chunks[last]
	r := ref{uint16(last), uint32(len(b)), uint32(len(c))}
	a.chunks[last] = append(c, b...)
	return r, nil
}

// at is what was put; it must not be changed.
func (a *arena) at(r ref) []byte {
	return a.chunks[r.chunk][r.offset : r.offset+r.length : r.offset+r.length]
}

func (a *arena) free() error {
	for _, c := range a.chunks {
		if err := unix.Munmap(c[:cap(c)]); err != nil {
			return err
		}
	}
	a.chunks = nil
	return nil
}
