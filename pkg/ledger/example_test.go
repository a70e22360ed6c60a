package ledger_test

import (
	"fmt"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// What is told follows from the difference between what is remembered and what
// is seen. The same look again tells nothing.
func ExampleNext() {
	now := time.Date(2026, 9, 13, 17, 0, 0, 0, time.UTC)
	settings := ledger.Settings{Budget: 3, Window: time.Hour, RemindEvery: 24 * time.Hour}
	broken := ledger.Facts{Findings: []delivery.Finding{{ID: "policy-missing", Kind: delivery.Outage}}}

	record := ledger.Record{Key: ledger.Key{Account: "111111111111", Bucket: "logs"}}
	for _, look := range []ledger.Facts{broken, broken, {}, {}} {
		next, tell, _ := ledger.Next(record, look, now, settings)
		fmt.Printf("%q\n", tell)
		record = next
	}
	// Output:
	// "opened"
	// ""
	// "resolved"
	// ""
}
