package wire

import "unicode/utf8"

// A text is a pointer to an id of several parts.
type text[T any] interface {
	*T
	UnmarshalText([]byte) error
}

// An id is what a text points to.
type id interface {
	comparable
	String() string
}

// canonicalText returns the text of the id that s is a text of, and whether it is the zero id.
func canonicalText[T id, P text[T]](s []byte) (canonical string, zero bool, err error) {
	var v, none T
	if err := P(&v).UnmarshalText(s); err != nil {
		return "", false, err
	}
	return v.String(), v == none, nil
}

func takeText[T id, P text[T]](r *Reader, v *T) {
	s, ok := r.strAt(MaxString)
	if !ok {
		r.miss(kindText, MaxString)
		if r.learn != nil {
			r.learn.text(canonicalText[T, P])
		}
		return
	}
	var id T
	if utf8.Valid(s) && P(&id).UnmarshalText(s) == nil && id.String() == string(s) {
		*v = id
		return
	}
	r.fail()
}

// TakeText reads a required id of several parts.
func TakeText[T id, P text[T]](r *Reader, key string, v *T) {
	if r.at(key) {
		takeText[T, P](r, v)
	}
}

// TakeOptText reads an optional id of several parts; the zero id is absent.
func TakeOptText[T id, P text[T]](r *Reader, key string, v *T) {
	var zero T
	if !r.opt(key) {
		if !r.bad {
			*v = zero
		}
		return
	}
	takeText[T, P](r, v)
	if *v == zero {
		r.fail()
	}
}
