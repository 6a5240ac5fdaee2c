package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nacre-store/nacre/store/wire"
)

// The classes of errors. Every error of the store that concerns an operation
// wraps exactly one of them; test with [errors.Is].
var (
	// ErrNotFound: no row is stored under the id.
	ErrNotFound = errors.New("not found")
	// ErrConflict: what was read, or the expected length of a list, has been
	// changed by somebody else, also after bounded tries. Nothing was written.
	ErrConflict = errors.New("conflict")
	// ErrUnknownOutcome: the command was sent and no reply came. It may have
	// been applied or not; it is never applied behind a newer write of this
	// store.
	ErrUnknownOutcome = errors.New("outcome unknown")
	// ErrUnavailable: Redis could not be reached or could not serve within the
	// retries. The write was surely not applied.
	ErrUnavailable = errors.New("redis unavailable")
	// ErrRefused: permanent. The row, the id, the configuration or the access
	// rights are wrong; the same call would fail again. Nothing was written.
	ErrRefused = errors.New("refused")
	// ErrUnsupported: the operation does not exist here, such as a Set inside
	// a Commit or client tracking on a server without it.
	ErrUnsupported = errors.New("unsupported")
	// ErrBufferFull: the bounds of the write buffer are reached. Nothing was
	// accepted.
	ErrBufferFull = errors.New("write buffer full")
	// ErrIndexNotBuilt: rows are stored that the index does not list yet.
	// Verify with repair builds it.
	ErrIndexNotBuilt = errors.New("index not built")
	// ErrClosed: the store is closed.
	ErrClosed = errors.New("store closed")
)

// A RowError concerns one row. A loop that yields it goes on with the next
// row: one bad record never hides the others.
type RowError struct {
	Table  string
	ID     string
	Field  string // Wire path inside the row or element, such as "init.price"; may be empty.
	Offset int    // Byte at which decoding failed; 0 where that has no meaning.
	Err    error
}

// Error names the table, the id, the field and the cause.
func (e *RowError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q", e.Table, e.ID)
	if e.Field != "" {
		fmt.Fprintf(&b, ": field %q", e.Field)
	}
	if e.Offset > 0 {
		fmt.Fprintf(&b, " at byte %d", e.Offset)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// Unwrap returns the cause.
func (e *RowError) Unwrap() error { return e.Err }

// rowError wraps err for one row and lifts field and offset out of a codec's
// error. A nil err gives nil.
func rowError(table, id string, err error) error {
	if err == nil {
		return nil
	}
	e := &RowError{Table: table, ID: id, Err: err}
	if w, ok := errors.AsType[*wire.Error](err); ok {
		e.Field, e.Offset, e.Err = w.Field, w.Offset, w.Err
	}
	return e
}

// classed makes err one of the classes above while keeping its text and chain.
type classed struct {
	class error
	err   error
}

func (c *classed) Error() string   { return c.class.Error() + ": " + c.err.Error() }
func (c *classed) Unwrap() []error { return []error{c.class, c.err} }

func class(class, err error) error { return &classed{class, err} }

func refused(format string, args ...any) error {
	return class(ErrRefused, fmt.Errorf(format, args...))
}

func errUnknownState(value string) error {
	return fmt.Errorf("the deciding field has the value %q, which no state of this schema has", value)
}

func errIndexed(name string, err error) error {
	return fmt.Errorf("%s: the value cannot stand in a key: %w", name, err)
}

func errOtherRow(id string) error { return fmt.Errorf("the key holds the row %q", id) }

// maxJoined is how many errors a joined error spells out.
const maxJoined = 20

// joinErrors joins the errors that are not nil and counts what it leaves out.
func joinErrors(errs []error) error {
	errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil })
	if len(errs) > maxJoined {
		errs = append(errs[:maxJoined:maxJoined], fmt.Errorf("and %d more: %w", len(errs)-maxJoined, errs[maxJoined]))
	}
	return errors.Join(errs...)
}
