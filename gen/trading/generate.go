// Package trading is the typed store of trading state: positions, orders,
// accounts and instruments with their histories, and series of ticks and bars.
// It is generated from schema/trading.
//
//	s, err := store.Open(ctx, store.Config{TraderID: "TRADER-001", Schemas: []store.Schema{trading.Schema}})
//	t := trading.New(s)
//	for p, err := range t.Positions.Open().All(ctx) {
//
// Prices, quantities and money are decimals that keep their scale; times are
// nanoseconds since the Unix epoch, UTC; rates are fractions, not percent.
package trading

//go:generate go run ../../cmd/gen -schema ../../schema/trading -out .
