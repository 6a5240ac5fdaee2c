//go:build !race

package repodesk

// raced tells whether the race detector is on.
const raced = false
