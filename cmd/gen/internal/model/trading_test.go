package model_test

import (
	"testing"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

const trading = "../../../../schema/trading"

func loadTrading(tb testing.TB) *model.Package {
	tb.Helper()
	p, err := model.Load(trading, "schema/trading", "trading")
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func TestTrading(t *testing.T) {
	p := loadTrading(t)
	if got := len(p.Tables) + len(p.Series); got < 9 { // a table more is nothing to mend here
		t.Errorf("%d tables and series, want at least 9", got)
	}
}
