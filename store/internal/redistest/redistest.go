// Package redistest runs private redis-server processes for tests and for the
// bench: with the settings of deploy/redis.conf, on a free port of 127.0.0.1,
// in a temporary directory, and stopped with the process that started them. It
// touches no server that somebody else runs.
//
// The binary is the one that NACRE_REDIS_SERVER names, or redis-server on
// PATH, and must be Redis 7.0 or newer. A missing binary fails a test; it
// never skips one.
package redistest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/deploy"
)

// Options says how a server runs. The zero value is an empty server on a free
// port that is set up as deploy/redis.conf says, with its append-only file.
type Options struct {
	Config   string        // another configuration file than deploy/redis.conf
	InMemory bool          // writes no file: a restart empties it
	Args     []string      // settings that override all others, such as "--appendfsync", "always"
	Dir      string        // working directory; "" = a temporary one, removed by Close
	Port     int           // TCP port; 0 = a free one
	Unix     bool          // listen on a unix socket too
	Password string        // requirepass; Do logs in with it
	Wait     time.Duration // how long to wait until it answers; 0 = 10 s
}

// Server is one redis-server process. Its methods are safe for concurrent use.
type Server struct {
	Dir    string // working directory: log, and data if persistence is on
	Socket string // path of the unix socket, "" without [Options.Unix]

	opts   Options
	bin    string
	port   int
	ownDir bool

	mu   sync.Mutex
	proc *process // nil when stopped
}

// stopGrace is how long Stop waits after SIGTERM before it sends SIGKILL.
const stopGrace = 10 * time.Second

// errPortTaken tells start that another process listens on the chosen port.
var errPortTaken = errors.New("port is taken")

// New starts a server for t with the given extra arguments and closes it when
// t ends. When t failed, the server's last log lines are shown.
func New(t testing.TB, args ...string) *Server {
	t.Helper()
	return Run(t, Options{Args: args})
}

// Run is [New] with [Options].
func Run(t testing.TB, opts Options) *Server {
	t.Helper()
	s, err := Start(opts)
	if err != nil {
		t.Fatalf("%v", err)
	}
	t.Cleanup(func() {
		log := s.Log()
		if err := s.Close(); err != nil {
			t.Errorf("%v", err)
		}
		if t.Failed() {
			t.Logf("log of the redis-server on %s:\n%s", s.Addr(), log)
		}
	})
	return s
}

// Start starts a server and returns when it answers PING.
func Start(opts Options) (*Server, error) {
	bin, err := Binary()
	if err != nil {
		return nil, err
	}
	if opts.Wait == 0 {
		opts.Wait = 10 * time.Second
	}
	s := &Server{Dir: opts.Dir, opts: opts, bin: bin, port: opts.Port}
	if s.Dir == "" {
		// Short on purpose: the path of a unix socket has 107 bytes at most.
		if s.Dir, err = os.MkdirTemp("", "nacre-redis-"); err != nil {
			return nil, fmt.Errorf("redistest: %w", err)
		}
		s.ownDir = true
	}
	if opts.Config == "" {
		s.opts.Config = filepath.Join(s.Dir, "redis.conf")
		if err := os.WriteFile(s.opts.Config, deploy.RedisConf, 0o600); err != nil {
			s.removeDir()
			return nil, fmt.Errorf("redistest: %w", err)
		}
	}
	if opts.Unix {
		s.Socket = filepath.Join(s.Dir, "redis.sock")
	}
	// Nothing can reserve a port for another process, so a port that somebody
	// took between the choice and the server's bind is given up for another.
	for range 20 {
		if opts.Port == 0 {
			if s.port, err = FreePort(); err != nil {
				break
			}
		}
		if err = s.start(); err == nil {
			return s, nil
		}
		if !errors.Is(err, errPortTaken) || opts.Port != 0 {
			break
		}
	}
	s.removeDir()
	return nil, fmt.Errorf("redistest: %w", err)
}

// Addr is the server's host:port. It stays the same over a Restart.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Port is the TCP port of Addr.
func (s *Server) Port() int { return s.port }

// PID is the process id, 0 while the server is stopped.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return 0
	}
	return s.proc.pid
}

// Stop ends the server with SIGTERM, as a service manager would, and waits for
// it. Its directory stays, so that Restart finds what was persisted.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stop()
}

// Kill ends the server with SIGKILL: what it had not written is lost.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc != nil {
		s.proc.kill()
		s.proc = nil
	}
}

// Restart starts the server again on the same port and directory, after a Stop
// if it runs.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.stop(); err != nil {
		return err
	}
	deadline := time.Now().Add(s.opts.Wait)
	for {
		err := s.startLocked()
		if err == nil {
			return nil
		}
		if !errors.Is(err, errPortTaken) || time.Now().After(deadline) {
			return fmt.Errorf("redistest: restart: %w", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Pause freezes the server (SIGSTOP): connections stay open, nothing answers.
func (s *Server) Pause() error { return s.signal((*process).pause) }

// Resume lets a paused server go on (SIGCONT).
func (s *Server) Resume() error { return s.signal((*process).resume) }

// Close is Stop, and removes the directory if Start made it.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.stop()
	s.removeDir()
	return err
}

// Log returns the last lines that the server logged.
func (s *Server) Log() string {
	b, err := os.ReadFile(s.logPath())
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return strings.Join(lines[max(0, len(lines)-40):], "\n")
}

func (s *Server) logPath() string { return filepath.Join(s.Dir, "redis.log") }

func (s *Server) removeDir() {
	if s.ownDir {
		os.RemoveAll(s.Dir)
	}
}

func (s *Server) signal(send func(*process) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return errors.New("redistest: the server is stopped")
	}
	return send(s.proc)
}

func (s *Server) stop() error {
	if s.proc == nil {
		return nil
	}
	p := s.proc
	s.proc = nil
	if err := p.terminate(stopGrace); err != nil {
		return fmt.Errorf("redistest: redis-server on %s: %w", s.Addr(), err)
	}
	return nil
}

func (s *Server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.startLocked()
}

func (s *Server) startLocked() error {
	p, err := spawn(s.bin, s.args(), s.Dir, s.logPath())
	if err != nil {
		return err
	}
	if err := s.ready(p); err != nil {
		p.kill()
		if strings.Contains(s.Log(), "Address already in use") {
			err = errPortTaken
		}
		return fmt.Errorf("redis-server on %s: %w; its log:\n%s", s.Addr(), err, s.Log())
	}
	s.proc = p
	return nil
}

func (s *Server) args() []string {
	args := []string{s.opts.Config, "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1",
		"--dir", s.Dir, "--logfile", "", "--daemonize", "no"}
	if s.opts.InMemory {
		args = append(args, "--save", "", "--appendonly", "no")
	}
	if s.Socket != "" {
		args = append(args, "--unixsocket", s.Socket)
	}
	if s.opts.Password != "" {
		args = append(args, "--requirepass", s.opts.Password)
	}
	return append(args, s.opts.Args...)
}

// ready waits until the process answers PING and is ours, not one that had the
// port before.
func (s *Server) ready(p *process) error {
	deadline := time.Now().Add(s.opts.Wait)
	for {
		pid, err := s.ping()
		switch {
		case err == nil && pid != p.pid:
			return errPortTaken
		case err == nil:
			return nil
		case p.over():
			return fmt.Errorf("ended at once: %v", p.err)
		case time.Now().After(deadline):
			return fmt.Errorf("no answer in %v: %w", s.opts.Wait, err)
		}
		time.Sleep(time.Millisecond)
	}
}

// ping reports the process id of the server that answers.
func (s *Server) ping() (int, error) {
	if _, err := s.Do("PING"); err != nil {
		return 0, err
	}
	info, err := s.Do("INFO", "server")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(info, "process_id:")
	pid, _, _ := strings.Cut(rest, "\r\n")
	return strconv.Atoi(pid)
}

// SetPassword says with which password Do logs in from now on.
func (s *Server) SetPassword(password string) { s.opts.Password = password }
