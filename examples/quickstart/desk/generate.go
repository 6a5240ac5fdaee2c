// Package desk is the typed store of the quickstart: written by cmd/gen from
// the schema beside it.
package desk

//go:generate go run github.com/nacre-store/nacre/cmd/gen -schema ../schema -out .
