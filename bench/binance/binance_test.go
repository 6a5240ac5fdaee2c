package binance

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/gen/trading"
)

const file = "../../testdata/market/binance-usdm-exchange-info-2022-05-04.json"

func load(t *testing.T) ([]byte, Rows) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	in, err := Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := ToRows(in)
	if err != nil {
		t.Fatal(err)
	}
	return b, rows
}

func TestFileSurvivesRowsByteForByte(t *testing.T) {
	want, rows := load(t)
	if len(rows.Instruments) != 155 || len(rows.Currencies) != 10 || len(rows.Venue.RateLimits) != 3 {
		t.Fatalf("%d instruments, %d currencies, %d rate limits", len(rows.Instruments), len(rows.Currencies), len(rows.Venue.RateLimits))
	}
	got, err := FromRows(rows).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		i := 0
		for i < len(got) && i < len(want) && got[i] == want[i] {
			i++
		}
		t.Fatalf("differs at byte %d: got …%.60s, want …%.60s", i, got[i:], want[i:])
	}
}

func TestInstrumentFields(t *testing.T) {
	_, rows := load(t)
	byID := map[trading.InstrumentID]trading.Instrument{}
	differ := 0
	for _, r := range rows.Instruments {
		if _, twice := byID[r.InstrumentID]; twice {
			t.Errorf("id %s twice", r.InstrumentID)
		}
		byID[r.InstrumentID] = r
		if r.PricePrecision != r.VenuePricePrecision.Value {
			differ++
		}
		if r.Info != "" {
			t.Errorf("%s: info is used", r.InstrumentID)
		}
	}
	if differ != 48 {
		t.Errorf("price precision differs from the venue's in %d contracts, want 48", differ)
	}
	btc := byID["BTCUSDT-PERP.BINANCE"]
	if got := text(btc.MarginInit.Value); got != "0.050000" {
		t.Errorf("margin_init = %s, want 0.050000", got)
	}
	if got := text(btc.PriceIncrement); got != "0.10" || btc.PricePrecision != 1 {
		t.Errorf("price_increment = %s, price_precision = %d, want 0.10 and 1", got, btc.PricePrecision)
	}
	dated := byID["BTCUSDT_220624.BINANCE"]
	if dated.ExpirationNs == 0 || dated.InstrumentClass != trading.InstrumentClassFuture {
		t.Errorf("dated contract: expiration %d, class %s", dated.ExpirationNs, dated.InstrumentClass)
	}
	if _, ok := byID["BTCSTUSDT-PERP.BINANCE"]; !ok {
		t.Error("BTCSTUSDT, whose contractType is empty, is not a perpetual")
	}
}

func TestUnknownKeyIsAnError(t *testing.T) {
	for name, js := range map[string]string{
		"top level": `{"timezone":"UTC","surprise":1}`,
		"filter":    `{"symbols":[{"filters":[{"filterType":"NEW"}]}]}`,
	} {
		if _, err := Parse(strings.NewReader(js)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
