package main

import (
	"path/filepath"
	"testing"

	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/sim"
)

// Every codec writes and reads every order, and a stored order that is no order is an error of the run.
func TestCodecs(t *testing.T) {
	src, err := dataset.ReadSource(filepath.Join("..", "testdata", "market"))
	if err != nil {
		t.Fatal(err)
	}
	flow, err := src.Market.Run(sim.Options{Orders: 100})
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]byte
	for i := range flow.Orders {
		b, err := flow.Orders[i].Row.MarshalMsg(nil)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, b)
	}
	all, err := contenders(rows)
	if err != nil || len(all) != 5 {
		t.Fatalf("%d codecs, %v", len(all), err)
	}
	for _, c := range all {
		for _, count := range []bool{false, true} {
			if err := c.turn(count); err != nil {
				t.Fatal(err)
			}
		}
		for way, f := range c.figures {
			if len(f.took) != 1 || len(f.allocs) != 1 || f.allocs[0] < 0 {
				t.Errorf("%s, %d: %+v", c.name, way, f)
			}
		}
		if c.name == ours && c.figures[0].allocs[0] > 0.1 {
			t.Errorf("%v allocations to encode an order", c.figures[0].allocs[0])
		}
		c.stored[len(rows)/2] = []byte{0xc1}
		if c.turn(false) == nil {
			t.Errorf("%s: bytes that are no order are decoded", c.name)
		}
	}
}
