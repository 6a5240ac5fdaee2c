package store

// An Opt is a value that may be absent, for types whose zero value is a value:
// a decimal, an integer, a float, a bool or a struct. Optional strings, ids,
// enums, timestamps, bytes, lists and maps need none, as empty means absent.
type Opt[T any] struct {
	Value T
	Valid bool
}

// Some returns a present v.
func Some[T any](v T) Opt[T] { return Opt[T]{Value: v, Valid: true} }
