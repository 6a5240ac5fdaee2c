// Package shapes is emitted from testdata/codec: the three shapes that the codec
// is measured on, and a table of 130 fields.
package shapes
