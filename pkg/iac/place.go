package iac

import (
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/delivery"
)

// Place is where a finding is to be mended: at the first of its statements whose line is known,
// else where the bucket's policy is written; of a key or topic, where that policy is.
func (r BucketReport) Place(f delivery.Finding) Origin {
	o := r.Origin
	if place, ok := r.chainPlaces[f.Chain]; ok {
		return place
	}
	if r.Subject.Policy == nil {
		return o
	}
	lines := r.Subject.Policy.Lines
	for _, label := range f.Statements {
		i := statementLabelled(r.Subject.Bucket.Policy, label)
		if n, err := strconv.Atoi(strings.TrimPrefix(label, "#")); i < 0 && err == nil {
			i = n // one of a policy that is not shown
		}
		if i >= 0 && i < len(lines) && lines[i] > 0 {
			o.Line = lines[i]
			return o
		}
	}
	return o
}
