package redistest

import (
	"bufio"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv("REDISTEST_CHILD") != "" {
		orphan()
		return
	}
	goleak.VerifyTestMain(m)
}

// orphan is the child of TestDiesWithParent: it starts a server, says which,
// and waits to be killed.
func orphan() {
	s, err := Start(Options{})
	if err != nil {
		println(err.Error())
		os.Exit(1)
	}
	os.Stdout.WriteString(strconv.Itoa(s.PID()) + " " + s.Dir + "\n")
	select {}
}

func do(t *testing.T, s *Server, want string, args ...string) {
	t.Helper()
	got, err := s.Do(args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	if got != want {
		t.Fatalf("%v = %q, want %q", args, got, want)
	}
}

func TestServer(t *testing.T) {
	s := New(t)
	do(t, s, "PONG", "PING")
	do(t, s, "OK", "SET", "k", "v\r\nw")
	do(t, s, "v\r\nw", "GET", "k")
	do(t, s, "(nil)", "GET", "absent")
	if _, err := s.Do("INCR", "k"); err == nil || !strings.Contains(err.Error(), "not an integer") {
		t.Errorf("INCR of text: %v", err)
	}
}

func TestPasswordAndSocket(t *testing.T) {
	s := Run(t, Options{Password: "geheim", Unix: true})
	do(t, s, "OK", "SET", "k", "v")
	conn, err := net.Dial("unix", s.Socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := roundTrip(conn, bufio.NewReader(conn), "PING"); err == nil || !strings.HasPrefix(err.Error(), "NOAUTH") {
		t.Errorf("PING without password: %v, want NOAUTH", err)
	}
}

// A server runs with what is deployed, unless a test says otherwise.
func TestSettings(t *testing.T) {
	s := New(t)
	do(t, s, "save\n3600 1 300 100 60 10000", "CONFIG", "GET", "save")
	do(t, s, "appendonly\nyes", "CONFIG", "GET", "appendonly")
	do(t, s, "maxmemory-policy\nnoeviction", "CONFIG", "GET", "maxmemory-policy")
	do(t, New(t, "--appendonly", "no"), "appendonly\nno", "CONFIG", "GET", "appendonly")

	s = Run(t, Options{InMemory: true})
	do(t, s, "save\n", "CONFIG", "GET", "save")
	do(t, s, "tcp-keepalive\n60", "CONFIG", "GET", "tcp-keepalive")
	do(t, s, "OK", "SET", "k", "1")
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	do(t, s, "(nil)", "GET", "k")

	conf := filepath.Join(t.TempDir(), "other.conf")
	if err := os.WriteFile(conf, []byte("timeout 9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	do(t, Run(t, Options{Config: conf}), "timeout\n9", "CONFIG", "GET", "timeout")
}

func TestRestartKeepsWhatWasPersisted(t *testing.T) {
	s := New(t, "--appendfsync", "always")
	addr, pid := s.Addr(), s.PID()
	do(t, s, "OK", "SET", "k", "1")
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	do(t, s, "1", "GET", "k")
	do(t, s, "OK", "SET", "k", "2")
	s.Kill()
	if s.PID() != 0 {
		t.Errorf("PID after Kill = %d", s.PID())
	}
	if _, err := s.Do("PING"); err == nil {
		t.Error("a killed server answers")
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	do(t, s, "2", "GET", "k")
	if s.Addr() != addr || s.PID() == pid {
		t.Errorf("after restarts: %s pid %d, before: %s pid %d", s.Addr(), s.PID(), addr, pid)
	}
}

func TestPause(t *testing.T) {
	s := New(t)
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := s.Do("PING")
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Fatalf("a paused server answered (%v)", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := s.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
	if err := s.Pause(); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil { // a paused server stops, too
		t.Fatal(err)
	}
	if err := s.Pause(); err == nil {
		t.Error("Pause of a stopped server: no error")
	}
}

func TestManyAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	servers := make([]*Server, 8)
	for i := range servers {
		wg.Go(func() {
			s, err := Start(Options{})
			if err != nil {
				t.Error(err)
				return
			}
			servers[i] = s
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, s := range servers {
		if s == nil {
			continue
		}
		if seen[s.Addr()] {
			t.Errorf("%s twice", s.Addr())
		}
		seen[s.Addr()] = true
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.Dir); !os.IsNotExist(err) {
			t.Errorf("%s is left behind", s.Dir)
		}
	}
}

func TestPortTaken(t *testing.T) {
	s := New(t)
	if _, err := Start(Options{Port: s.Port()}); err == nil || !strings.Contains(err.Error(), errPortTaken.Error()) {
		t.Errorf("second server on %s: %v", s.Addr(), err)
	}
}

func TestBadArgument(t *testing.T) {
	start := time.Now()
	_, err := Start(Options{Args: []string{"--no-such-directive", "1"}})
	if err == nil || !strings.Contains(err.Error(), "no-such-directive") {
		t.Errorf("error %v does not name the directive", err)
	}
	if time.Since(start) > 5*time.Second {
		t.Errorf("took %v to notice", time.Since(start))
	}
}

func TestBinary(t *testing.T) {
	fake := func(body string) string {
		path := filepath.Join(t.TempDir(), "redis-server")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tc := range []struct{ name, path, want string }{
		{"absent", "/nonexistent/redis-server", "make redis"},
		{"old", fake("echo 'Redis server v=6.2.14 sha=0'"), "Redis 6.2; Nacre needs Redis >= 7.0"},
		{"other program", fake("echo nginx"), `no redis-server: --version says "nginx"`},
		{"broken", fake("exit 3"), "exit status 3"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv(BinaryEnv, tc.path)
			_, err := Start(Options{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
		})
	}
	t.Run("newer", func(t *testing.T) {
		path := fake("echo 'Valkey server v=10.1.0 sha=0'")
		t.Setenv(BinaryEnv, path)
		if got, err := Binary(); err != nil || got != path {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// TestDiesWithParent kills a program that runs a server: the server must go.
func TestDiesWithParent(t *testing.T) {
	if dieWithParent() == nil {
		t.Skip("the kernel has no parent-death signal")
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "REDISTEST_CHILD=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pidText, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
	defer os.RemoveAll(dir)
	pid, err := strconv.Atoi(pidText)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for range 500 {
		if gone(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	t.Fatalf("redis-server %d outlived the program that started it", pid)
}

// gone reports whether the process has ended; one that nobody has waited for
// yet counts as ended.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}
