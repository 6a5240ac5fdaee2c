package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"

	"github.com/redis/rueidis"
)

// A Class is what an error says about the command that failed.
type Class int

// The classes. The zero value is for a nil error.
const (
	OK Class = iota
	// NotApplied: the command was not sent, or the server said that it is not
	// ready; trying again is safe and may help.
	NotApplied
	// Unknown: sent, and no reply was read.
	Unknown
	// Refused: the server will never accept this command from this client.
	Refused
	// Closed: this process closed the client.
	Closed
)

// A DialError is a failure before any command was sent.
type DialError struct {
	Addr string
	Err  error
}

func (e *DialError) Error() string { return e.Addr + ": " + e.Err.Error() }
func (e *DialError) Unwrap() error { return e.Err }

// Definite is an error that the server has stated in a reply of a script.
type Definite string

func (d Definite) Error() string { return string(d) }

// transient are the error words with which a server says "not now"; nothing
// was executed. BUSY, LOADING, MASTERDOWN, CLUSTERDOWN, TRYAGAIN and READONLY
// pass by themselves or after a failover, OOM when space is freed, MISCONF and
// NOREPLICAS when the operator has mended the server.
var transient = []string{
	"LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY",
	"OOM", "MISCONF", "NOREPLICAS", "MOVED", "ASK", "UNBLOCKED",
	"ERR max number of clients reached",
}

// Classify tells what err says. A nil reply is no error.
func Classify(err error) Class {
	if err == nil || rueidis.IsRedisNil(err) {
		return OK
	}
	if errors.As(err, new(*maybeSent)) {
		return Unknown
	}
	if errors.As(err, new(Definite)) {
		return Refused
	}
	if errors.As(err, new(NotReady)) || errors.Is(err, rueidis.ErrNoSlot) {
		return NotApplied
	}
	if re, ok := errors.AsType[*rueidis.RedisError](err); ok {
		return classifyReply(re.Error())
	}
	if u, ok := errors.AsType[*Unfit](err); ok && u != nil {
		return Refused
	}
	if de, ok := errors.AsType[*DialError](err); ok {
		if re, ok := errors.AsType[*replyError](de.Err); ok {
			return classifyReply(re.text)
		}
		if errors.As(de.Err, new(*Unfit)) || errors.As(de.Err, new(*tls.CertificateVerificationError)) {
			return Refused
		}
		return NotApplied
	}
	if errors.Is(err, rueidis.ErrClosing) {
		return Closed
	}
	if errors.Is(err, errNotSent) {
		return NotApplied
	}
	return Unknown
}

// errNotSent marks an error after which nothing can have reached the server.
var errNotSent = errors.New("not sent")

// NotSent marks err as one after which nothing can have reached the server.
func NotSent(err error) error { return errors.Join(errNotSent, err) }

// A maybeSent error hides what it wraps: no class of that holds any more.
type maybeSent struct{ err error }

func (m *maybeSent) Error() string { return "sent before without an answer; now: " + m.err.Error() }

// MaybeSent marks err as what became of a command of which an earlier try was
// sent and not answered: whatever err says, that try may have been applied.
func MaybeSent(err error) error {
	if Classify(err) == Unknown {
		return err
	}
	return &maybeSent{err}
}

// Alive returns an error marked by [NotSent] when the context has ended.
func Alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return NotSent(err)
	}
	return nil
}

// classifyReply reads the first word of an error reply. EXECABORT stands for
// the reason of the command that was refused at queueing; both are read.
func classifyReply(text string) Class {
	for _, w := range transient {
		if strings.HasPrefix(text, w) {
			return NotApplied
		}
	}
	if strings.HasPrefix(text, "EXECABORT") {
		for _, w := range transient {
			if strings.Contains(text, w) {
				return NotApplied
			}
		}
	}
	return Refused
}

// Denied tells whether the error is about rights: the password, or what the
// user may do. It is permanent until somebody changes them.
func Denied(err error) bool {
	text := ""
	if de, ok := errors.AsType[*DialError](err); ok {
		if re, ok := errors.AsType[*replyError](de.Err); ok {
			text = re.text
		}
	} else if re, ok := errors.AsType[*rueidis.RedisError](err); ok {
		text = re.Error()
	}
	for _, w := range []string{"NOAUTH", "WRONGPASS", "NOPERM"} {
		if strings.HasPrefix(text, w) {
			return true
		}
	}
	return false
}

// Denial is a refusal while dialling, for tests of what becomes of it.
func Denial(text string) error { return &DialError{"redis:6379", &replyError{text}} }
