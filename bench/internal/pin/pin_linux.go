package pin

import (
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

func allowed() (cpus []int, err error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("-pin: %w", err)
	}
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	return cpus, nil
}

// Process keeps every thread of a process, and those that they start, on the processors.
func Process(pid int, cpus []int) error {
	var set unix.CPUSet
	for _, i := range cpus {
		set.Set(i)
	}
	for range 2 { // A thread that starts during the first pass may come from one that was still free.
		tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
		if err != nil {
			return fmt.Errorf("-pin: %w", err)
		}
		for _, t := range tasks {
			tid, err := strconv.Atoi(t.Name())
			if err != nil {
				return fmt.Errorf("-pin: thread %q", t.Name())
			}
			if err := unix.SchedSetaffinity(tid, &set); err != nil && err != unix.ESRCH { // Ended since.
				return fmt.Errorf("-pin: %w", err)
			}
		}
	}
	return nil
}
