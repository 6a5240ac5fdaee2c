package conn

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// handshake makes TLS of a connection, if there is a configuration.
func (f *fence) handshake(ctx context.Context, c net.Conn, addr string, conf *tls.Config) (net.Conn, error) {
	if conf == nil {
		return c, nil
	}
	t := tls.Client(c, named(conf, addr))
	err := t.HandshakeContext(ctx)
	if err == nil {
		return t, nil
	}
	err = cause(err)
	opening := f.opening.Load()
	if opening != nil && errors.Is((*opening).Err(), context.DeadlineExceeded) || errors.Is(err, errNoAnswer) {
		err = errNoTLS
	}
	return nil, fmt.Errorf("TLS: %w", err)
}

// errNoTLS is what waiting in vain for the handshake comes to.
var errNoTLS = fmt.Errorf("%w (does this port speak TLS?)", errNoAnswer)

// named says whose certificate the server must show: where the configuration
// names nobody, that of the host which is dialled.
func named(conf *tls.Config, addr string) *tls.Config {
	if conf.ServerName != "" {
		return conf
	}
	conf = conf.Clone()
	host, _, err := net.SplitHostPort(addr)
	if err != nil { // a socket's path
		host = "localhost"
	}
	conf.ServerName = host
	return conf
}

// isAlert tells a TLS alert: the peer wants another certificate, or none of us.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}
