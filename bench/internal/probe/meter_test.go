package probe

import (
	"os"
	"runtime"
	"testing"
	"time"
)

func TestMeter(t *testing.T) {
	m := NewMeter(os.Getpid()) // This process as the server: its main thread may idle, but it has run.
	runtime.GC()
	m.Begin()
	if m.begin.Server == 0 && runtime.GOOS == "linux" {
		t.Error("the server's processor time could not be read")
	}
	for begin := time.Now(); time.Since(begin) < 20*time.Millisecond; {
	}
	u := m.End()
	if u.GC {
		t.Error("a collector at work that has ended before")
	}
	if u.Elapsed < 20*time.Millisecond || u.Client < time.Millisecond {
		t.Errorf("20 ms at work: %+v", u)
	}
	m.Begin()
	runtime.GC()
	if u = m.End(); !u.GC {
		t.Error("a collection is not seen")
	}
	if u = NewMeter(0).total(); u.Server != 0 || u.Waited != 0 {
		t.Errorf("a server that is unknown: %+v", u)
	}
}

func TestParseSchedstat(t *testing.T) {
	if ran, waited := parseSchedstat("4001 52 17\n"); ran != 4001 || waited != 52 {
		t.Errorf("%d %d", ran, waited)
	}
	if ran, waited := parseSchedstat("a line of something else"); ran != 0 || waited != 0 {
		t.Errorf("%d %d", ran, waited)
	}
}
