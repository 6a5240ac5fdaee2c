// Package pin keeps processes on processors of their own: where client and
// server meet on one, or swap theirs, is otherwise the kernel's choice, and
// moves a figure by a factor of two.
package pin

import "fmt"

// Split shares out the processors that this process may use: half of them, and the odd one, to the client.
func Split() (client, server []int, err error) {
	cpus, err := allowed()
	if err != nil {
		return nil, nil, err
	}
	if len(cpus) < 2 {
		return nil, nil, fmt.Errorf("-pin needs two processors, there is %d", len(cpus))
	}
	half := (len(cpus) + 1) / 2
	return cpus[:half], cpus[half:], nil
}
