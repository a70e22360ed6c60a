package delivery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Three hundred accounts are one finding, which names some of them.
func TestForwardingSilent(t *testing.T) {
	var places []delivery.Place
	for i := range 300 {
		places = append(places, delivery.Place{Account: fmt.Sprintf("200000000%03d", i), Region: "eu-west-1"})
		if i == 0 {
			places = append(places, delivery.Place{Account: "200000000000", Region: "us-east-1"})
		}
	}
	f := delivery.ForwardingSilent(places)
	if f.ID != "forwarding-silent" || f.Kind != delivery.Unknown || f.Severity != delivery.High || f.Restorable || len(f.Accounts) != 300 {
		t.Errorf("got %+v", f)
	}
	for _, want := range []string{"200000000000 in eu-west-1, 200000000000 in us-east-1", "200000000018", "and 281 more"} {
		if !strings.Contains(f.Message, want) {
			t.Errorf("%q is not in %q", want, f.Message)
		}
	}
	if strings.Contains(f.Message, "200000000019") {
		t.Errorf("all are named: %s", f.Message)
	}
}
