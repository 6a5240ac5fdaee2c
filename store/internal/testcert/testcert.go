// Package testcert makes certificate authorities and certificates for tests.
package testcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An Authority signs certificates.
type Authority struct {
	File string // Its own certificate, PEM.

	t    testing.TB
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// A Pair is a certificate and its key in PEM files.
type Pair struct{ Cert, Key string }

// New makes an authority whose files live as long as the test.
func New(t testing.TB) *Authority {
	t.Helper()
	now := time.Now()
	n := serial(t)
	cert := &x509.Certificate{
		SerialNumber: n, Subject: pkix.Name{CommonName: "test authority " + n.String()},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &Authority{t: t, dir: t.TempDir(), cert: cert, key: newKey(t)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &a.key.PublicKey, a.key)
	check(t, err)
	a.File = a.write("ca.pem", "CERTIFICATE", der)
	return a
}

// Issue signs a certificate of a server or client with the DNS name, valid
// until an hour from now.
func (a *Authority) Issue(name string) Pair { return a.issue(name, time.Now().Add(time.Hour)) }

// Expired is [Authority.Issue] of a certificate whose time has passed.
func (a *Authority) Expired(name string) Pair { return a.issue(name, time.Now().Add(-time.Minute)) }

func (a *Authority) issue(name string, until time.Time) Pair {
	a.t.Helper()
	key := newKey(a.t)
	n := serial(a.t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: n, Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: until.Add(-2 * time.Hour), NotAfter: until,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, &key.PublicKey, a.key)
	check(a.t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	check(a.t, err)
	return Pair{a.write(n.String()+".pem", "CERTIFICATE", der), a.write(n.String()+"-key.pem", "EC PRIVATE KEY", keyDER)}
}

func (a *Authority) write(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	check(a.t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
	return path
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	return key
}

func serial(t testing.TB) *big.Int {
	n, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	check(t, err)
	return n
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
