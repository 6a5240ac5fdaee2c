// Package codec measures emitted codecs against others on the schemas of
// testdata/codec and on orders of the simulation: its tests are the figures
// and the proof that the others read the same bytes.
package codec

//go:generate go run -C ../.. ./cmd/gen -schema testdata/codec -out bench/codec/shapes -package shapes
