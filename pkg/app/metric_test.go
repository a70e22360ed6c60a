package app

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"
)

func fixedNow() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

func TestMetricLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := &meter{function: "guard", now: fixedNow, out: &out}
	m.emit(map[string]string{dimensionBucket: "logs", dimensionVerdict: "blocked"},
		count(MetricVerdicts, 1, dimensionVerdict), count(MetricOutages, 2, dimensionBucket), count(MetricRepairs, 0))
	m.emit(nil, metric{Name: MetricEventToAlertSeconds, Unit: "Seconds", Value: 7.25})
	m.emit(nil)
	golden(t, "metrics.jsonl", out.String())
}

func TestMetricLinesAreNotMixed(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	m := &meter{function: "guard", now: fixedNow, out: &out}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { m.emit(nil, count(MetricRepairs, 1)) })
	}
	wg.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 20 {
		t.Errorf("%d lines", len(lines))
	}
	for _, line := range lines {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
}
