package main

import (
	"context"
	"log"
	"os"
)

func Example() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// P-1 LONG 12.5 <nil>
	// trader-TRADER-001-position.by_strategy:S-1
	// trader-TRADER-001-position.ids
	// trader-TRADER-001-position.open
	// trader-TRADER-001-position:P-1
}
