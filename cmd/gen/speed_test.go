package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkTrading is one run on the schema of the repository, from reading to
// every file written.
func BenchmarkTrading(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		out := filepath.Join(dir, "trading")
		gen(b, 0, "-schema", "../../schema/trading", "-out", out)
		b.StopTimer()
		if err := os.RemoveAll(out); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkFresh is a run that finds everything written already, as go generate mostly does.
func BenchmarkFresh(b *testing.B) {
	out := filepath.Join(b.TempDir(), "trading")
	for b.Loop() {
		gen(b, 0, "-schema", "../../schema/trading", "-out", out)
	}
}

// Benchmark200Tables is one run on a schema of 200 tables of the size of position.
func Benchmark200Tables(b *testing.B) {
	d := newDesk(b)
	position, err := os.ReadFile("../../schema/trading/position.yaml")
	if err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"types.yaml", "instrument.yaml", "account.yaml", "position.yaml", "order.yaml"} {
		text, err := os.ReadFile("../../schema/trading/" + name)
		if err != nil {
			b.Fatal(err)
		}
		d.write(name, string(text))
	}
	for i := range 195 {
		name := fmt.Sprintf("position%d", i)
		text := strings.NewReplacer(
			"table: position", "table: "+name,
			"key: position_id", "key: "+name+"_id",
			"  position_id:", "  "+name+"_id:",
		).Replace(string(position))
		d.write(name+".yaml", text)
	}
	for b.Loop() {
		d.gen(0)
		b.StopTimer()
		if err := os.RemoveAll(d.out); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}
