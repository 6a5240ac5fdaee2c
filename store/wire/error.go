package wire

import "strconv"

// An Error says which value could not be read or written, and why.
type Error struct {
	Name   string // The table, series or struct.
	Field  string // Path in wire names, such as events[3].last_px; "" is the value as a whole.
	Offset int    // Of the bad token in the input, or of the bad value in what was written so far.
	Err    error  // Such as [ErrTruncated]; never nil.
}

// Error returns the parts that are known: order: events[3].last_px: input ends inside of a value (at byte 812).
func (e *Error) Error() string {
	s := ""
	if e.Name != "" {
		s = e.Name + ": "
	}
	if e.Field != "" {
		s += e.Field + ": "
	}
	return s + e.Err.Error() + " (at byte " + strconv.Itoa(e.Offset) + ")"
}

// Unwrap returns the fault itself.
func (e *Error) Unwrap() error { return e.Err }
