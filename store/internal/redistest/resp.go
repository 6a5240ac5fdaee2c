package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Do sends one command over a connection of its own and returns the reply as
// text, for assertions beside the client under test: a nil is "(nil)", the
// elements of an array stand on a line each, and an error reply is an error.
func (s *Server) Do(args ...string) (string, error) { return s.DoIn("0", args...) }

// DoIn is [Server.Do] in the database of that number.
func (s *Server) DoIn(db string, args ...string) (string, error) {
	return s.do(s.opts.Password, db, args...)
}

// DoAs is [Server.Do] with a password, for a server whose password was changed.
func (s *Server) DoAs(password string, args ...string) (string, error) {
	return s.do(password, "0", args...)
}

func (s *Server) do(password, db string, args ...string) (string, error) {
	conn, err := net.DialTimeout("tcp", s.Addr(), time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	if password != "" {
		if _, err := roundTrip(conn, r, "AUTH", password); err != nil {
			return "", err
		}
	}
	if db != "0" {
		if _, err := roundTrip(conn, r, "SELECT", db); err != nil {
			return "", err
		}
	}
	return roundTrip(conn, r, args...)
}

func roundTrip(w io.Writer, r *bufio.Reader, args ...string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(args))
	for _, a := range args {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(a), a)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return "", err
	}
	return readReply(r)
}

func readReply(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return "", errors.New("redistest: empty reply")
	}
	kind, rest := line[0], line[1:]
	switch kind {
	case '+', ':':
		return rest, nil
	case '-':
		return "", errors.New(rest)
	case '$', '*':
		n, err := strconv.Atoi(rest)
		if err != nil || n < 0 {
			return "(nil)", err
		}
		if kind == '$' {
			return readBulk(r, n)
		}
		return readArray(r, n)
	}
	return "", fmt.Errorf("redistest: unknown reply %q", line)
}

func readBulk(r *bufio.Reader, n int) (string, error) {
	b := make([]byte, n+len("\r\n"))
	if _, err := io.ReadFull(r, b); err != nil {
		return "", err
	}
	return string(b[:n]), nil
}

func readArray(r *bufio.Reader, n int) (string, error) {
	elems := make([]string, n)
	for i := range elems {
		var err error
		if elems[i], err = readReply(r); err != nil {
			return "", err
		}
	}
	return strings.Join(elems, "\n"), nil
}
