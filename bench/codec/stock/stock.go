// Package stock holds the shapes of testdata/codec, and the trading schema's
// order, as tinylib/msgp's own generator wants them, with the shim that its
// users write for decimals. It is what Nacre's codec is measured against.
//
// The files that end in _gen.go are that generator's.
package stock

import "github.com/shopspring/decimal"

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file stock.go -io=false -tests=false

//msgp:shim decimal.Decimal as:string using:decimalText/textDecimal mode:convert

func decimalText(d decimal.Decimal) (string, error) { return d.String(), nil }

func textDecimal(s string) (decimal.Decimal, error) { return decimal.NewFromString(s) }

// Position mirrors shapes.Position.
type Position struct {
	PositionID   string          `msg:"position_id"`
	InstrumentID string          `msg:"instrument_id"`
	StrategyID   string          `msg:"strategy_id"`
	Side         string          `msg:"side"`
	Quantity     decimal.Decimal `msg:"quantity"`
	AvgPxOpen    decimal.Decimal `msg:"avg_px_open"`
	TSOpened     int64           `msg:"ts_opened"`
	TSLast       int64           `msg:"ts_last"`
}

// OrderEvent mirrors shapes.OrderEvent.
type OrderEvent struct {
	EventID string          `msg:"event_id"`
	Status  string          `msg:"status"`
	LastQty decimal.Decimal `msg:"last_qty"`
	LastPx  decimal.Decimal `msg:"last_px"`
	TSEvent int64           `msg:"ts_event"`
}

// Order mirrors shapes.Order.
type Order struct {
	ClientOrderID string          `msg:"client_order_id"`
	VenueOrderID  string          `msg:"venue_order_id"`
	InstrumentID  string          `msg:"instrument_id"`
	OrderType     string          `msg:"order_type"`
	Side          string          `msg:"side"`
	Quantity      decimal.Decimal `msg:"quantity"`
	AvgPx         decimal.Decimal `msg:"avg_px"`
	Status        string          `msg:"status"`
	Events        []OrderEvent    `msg:"events"`
}

// Balance mirrors shapes.Balance.
type Balance struct {
	Currency string          `msg:"currency"`
	Total    decimal.Decimal `msg:"total"`
	Locked   decimal.Decimal `msg:"locked"`
	Free     decimal.Decimal `msg:"free"`
}

// Account mirrors shapes.Account.
type Account struct {
	AccountID   string    `msg:"account_id"`
	AccountType string    `msg:"account_type"`
	Balances    []Balance `msg:"balances"`
}
