package model_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// wide is a schema of many tables with many fields each.
func wide(tables, fields int) fstest.MapFS {
	files := fstest.MapFS{"types.yaml": {Data: []byte("enums:\n  Side: [BUY, SELL]\nstructs:\n  Fill: {fill_id: string, price: decimal}\n")}}
	for i := range tables {
		var b strings.Builder
		fmt.Fprintf(&b, "# Table is number %d.\ntable: table_%d\nkey: table_%d_id\nfields:\n  table_%d_id: string\n  side: Side\n", i, i, i, i)
		for j := 2; j < fields; j++ {
			fmt.Fprintf(&b, "  field_%d: decimal? # Field number %d.\n", j, j)
		}
		b.WriteString("collections:\n  fills: {list: Fill, id: fill_id}\nstates:\n  by: side\n  open: {values: [BUY]}\n  closed: {values: [SELL], ttl: 7d}\nindexes:\n  open: {state: open}\n")
		files[fmt.Sprintf("table_%d.yaml", i)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	return files
}

func TestManyFields(t *testing.T) {
	p, err := model.LoadFS(wide(1, 130), "schema/wide", "wide")
	if err != nil {
		t.Fatal(stderr(err))
	}
	if fields := p.Tables[0].Fields; len(fields) != 130 || fields[129].Name != "field_129" || fields[129].Doc != "Field number 129." {
		t.Errorf("%d fields, the last is %+v", len(fields), fields[len(fields)-1])
	}
}

func TestMissingFolder(t *testing.T) {
	_, err := model.Load("no/such/folder", "schema/nowhere", "nowhere")
	if want := "schema/nowhere: folder: no such file or directory\n"; err == nil || stderr(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestUnreadableFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("nowhere", dir+"/order.yaml"); err != nil {
		t.Skip(err)
	}
	_, err := model.Load(dir, "schema/trading", "trading")
	if want := "schema/trading/order.yaml: file: cannot be read: no such file or directory\n"; err == nil || stderr(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func BenchmarkLoadTrading(b *testing.B) {
	for b.Loop() {
		loadTrading(b)
	}
}

func BenchmarkLoad200Tables(b *testing.B) {
	files := wide(200, 30)
	for b.Loop() {
		if _, err := model.LoadFS(files, "schema/wide", "wide"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNextLock(b *testing.B) {
	p := loadTrading(b)
	lock, _, err := model.NextLock(p, lockPath, nil, false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := model.NextLock(p, lockPath, lock, false); err != nil {
			b.Fatal(err)
		}
	}
}
