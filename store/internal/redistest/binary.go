package redistest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// MinVersion is the oldest Redis that Nacre works with.
const MinVersion = "7.0"

// BinaryEnv names the environment variable that points at a redis-server.
const BinaryEnv = "NACRE_REDIS_SERVER"

// checked remembers the verdict on each binary.
var checked sync.Map // path -> error

var versionPattern = regexp.MustCompile(`\bv=(\d+)\.(\d+)`)

// Binary returns the redis-server to run: the one that NACRE_REDIS_SERVER
// names, or else the first on PATH. It fails when there is none, or when it is
// older than [MinVersion].
func Binary() (string, error) {
	name := os.Getenv(BinaryEnv)
	if name == "" {
		name = "redis-server"
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("redistest: no redis-server (%w): run `make redis`, or set %s to a binary of Redis >= %s", err, BinaryEnv, MinVersion)
	}
	verdict, ok := checked.Load(path)
	if !ok {
		verdict, _ = checked.LoadOrStore(path, checkVersion(path))
	}
	if err, _ := verdict.(verdictError); err != "" {
		return "", err
	}
	return path, nil
}

// verdictError is "" for a binary that will do.
type verdictError string

func (e verdictError) Error() string { return "redistest: " + string(e) }

func checkVersion(path string) verdictError {
	out, err := exec.Command(path, "--version").CombinedOutput()
	line := strings.TrimSpace(string(out))
	if err != nil {
		return verdictError(fmt.Sprintf("%s --version: %v: %s", path, err, line))
	}
	m := versionPattern.FindStringSubmatch(line)
	if m == nil {
		return verdictError(fmt.Sprintf("%s is no redis-server: --version says %q", path, line))
	}
	if major, _ := strconv.Atoi(m[1]); major < 7 {
		return verdictError(fmt.Sprintf("%s is Redis %s.%s; Nacre needs Redis >= %s: run `make redis`, or set %s", path, m[1], m[2], MinVersion, BinaryEnv))
	}
	return ""
}

// FreePort returns a TCP port of 127.0.0.1 that nobody listens on. It lies
// below the range from which kernels give ports to outgoing connections, so
// that a stopped server finds its port free again; the port 10,000 above, which
// a cluster node uses too, is free as well.
func FreePort() (int, error) {
	var err error
	for range 100 {
		port := 10_000 + rand.IntN(12_000)
		if err = canListen(port); err != nil {
			continue
		}
		if err = canListen(port + 10_000); err == nil {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port: %w", err)
}

func canListen(port int) error {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return err
	}
	return l.Close()
}
