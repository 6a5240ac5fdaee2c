package probe

import (
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWatchSeesABusyMachine(t *testing.T) {
	w := NewWatch()
	defer w.Close()
	time.Sleep(100 * time.Millisecond)
	n := w.Lap()
	if n.Hiccup <= 0 || n.Worst < n.Hiccup {
		t.Errorf("hiccup p95 %v, worst %v", n.Hiccup, n.Worst)
	}
	if runtime.GOOS == "linux" && !n.Known {
		t.Error("/proc/stat could not be read")
	}
	runtime.GC()
	if n = w.Lap(); n.GCs == 0 || n.GCPause == 0 {
		t.Errorf("a collection is not seen: %+v", n)
	}
	if total := w.Total(); total.GCs == 0 || total.Worst < n.Worst {
		t.Errorf("total %+v holds less than a lap", total)
	}
}

func TestEnvironment(t *testing.T) {
	e := Local(".")
	if e.CPU == "" || e.Cores == 0 || e.Go != runtime.Version() || e.MaxProcs == 0 {
		t.Errorf("%+v", e)
	}
}

func TestWarnings(t *testing.T) {
	quiet := Environment{OS: "linux/amd64", MaxProcs: 2, Cores: 2, Load: "0.40 0.2 0.1 1/2 3", Quota: "max 100000",
		Servers: []Server{{Kind: "private", Config: map[string]string{"appendonly": "no"}}}}
	if w := quiet.Warnings(); len(w) != 0 {
		t.Errorf("a quiet set-up warns: %q", w)
	}
	for name, c := range map[string]struct {
		change func(*Environment)
		want   string
	}{
		"race":     {func(e *Environment) { e.Race = true }, "race detector"},
		"one core": {func(e *Environment) { e.MaxProcs = 1 }, "one processor"},
		"darwin":   {func(e *Environment) { e.OS = "darwin/arm64" }, "not Linux"},
		"quota":    {func(e *Environment) { e.Quota = "50000 100000" }, "quota"},
		"load":     {func(e *Environment) { e.Load = "3.10 1 1 1/1 1" }, "load 3.10"},
		"embedded": {func(e *Environment) { e.Servers[0].Kind = "embedded" }, "no Redis"},
		"given":    {func(e *Environment) { e.Servers[0].Kind = "given" }, "not the bench's own"},
		"shared":   {func(e *Environment) { e.Servers[0].Kind = "given"; e.Servers[0].Clients = 3 }, "other clients use it: 3"},
		"aof":      {func(e *Environment) { e.Servers[0].Config["appendonly"] = "yes" }, "append-only"},
	} {
		e := quiet
		e.Servers = []Server{{Kind: "private", Config: map[string]string{"appendonly": "no"}}}
		c.change(&e)
		if w := e.Warnings(); !slices.ContainsFunc(w, func(s string) bool { return strings.Contains(s, c.want) }) {
			t.Errorf("%s: %q lacks %q", name, w, c.want)
		}
	}
}
