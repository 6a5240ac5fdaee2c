//go:build purego || 386 || arm

package wire_test

// pureGo says that coefficients of decimals are copied to be read.
const pureGo = true
