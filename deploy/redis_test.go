package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/store/storetest"
)

// machine is a machine of which a script sees only what a test puts there: a
// copy of the scripts in an empty repository, and a PATH of one folder.
type machine struct {
	t    *testing.T
	repo string
	path string
	env  []string
}

// tools are the programs that the scripts may take for granted.
var tools = []string{"bash", "cat", "chmod", "cp", "dirname", "env", "mkdir", "rm", "sed", "tail"}

func newMachine(t *testing.T) *machine {
	t.Helper()
	m := &machine{t: t, repo: t.TempDir(), path: t.TempDir()}
	for _, name := range []string{"redis.sh", "jq.sh", "apt.sh"} {
		script, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m.write(filepath.Join(m.repo, "deploy", name), string(script))
	}
	for _, tool := range tools {
		real, err := exec.LookPath(tool)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(m.path, tool)); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

func (m *machine) write(path, content string) {
	m.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
		m.t.Fatal(err)
	}
}

// has puts a program on the machine. What it is called with goes to calls.
func (m *machine) has(name, body string) {
	m.write(filepath.Join(m.path, name),
		"#!/bin/sh\necho \""+name+" $*\" >>"+filepath.Join(m.repo, "calls")+"\n"+body+"\n")
}

// hasSudo lets the machine's apt-get run for any user.
func (m *machine) hasSudo() {
	m.has("sudo", `[ "$1" = -n ] && shift; exec "$@"`)
}

// run runs a script: what it printed, which Redis it chose, what it called.
func (m *machine) run(script string) (out, chosen, calls string, ok bool) {
	m.t.Helper()
	cmd := exec.Command(filepath.Join(m.path, "bash"), filepath.Join(m.repo, "deploy", script))
	cmd.Env = append([]string{"PATH=" + m.path, "HOME=" + m.repo}, m.env...)
	b, err := cmd.CombinedOutput()
	env, _ := os.ReadFile(filepath.Join(m.repo, "bin", "redis.env"))
	log, _ := os.ReadFile(filepath.Join(m.repo, "calls"))
	return string(b), strings.TrimSpace(string(env)), string(log), err == nil
}

// installs is an apt-get or brew that brings a redis-server of a version.
func (m *machine) installs(version string) string {
	pkg := filepath.Join(m.repo, "package")
	m.write(pkg, "#!/bin/sh\necho 'Redis server v="+version+" sha=0'\n")
	return "case \"$*\" in *install*) cp " + pkg + " " + filepath.Join(m.path, "redis-server") + ";; esac"
}

func TestMakeRedis(t *testing.T) {
	const redis7, redis6 = "echo 'Redis server v=7.2.4 sha=0'", "echo 'Redis server v=6.2.14 sha=0'"
	for _, tc := range []struct {
		name   string
		given  func(*machine)
		out    string   // in what is printed
		chosen string   // in redis.env; "" = nothing was chosen, and it fails
		calls  []string // in this order
		never  string   // not called
	}{
		{
			name:   "on PATH",
			given:  func(m *machine) { m.has("redis-server", redis7); m.has("apt-get", "") },
			out:    "redis-server (Redis 7.2.4), on PATH",
			chosen: "NACRE_REDIS_SERVER=",
			never:  "apt-get",
		},
		{
			name: "apt-get",
			given: func(m *machine) {
				m.hasSudo()
				m.has("dpkg", "exit 1")
				m.has("apt-get", m.installs("7.0.15"))
				m.has("service", "")
			},
			out:    "redis-server (Redis 7.0.15), installed just now",
			chosen: "NACRE_REDIS_SERVER=",
			calls:  []string{"apt-get update", "apt-get install -y --no-install-recommends redis-server", "service redis-server stop"},
		},
		{
			name: "apt-get with systemd",
			given: func(m *machine) {
				m.hasSudo()
				m.has("dpkg", "exit 1")
				m.has("apt-get", m.installs("7.0.15"))
				m.has("systemctl", "")
			},
			out:    "installed just now",
			chosen: "NACRE_REDIS_SERVER=",
			calls:  []string{"apt-get install", "systemctl is-active --quiet redis-server", "systemctl disable --now redis-server"},
		},
		{
			name: "package was there, binary was not on PATH",
			given: func(m *machine) {
				m.hasSudo()
				m.has("dpkg", "")
				m.has("apt-get", m.installs("7.0.15"))
				m.has("service", "")
			},
			out:    "installed just now",
			chosen: "NACRE_REDIS_SERVER=",
			never:  "service",
		},
		{
			name:   "brew",
			given:  func(m *machine) { m.has("brew", m.installs("8.0.1")) },
			out:    "redis-server (Redis 8.0.1), installed just now",
			chosen: "NACRE_REDIS_SERVER=",
			calls:  []string{"brew install redis"},
		},
		{
			name: "old one on PATH is left alone",
			given: func(m *machine) {
				m.has("redis-server", redis6)
				m.hasSudo()
				m.has("apt-get", m.installs("7.0.15"))
			},
			out:   "is not Redis >= 7.0 (version 6.2.14)",
			never: "apt-get",
		},
		{
			name: "package is too old",
			given: func(m *machine) {
				m.hasSudo()
				m.has("dpkg", "exit 1")
				m.has("apt-get", m.installs("6.0.16"))
			},
			out: "is not Redis >= 7.0 (version 6.0.16)",
		},
		{
			name: "apt-get fails",
			given: func(m *machine) {
				m.hasSudo()
				m.has("dpkg", "exit 1")
				m.has("apt-get", "echo 'E: no network'; exit 100")
			},
			out: "apt-get failed: E: no network",
		},
		{
			name:  "nothing",
			given: func(*machine) {},
			out:   "no Redis >= 7.0 to be had: tests need one",
		},
		{
			name:  "compose fails",
			given: func(m *machine) { m.has("docker", `[ "$2" = version ] || { echo "port is taken"; exit 1; }`) },
			out:   "docker compose failed: port is taken",
			calls: []string{"docker compose version", "docker compose up --detach --wait redis"},
		},
		{
			name: "named binary that is none",
			given: func(m *machine) {
				m.env = []string{"NACRE_REDIS_SERVER=/nonexistent"}
				m.has("redis-server", redis7)
			},
			out: "/nonexistent is not Redis >= 7.0",
		},
		{
			name: "named server that is none",
			given: func(m *machine) {
				m.env = []string{"NACRE_REDIS_URL=redis://:secret@127.0.0.1:1/0"}
				m.has("redis-server", redis7)
			},
			out: "redis://***@127.0.0.1:1/0, from NACRE_REDIS_URL: nobody listens",
		},
		{
			name:  "named server is no URL",
			given: func(m *machine) { m.env = []string{"NACRE_REDIS_URL=localhost:6379"} },
			out:   "NACRE_REDIS_URL is no redis://",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := newMachine(t)
			tc.given(m)
			out, chosen, calls, ok := m.run("redis.sh")
			if !strings.Contains(out, tc.out) {
				t.Errorf("printed %q, want %q in it", out, tc.out)
			}
			if ok != (tc.chosen != "") || !strings.Contains(chosen, tc.chosen) {
				t.Errorf("ok = %v, chose %q, want %q in it; printed %q", ok, chosen, tc.chosen, out)
			}
			rest := calls
			for _, want := range tc.calls {
				_, after, found := strings.Cut(rest, want)
				if !found {
					t.Errorf("no %q in the calls, in this order:\n%s", want, calls)
				}
				rest = after
			}
			if tc.never != "" && strings.Contains(calls, tc.never) {
				t.Errorf("called %s:\n%s", tc.never, calls)
			}
		})
	}
}

func TestMakeRedisURL(t *testing.T) {
	s := storetest.Run(t, storetest.ServerOptions{Password: "geheim"})
	for _, tc := range []struct{ name, login, out, chosen string }{
		{"right password", ":geheim@", "redis://***@" + s.Addr() + " (Redis ", "NACRE_REDIS_URL=redis://:geheim@" + s.Addr()},
		{"user and password", "default:geheim@", "from NACRE_REDIS_URL", "NACRE_REDIS_URL="},
		{"wrong password", ":falsch@", "WRONGPASS", ""},
		{"no password", "", "NOAUTH", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := newMachine(t)
			m.env = []string{"NACRE_REDIS_URL=redis://" + tc.login + s.Addr()}
			out, chosen, _, ok := m.run("redis.sh")
			if !strings.Contains(out, tc.out) || strings.Contains(out, "geheim") || strings.Contains(out, "falsch") {
				t.Errorf("printed %q, want %q in it and no password", out, tc.out)
			}
			if ok != (tc.chosen != "") || !strings.Contains(chosen, tc.chosen) {
				t.Errorf("ok = %v, chose %q, want %q", ok, chosen, tc.chosen)
			}
		})
	}
}
