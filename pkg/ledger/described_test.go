package ledger_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/ledger"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// A record keeps how the account's own trails were last seen, for as long as it names them.
func TestDescribe(t *testing.T) {
	own := func(name, selectors string) trail.Trail {
		return trail.Trail{
			Name: name, ARN: "arn:aws:cloudtrail:us-east-1:111111111111:trail/" + name, Bucket: "logs",
			CustomSelectors: true, SelectorsKnown: selectors != "", Selectors: selectors,
		}
	}
	theirs := trail.Trail{Name: "org", ARN: "arn:aws:cloudtrail:us-east-1:222222222222:trail/org", Bucket: "logs"}
	main, other := own("main", "all"), own("other", "some")
	r := ledger.Record{Trails: []string{main.ARN, other.ARN, theirs.ARN}}
	r = r.Describe([]trail.Trail{main, other, theirs}, "111111111111")
	if diff := cmp.Diff([]trail.Trail{main, other}, r.Described); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}

	r = r.Describe([]trail.Trail{own("other", "")}, "111111111111") // main is gone, and the selectors of the other cannot be read
	kept := own("other", "")
	kept.Selectors = "some"
	if diff := cmp.Diff([]trail.Trail{main, kept}, r.Described); diff != "" {
		t.Errorf("not seen (-want +got):\n%s", diff)
	}
	if got, known := r.Description(main.ARN); !known || got != main {
		t.Errorf("of the trail that is gone: %+v, %t", got, known)
	}

	r.Trails = []string{theirs.ARN}
	if r = r.Describe(nil, "111111111111"); r.Described != nil {
		t.Errorf("forgotten, and yet %+v", r.Described)
	}

	var many []trail.Trail
	for i := range 500 {
		many = append(many, own(fmt.Sprintf("t%d", i), "all"))
		r.Trails = append(r.Trails, many[i].ARN)
	}
	if r = r.Describe(many, "111111111111"); len(r.Described) != ledger.MaxDescribed {
		t.Errorf("%d of 500 are kept", len(r.Described))
	}
}
