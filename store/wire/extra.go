package wire

import (
	"bytes"
	"fmt"
)

// extra appends unknown fields to the map or array that m opened and returns
// how many they are. Those of the row itself are checked at once, those of a
// struct inside by verify.
func (w *Writer) extra(m Mark, extra string) int {
	at := len(w.b)
	w.b = append(w.b, extra...)
	var end, n int
	var err error
	switch {
	case w.array:
		end, n, err = walkElements(w.b[at:], MaxFields)
	case m.at == w.start:
		end, n, err = w.c.layout().walkExtra(w.b[at:], MaxFields)
	default:
		w.extras = append(w.extras, span{at, len(w.b)})
		end, n, err = (&layout{}).walkExtra(w.b[at:], MaxFields)
	}
	if err == nil && at+end < len(w.b) {
		err = fmt.Errorf("%w: more than %d fields", ErrTooLong, MaxFields)
	}
	if err != nil {
		w.b = w.b[:at]
		w.fail("Extra", at, fmt.Errorf("%w: %w, at byte %d of it", ErrExtra, err, end))
	}
	return n
}

// verify checks a value in which structs have unknown fields: the canonicaliser
// knows the fields of structs.
func (w *Writer) verify() {
	for i := range w.extras {
		w.extras[i].from -= w.start
		w.extras[i].end -= w.start
	}
	if at, err := w.c.verify(w.b[w.start:], w.extras); err != nil {
		w.fail("Extra", w.start+at, fmt.Errorf("%w: %w", ErrExtra, err))
	}
}

// manyNames is the number of names from which on a map finds duplicates.
const manyNames = 32

// walkExtra walks at most limit unknown fields and returns the offset where it
// stopped and their number.
func (l *layout) walkExtra(b []byte, limit int) (end, n int, err error) {
	var few [manyNames]span
	var many map[string]bool
	for end < len(b) && n < limit {
		t, err := tokenAt(b, end)
		switch {
		case err != nil:
			return end, n, err
		case t.kind != tokStr:
			return end, n, ErrKey
		}
		name := b[t.body:t.end]
		if l.find(name) >= 0 {
			return end, n, ErrDuplicate
		}
		if !isText(name) {
			return end, n, ErrUTF8
		}
		for _, s := range few[:min(n, manyNames)] {
			if bytes.Equal(b[s.from:s.end], name) {
				return end, n, ErrDuplicate
			}
		}
		if n < manyNames {
			few[n] = span{t.body, t.end}
		} else {
			if many[string(name)] {
				return end, n, ErrDuplicate
			}
			if many == nil {
				many = make(map[string]bool)
			}
			many[string(name)] = true
		}
		if end, err = skip(b, t.end, 0); err != nil {
			return end, n, err
		}
		n++
	}
	return end, n, nil
}

// walkElements walks at most limit unknown fields of an element of a series.
func walkElements(b []byte, limit int) (end, n int, err error) {
	for end < len(b) && n < limit {
		if end, err = skip(b, end, 0); err != nil {
			return end, n, err
		}
		n++
	}
	return end, n, nil
}

// elements returns the number and the size of the elements that b holds; trim
// leaves out nil ones at the end.
func elements(b []byte, trim bool) (n, size int) {
	for i, k := 0, 1; i < len(b); k++ {
		isNil := b[i] == 0xc0
		end, err := skip(b, i, 0)
		if err != nil {
			return n, size
		}
		if i = end; !isNil || !trim {
			n, size = k, i
		}
	}
	return n, size
}
