package main

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// With -pin, client and private server share no processor; afterwards the client has all of them again.
func TestPin(t *testing.T) {
	t.Setenv("NACRE_REDIS_URL", "")
	on := func(pid int) (set unix.CPUSet) {
		if err := unix.SchedGetaffinity(pid, &set); err != nil {
			t.Fatal(err)
		}
		return set
	}
	before := on(os.Getpid())
	if before.Count() < 2 {
		t.Skip("one processor: nothing to share out")
	}
	cfg, err := parse(append([]string{"-pin"}, short...), nil)
	if err != nil {
		t.Fatal(err)
	}
	says, release, err := cfg.pinClient()
	if err != nil || says == "" {
		t.Fatalf("%q, %v", says, err)
	}
	s, err := openServer(t.Context(), cfg, cfg.keys[0])
	if err != nil {
		t.Fatal(err)
	}
	client, redis := on(os.Getpid()), on(s.proc.PID())
	for i := range before.Count() {
		if client.IsSet(i) && redis.IsSet(i) {
			t.Errorf("both may use processor %d (%s)", i, says)
		}
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	release()
	if after := on(os.Getpid()); after != before {
		t.Errorf("afterwards the client is on %d processors, not %d", after.Count(), before.Count())
	}
}
