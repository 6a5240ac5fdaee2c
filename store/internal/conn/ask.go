package conn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
)

// replyError is an error reply that was read while dialling.
type replyError struct{ text string }

func (e *replyError) Error() string { return e.text }

// ask sends one command and reads one reply in RESP2, which every version of
// Redis speaks before HELLO. Error replies never repeat the arguments.
func ask(w io.Writer, r *bufio.Reader, args ...string) (string, error) {
	if _, err := w.Write(appendCommand(nil, args...)); err != nil {
		if _, why := r.ReadByte(); isAlert(why) { // a peer that takes no more words has said why
			err = why
		}
		return "", cause(err)
	}
	return readReply(r)
}

func appendCommand(b []byte, args ...string) []byte {
	b = append(b, "*"+strconv.Itoa(len(args))+"\r\n"...)
	for _, a := range args {
		b = append(b, "$"+strconv.Itoa(len(a))+"\r\n"+a+"\r\n"...)
	}
	return b
}

func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", cause(err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", &Unfit{"the answer is not of a Redis server"}
	}
	switch line[0] {
	case '+', ':':
		return line[1:], nil
	case '-':
		return "", &replyError{line[1:]}
	case '$':
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 || n > 1<<16 {
			return "", &Unfit{"the answer is not of a Redis server"}
		}
		buf := make([]byte, n+2)
		if _, err := io.ReadFull(r, buf); err != nil {
			return "", cause(err)
		}
		return string(buf[:n]), nil
	}
	return "", &Unfit{fmt.Sprintf("the answer %.20q is not of a Redis server", line)}
}

// errNoAnswer is what waiting in vain for a server comes to.
var errNoAnswer = errors.New("no answer within the timeout")

// cause strips the address that net's errors repeat.
func cause(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return errNoAnswer
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		if isAlert(err) {
			return &Unfit{op.Err.Error()}
		}
		return op.Err
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the connection was closed")
	}
	return err
}
