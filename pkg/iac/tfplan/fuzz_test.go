package tfplan_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/trailwarden/trailwarden/pkg/iac"
	"github.com/trailwarden/trailwarden/pkg/iac/tfplan"
)

// Whatever a plan holds, it is read or refused, and what is read is judged.
func FuzzRead(f *testing.F) {
	plans, err := filepath.Glob("testdata/*/plan.json")
	if err != nil || len(plans) == 0 {
		f.Fatal(err)
	}
	for _, path := range plans {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(_ *testing.T, plan []byte) {
		in, err := tfplan.Read(bytes.NewReader(plan), tfplan.Options{})
		if err == nil {
			iac.Assess(in, iac.Setting{Now: today})
		}
	})
}
