//go:build !race

package store_test

// raced tells whether the race detector is on.
const raced = false
