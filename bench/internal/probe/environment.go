package probe

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Environment is what the figures are of.
type Environment struct {
	CPU        string            `json:"cpu"`
	Cores      int               `json:"cores"`
	Hypervisor bool              `json:"hypervisor"`
	Kernel     string            `json:"kernel"`
	OS         string            `json:"os"`
	Governor   string            `json:"governor,omitempty"`
	THP        string            `json:"transparent_hugepages,omitempty"`
	Clock      string            `json:"clocksource,omitempty"`
	Quota      string            `json:"cgroup_cpu_max,omitempty"`
	Load       string            `json:"load_average,omitempty"` // When the run began.
	Go         string            `json:"go"`
	MaxProcs   int               `json:"gomaxprocs"`
	GOGC       string            `json:"gogc"`
	PGO        string            `json:"pgo,omitempty"`
	Race       bool              `json:"race"`
	Commit     string            `json:"commit,omitempty"`
	Dirty      bool              `json:"dirty"`
	Modules    map[string]string `json:"modules"`
	Servers    []Server          `json:"servers"`
	Pinned     string            `json:"pinned,omitempty"` // Which processors client and Redis are kept on; empty: any.
	Command    string            `json:"command"`          // Repeats the run.
}

// Server is one Redis.
type Server struct {
	Keys    int               `json:"keys"` // Rows loaded.
	Kind    string            `json:"kind"` // "private", "given" or "embedded".
	Address string            `json:"address"`
	Version string            `json:"version"`
	Config  map[string]string `json:"config"`
	Memory  int64             `json:"used_memory_bytes"` // After loading.
	PingP50 time.Duration     `json:"ping_p50_ns"`
	Clients int               `json:"other_clients"`
}

// Placement says which processors client and Redis run on.
func (e Environment) Placement() string {
	if e.Pinned == "" {
		return "not pinned: the kernel places client and Redis"
	}
	return e.Pinned
}

// Local reads this machine and this build. dir is where git is asked.
func Local(dir string) Environment {
	e := Environment{
		CPU: cpuModel(), Cores: runtime.NumCPU(), Hypervisor: hypervisor(), OS: runtime.GOOS + "/" + runtime.GOARCH,
		Kernel:   firstLine("/proc/sys/kernel/osrelease"),
		Governor: firstLine("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
		THP:      bracketed(firstLine("/sys/kernel/mm/transparent_hugepage/enabled")),
		Clock:    firstLine("/sys/devices/system/clocksource/clocksource0/current_clocksource"),
		Quota:    firstLine("/sys/fs/cgroup/cpu.max"),
		Load:     firstLine("/proc/loadavg"),
		Go:       runtime.Version(), MaxProcs: runtime.GOMAXPROCS(0), GOGC: os.Getenv("GOGC"), Race: raceEnabled, Modules: map[string]string{},
	}
	if e.GOGC == "" {
		e.GOGC = "100"
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if slices.Contains(shown, d.Path) {
				e.Modules[d.Path] = d.Version
			}
		}
		for _, s := range info.Settings {
			if s.Key == "-pgo" {
				e.PGO = filepath.Base(s.Value)
			}
		}
	}
	e.Commit = git(dir, "rev-parse", "--short=12", "HEAD")
	e.Dirty = e.Commit != "" && git(dir, "status", "--porcelain") != ""
	return e
}

// shown are the modules whose version may change a figure.
var shown = []string{
	"github.com/redis/rueidis", "github.com/redis/go-redis/v9", "github.com/tinylib/msgp", "github.com/vmihailenco/msgpack/v5",
	"github.com/shopspring/decimal", "github.com/HdrHistogram/hdrhistogram-go", "github.com/alicebob/miniredis/v2",
}

// Warnings say what about the set-up makes the figures unfit for comparison.
func (e Environment) Warnings() []string {
	var w []string
	if e.Race {
		w = append(w, "race detector is on: figures are many times too high")
	}
	if e.MaxProcs < 2 && e.Pinned == "" {
		w = append(w, "one processor for client and server")
	}
	if e.OS != "linux/amd64" && e.OS != "linux/arm64" {
		w = append(w, "not Linux: the pacer has no sharp timer, so the generator may be late")
	}
	if e.Quota != "" && !strings.HasPrefix(e.Quota, "max") {
		w = append(w, "the container has a processor quota ("+e.Quota+"): throttling shows as stalls")
	}
	if one, _, _ := strings.Cut(e.Load, " "); one != "" {
		if v, err := strconv.ParseFloat(one, 64); err == nil && v > float64(e.Cores)*0.75 {
			w = append(w, "the machine was busy when the run began: load "+one)
		}
	}
	for _, s := range e.Servers {
		switch s.Kind {
		case "embedded":
			w = append(w, "no Redis: the embedded server's figures say nothing about Redis")
		case "given":
			w = append(w, "the Redis at "+s.Address+" is not the bench's own")
			if s.Clients > 0 {
				w = append(w, "other clients use it: "+strconv.Itoa(s.Clients))
			}
		}
		if s.Config["appendonly"] == "yes" {
			w = append(w, "append-only file is on (appendfsync "+s.Config["appendfsync"]+")")
		}
		if v := s.Config["save"]; v != "" && s.Kind == "given" {
			w = append(w, "snapshots are on (save "+v+"): a fork may stall it")
		}
	}
	slices.Sort(w)
	return slices.Compact(w)
}

func firstLine(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}

// bracketed is the chosen word of "always [madvise] never".
func bracketed(s string) string {
	if _, rest, ok := strings.Cut(s, "["); ok {
		s, _, _ = strings.Cut(rest, "]")
	}
	return s
}

func cpuModel() string {
	if f, err := os.Open("/proc/cpuinfo"); err == nil {
		defer f.Close()
		for sc := bufio.NewScanner(f); sc.Scan(); {
			if k, v, ok := strings.Cut(sc.Text(), ":"); ok && strings.TrimSpace(k) == "model name" {
				return strings.TrimSpace(v)
			}
		}
	}
	if out, err := exec.Command("sysctl", "-n", "machdep.cpu.brand_string").Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	return runtime.GOARCH
}

func hypervisor() bool {
	b, err := os.ReadFile("/proc/cpuinfo")
	return err == nil && strings.Contains(string(b), " hypervisor")
}

func git(dir string, args ...string) string {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
