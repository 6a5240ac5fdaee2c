// Package ticket is the old of two versions of one schema.
package ticket

//go:generate go tool github.com/nacre-store/nacre/cmd/gen -schema ../schema/old -out . -package ticket
