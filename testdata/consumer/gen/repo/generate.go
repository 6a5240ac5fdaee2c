// Package repo keeps the state of a repo desk in Redis: trades with their
// history and collateral, the securities behind them, books and limits.
//
// All but this file is generated from schema/repo.
package repo

//go:generate go tool github.com/nacre-store/nacre/cmd/gen -schema ../../schema/repo -out .
