package conn

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// late lets n writers each give up a write whose bytes arrive behind a newer
// one that was acknowledged, and returns how many keys ended with the old
// value. A write is a pipeline of the given number of commands.
func late(t *testing.T, target string, o Options, n, commands int) (stale int) {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	slots := make(chan struct{}, 8)
	for i := range n {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if got := lateOnce(t, target, o, fmt.Sprint("k", i), commands); got == "old" {
				mu.Lock()
				defer mu.Unlock()
				stale++
			} else if got != "new" {
				t.Errorf("k%d = %q", i, got)
			}
		})
	}
	wg.Wait()
	return stale
}

func lateOnce(t *testing.T, target string, o Options, key string, commands int) string {
	p, err := faultproxy.Start(target)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer p.Close()
	o.Addresses, o.Timeout = []string{p.Addr()}, 5*time.Second
	c, err := Open(t.Context(), o)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer c.Close()
	set := func(ctx context.Context, v string) error {
		var cmds []rueidis.Completed
		for range commands {
			cmds = append(cmds, c.Client.B().Set().Key(key).Value(v).Build())
		}
		for _, r := range c.Client.DoMulti(ctx, cmds...) {
			if err := r.Error(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := set(t.Context(), "first"); err != nil {
		t.Error(err)
	}
	p.Freeze(faultproxy.Up)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	if err := set(ctx, "old"); Classify(err) != Unknown {
		t.Errorf("a write into a frozen link: %v", err)
	}
	deliver := p.Strand()
	p.Thaw()
	for c.Client.Do(t.Context(), c.Client.B().Ping().Build()).Error() != nil { // some may still meet the old connection
		time.Sleep(time.Millisecond)
	}
	if err := set(t.Context(), "new"); err != nil {
		t.Error(err)
	}
	deliver()
	var v string
	for range 80 { // as long as it takes the old bytes to do their worst
		if v, _ = c.Client.Do(t.Context(), c.Client.B().Get().Key(key).Build()).ToString(); v == "old" {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return v
}

// A write that was given up never lands behind a newer one: not with one
// command, not with a pipeline, not over TLS. Without the fence it does.
func TestLateBytes(t *testing.T) {
	srv := redistest.New(t)
	for _, c := range []struct {
		name     string
		o        Options
		n, stale int
		commands int
	}{
		{"one command", Options{}, 100, 0, 1},
		{"a pipeline", Options{}, 30, 0, 500},
		{"without the fence", Options{broken: true}, 30, 30, 1},
		{"a pipeline without the fence", Options{broken: true}, 10, 10, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			stale := late(t, srv.Addr(), c.o, c.n, c.commands)
			t.Logf("%d of %d stale", stale, c.n)
			if c.stale == 0 && stale > 0 || stale < c.stale*8/10 {
				t.Errorf("%d of %d keys ended with the older value, want %d", stale, c.n, c.stale)
			}
		})
	}
	t.Run("TLS", func(t *testing.T) {
		conf, args := certificates(t)
		port, err := redistest.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		redistest.New(t, append(args, "--tls-port", strconv.Itoa(port))...)
		target := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if stale := late(t, target, Options{TLS: conf}, 20, 1); stale > 0 {
			t.Errorf("%d of 20 stale over TLS", stale)
		}
		if stale := late(t, target, Options{TLS: conf, broken: true}, 10, 1); stale < 8 {
			t.Errorf("%d of 10 stale over TLS without the fence", stale)
		}
	})
}

// certificates makes a certificate of a server on 127.0.0.1, and returns what
// trusts it and the server's arguments.
func certificates(t *testing.T) (*tls.Config, []string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "127.0.0.1"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	cert := file("cert.pem", "CERTIFICATE", der)
	roots := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(parsed)
	return &tls.Config{RootCAs: roots, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12},
		[]string{"--tls-cert-file", cert, "--tls-key-file", file("key.pem", "PRIVATE KEY", private), "--tls-ca-cert-file", cert, "--tls-auth-clients", "no"}
}

// A connection that is in use beside the ordinary one is not killed.
func TestFenceSparesTheLiving(t *testing.T) {
	srv := redistest.New(t)
	p := faultproxy.Run(t, srv.Addr())
	c, err := Open(t.Context(), Options{Addresses: []string{p.Addr()}, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	d, release := c.Client.Dedicate()
	defer release()
	ping := func() error { return d.Do(t.Context(), d.B().Ping().Build()).Error() }
	if err := ping(); err != nil {
		t.Fatal(err)
	}
	id, _ := c.Client.Do(t.Context(), c.Client.B().ClientId().Build()).AsInt64()
	if _, err := srv.Do("CLIENT", "KILL", "ID", fmt.Sprint(id)); err != nil {
		t.Fatal(err)
	}
	for c.Client.Do(t.Context(), c.Client.B().Ping().Build()).Error() != nil {
		time.Sleep(time.Millisecond)
	}
	if err := ping(); err != nil {
		t.Errorf("the other connection: %v", err)
	}
	if f := c.Fence(); f.Off != "" || f.Dials < 3 || f.Killed < 1 {
		t.Errorf("%+v", f)
	}
}

// A server that restarts uses client ids again; what is killed must be the
// connection of before and nobody else's.
func TestFenceAfterARestart(t *testing.T) {
	srv := redistest.New(t)
	c, err := Open(t.Context(), Options{Addresses: []string{srv.Addr()}, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := srv.Restart(); err != nil {
		t.Fatal(err)
	}
	other, err := net.Dial("tcp", srv.Addr()) // has one of the ids of before
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	for c.Client.Do(t.Context(), c.Client.B().Ping().Build()).Error() != nil {
		time.Sleep(time.Millisecond)
	}
	if _, err := other.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	_ = other.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := other.Read(make([]byte, 7)); err != nil {
		t.Errorf("a stranger's connection was killed: %v", err)
	}
}
