// Package ticket is the new of two versions of one schema.
package ticket

//go:generate go tool github.com/nacre-store/nacre/cmd/gen -schema ../schema/new -out . -package ticket
