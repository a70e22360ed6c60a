package app

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

func TestGroups(t *testing.T) {
	t.Parallel()
	at := func(second int) *delivery.Change {
		return &delivery.Change{Time: time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC)}
	}
	bucket := func(name string, second int) request {
		return request{Request: guardrail.Request{Account: account, Bucket: name, Change: at(second)}}
	}
	of := func(name, bucket string, second int) request {
		return request{Request: guardrail.Request{Account: account, Trail: name, Bucket: bucket, Change: at(second)}}
	}
	failed := bucket("a", 9)
	failed.Change.ErrorCode = "AccessDenied"
	early, late := bucket("a", 1), bucket("a", 1)
	early.sent, late.sent = time.UnixMilli(1), time.UnixMilli(2)
	for name, test := range map[string]struct {
		requests []request
		want     [][]int
	}{
		"nothing":                {nil, nil},
		"apart":                  {[]request{bucket("a", 1), bucket("b", 1), of("t", "", 1)}, [][]int{{0}, {1}, {2}}},
		"newest first":           {[]request{bucket("a", 1), bucket("b", 1), bucket("a", 3), bucket("a", 2)}, [][]int{{2, 3, 0}, {1}}},
		"failed calls last":      {[]request{failed, bucket("a", 1)}, [][]int{{1, 0}}},
		"in the same second":     {[]request{early, late}, [][]int{{1, 0}}},
		"a trail and its bucket": {[]request{bucket("a", 1), of("t", "a", 2), of("t", "", 3)}, [][]int{{2, 1, 0}}},
		"joined by the last":     {[]request{bucket("a", 1), of("t", "", 2), bucket("b", 3), of("t", "a", 0)}, [][]int{{1, 0, 3}, {2}}},
		"a chain, joined backwards": {
			[]request{bucket("c", 1), bucket("b", 1), bucket("a", 1), of("t", "c", 4), of("u", "b", 3), of("t", "b", 2)},
			[][]int{{3, 4, 5, 0, 1}, {2}},
		},
	} {
		if diff := cmp.Diff(test.want, grouped(test.requests)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
