package sim

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/shopspring/decimal"
)

// BarType is the key of the bars that [ReadBars] reads.
const BarType trading.BarType = "BTCUSDT-PERP.BINANCE-1-MINUTE-LAST-EXTERNAL"

// ReadBars reads one-minute bars: timestamp of the close, open, high, low, close and the quote turnover.
func ReadBars(path string) ([]trading.Bar, error) {
	var bars []trading.Bar
	err := readCSV(path, "timestamp,open,high,low,close,volume", func(at store.Timestamp, v []decimal.Decimal) {
		bars = append(bars, trading.Bar{
			Open: v[0], High: v[1], Low: v[2], Close: v[3], QuoteVolume: store.Some(v[4]), TsEvent: at, TsInit: at,
		})
	})
	return bars, err
}

// ReadQuotes reads quotes without sizes: timestamp, bid, ask.
func ReadQuotes(path string) ([]trading.QuoteTick, error) {
	var quotes []trading.QuoteTick
	err := readCSV(path, "timestamp,bid,ask", func(at store.Timestamp, v []decimal.Decimal) {
		quotes = append(quotes, trading.QuoteTick{BidPrice: v[0], AskPrice: v[1], TsEvent: at, TsInit: at})
	})
	return quotes, err
}

func readCSV(path, header string, row func(store.Timestamp, []decimal.Decimal)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.ReuseRecord = true
	rec, err := r.Read()
	if err != nil || strings.Join(rec, ",") != header {
		return fmt.Errorf("%s: header is not %q", path, header)
	}
	for {
		rec, err := r.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		line, _ := r.FieldPos(0)
		at, err := time.Parse(time.DateTime, strings.TrimSuffix(rec[0], "+00:00"))
		if err != nil {
			return fmt.Errorf("%s:%d: %w", path, line, err)
		}
		v := make([]decimal.Decimal, len(rec)-1)
		for i := range v {
			if v[i], err = decimal.NewFromString(rec[i+1]); err != nil {
				return fmt.Errorf("%s:%d: %w", path, line, err)
			}
		}
		row(store.At(at), v)
	}
}
