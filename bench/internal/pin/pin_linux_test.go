package pin

import (
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

func TestProcess(t *testing.T) {
	client, server, err := Split()
	if err != nil {
		t.Skip(err) // One processor: nothing to share out.
	}
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}()
	if err := Process(cmd.Process.Pid, server); err != nil {
		t.Fatal(err)
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(cmd.Process.Pid, &set); err != nil {
		t.Fatal(err)
	}
	if set.Count() != len(server) || !set.IsSet(server[0]) || set.IsSet(client[0]) {
		t.Errorf("on %d processors, want %v", set.Count(), server)
	}
	if err := Process(-1, server); err == nil {
		t.Error("no process is pinned without an error")
	}
}
