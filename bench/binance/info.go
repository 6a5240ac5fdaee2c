// Package binance turns the exchange information of Binance USD-M futures into
// Nacre rows and back, without losing a byte: 155 real contracts are the
// proof that a row's fields hold what a venue publishes.
package binance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Info is the exchange information as published: fields in the order in which
// the venue writes them, so that a file that was read is written back byte for byte.
type Info struct {
	Timezone        string            `json:"timezone"`
	ServerTime      int64             `json:"serverTime"` // Milliseconds.
	FuturesType     string            `json:"futuresType"`
	RateLimits      []RateLimit       `json:"rateLimits"`
	ExchangeFilters []json.RawMessage `json:"exchangeFilters"`
	Assets          []Asset           `json:"assets"`
	Symbols         []Symbol          `json:"symbols"`
}

// RateLimit is one request limit.
type RateLimit struct {
	RateLimitType string `json:"rateLimitType"`
	Interval      string `json:"interval"`
	IntervalNum   int64  `json:"intervalNum"`
	Limit         int64  `json:"limit"`
}

// Asset is one coin that may serve as margin.
type Asset struct {
	Asset             string `json:"asset"`
	MarginAvailable   bool   `json:"marginAvailable"`
	AutoAssetExchange string `json:"autoAssetExchange"`
}

// Symbol is one contract.
type Symbol struct {
	Symbol                string   `json:"symbol"`
	Pair                  string   `json:"pair"`
	ContractType          string   `json:"contractType"`
	DeliveryDate          int64    `json:"deliveryDate"`
	OnboardDate           int64    `json:"onboardDate"`
	Status                string   `json:"status"`
	MaintMarginPercent    string   `json:"maintMarginPercent"`
	RequiredMarginPercent string   `json:"requiredMarginPercent"`
	BaseAsset             string   `json:"baseAsset"`
	QuoteAsset            string   `json:"quoteAsset"`
	MarginAsset           string   `json:"marginAsset"`
	PricePrecision        int64    `json:"pricePrecision"`
	QuantityPrecision     int64    `json:"quantityPrecision"`
	BaseAssetPrecision    int64    `json:"baseAssetPrecision"`
	QuotePrecision        int64    `json:"quotePrecision"`
	UnderlyingType        string   `json:"underlyingType"`
	UnderlyingSubType     []string `json:"underlyingSubType"`
	SettlePlan            int64    `json:"settlePlan"`
	TriggerProtect        string   `json:"triggerProtect"`
	LiquidationFee        string   `json:"liquidationFee"`
	MarketTakeBound       string   `json:"marketTakeBound"`
	Filters               Filters  `json:"filters"`
	OrderTypes            []string `json:"orderTypes"`
	TimeInForce           []string `json:"timeInForce"`
}

// Filters are a contract's seven limits; on the wire an array told apart by filterType.
type Filters struct {
	Price         priceFilter
	Lot           lotFilter
	MarketLot     lotFilter
	NumOrders     limitFilter
	NumAlgoOrders limitFilter
	MinNotional   notionalFilter
	PercentPrice  percentFilter
}

type priceFilter struct {
	MinPrice   string `json:"minPrice"`
	MaxPrice   string `json:"maxPrice"`
	FilterType string `json:"filterType"`
	TickSize   string `json:"tickSize"`
}

type lotFilter struct {
	StepSize   string `json:"stepSize"`
	FilterType string `json:"filterType"`
	MaxQty     string `json:"maxQty"`
	MinQty     string `json:"minQty"`
}

type limitFilter struct {
	Limit      int64  `json:"limit"`
	FilterType string `json:"filterType"`
}

type notionalFilter struct {
	Notional   string `json:"notional"`
	FilterType string `json:"filterType"`
}

type percentFilter struct {
	MultiplierDown    string `json:"multiplierDown"`
	MultiplierUp      string `json:"multiplierUp"`
	MultiplierDecimal string `json:"multiplierDecimal"`
	FilterType        string `json:"filterType"`
}

// slots lists where each filter of the array goes, in the venue's order.
func (f *Filters) slots() []struct {
	name string
	at   any
} {
	return []struct {
		name string
		at   any
	}{
		{"PRICE_FILTER", &f.Price}, {"LOT_SIZE", &f.Lot}, {"MARKET_LOT_SIZE", &f.MarketLot},
		{"MAX_NUM_ORDERS", &f.NumOrders}, {"MAX_NUM_ALGO_ORDERS", &f.NumAlgoOrders},
		{"MIN_NOTIONAL", &f.MinNotional}, {"PERCENT_PRICE", &f.PercentPrice},
	}
}

// UnmarshalJSON reads the array; a filter that is missing, doubled or unknown is an error.
func (f *Filters) UnmarshalJSON(b []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	slots := f.slots()
	if len(raw) != len(slots) {
		return fmt.Errorf("%d filters, want %d", len(raw), len(slots))
	}
	for i, r := range raw {
		var t struct{ FilterType string }
		if err := json.Unmarshal(r, &t); err != nil {
			return err
		}
		if t.FilterType != slots[i].name {
			return fmt.Errorf("filter %d is %q, want %q", i, t.FilterType, slots[i].name)
		}
		if err := strict(bytes.NewReader(r), slots[i].at); err != nil {
			return fmt.Errorf("filter %s: %w", t.FilterType, err)
		}
	}
	return nil
}

// MarshalJSON writes the array in the venue's order.
func (f Filters) MarshalJSON() ([]byte, error) {
	slots := f.slots()
	out := make([]any, len(slots))
	for i, s := range slots {
		out[i] = s.at
	}
	return json.Marshal(out)
}

// Parse reads exchange information; a key that Info doesn't have is an error, so nothing is dropped unseen.
func Parse(r io.Reader) (Info, error) {
	var in Info
	if err := strict(r, &in); err != nil {
		return Info{}, fmt.Errorf("exchange information: %w", err)
	}
	return in, nil
}

// Bytes writes exchange information in the venue's form.
func (in Info) Bytes() ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(in); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func strict(r io.Reader, v any) error {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}
