package app

import (
	"encoding/json"
	"io"
	"sync"
	"time"
)

// Namespace is the namespace of the metrics in CloudWatch.
const Namespace = "Trailwarden"

// The metrics and their dimensions. FunctionName is a dimension of each.
const (
	MetricVerdicts            = "Verdicts"            // count, by Verdict
	MetricOutages             = "Outages"             // outage findings, in all and by Bucket
	MetricRepairs             = "Repairs"             // count
	MetricRefusals            = "Refusals"            // findings that a repair refused
	MetricAlertsSent          = "AlertsSent"          // count
	MetricAlertsFailed        = "AlertsFailed"        // count
	MetricEvents              = "Events"              // events that came
	MetricEventsFailed        = "EventsFailed"        // events to be tried again, or dropped because they cannot be read
	MetricStrangers           = "Strangers"           // events of accounts that are not in the organization
	MetricEventToAlertSeconds = "EventToAlertSeconds" // from the API call to the alert
	MetricAcceptedIdle        = "AcceptedIdle"        // entries that ended or accept nothing, and a list that is none
	MetricSweepCompleted      = "SweepCompleted"      // 1 at the end of a sweep, also of one with failures
	MetricSweepFailures       = "SweepFailures"       // 1 if anything could not be judged, else 0
	MetricSweepTrails         = "SweepTrails"         // trails seen by a sweep
	MetricSweepBuckets        = "SweepBuckets"        // trail buckets seen by a sweep
	MetricSweepAccounts       = "SweepAccounts"       // accounts that the sweep of an organization asked
	MetricSweepUnread         = "SweepUnread"         // of them, those that could not be read
)

const (
	dimensionFunction = "FunctionName"
	dimensionVerdict  = "Verdict"
	dimensionBucket   = "Bucket"
)

// meter writes metrics as lines of the embedded metric format, which
// CloudWatch Logs turns into metrics. It is safe for use by several goroutines.
// Source: "Specification: embedded metric format" of the CloudWatch user guide.
type meter struct {
	function string
	now      func() time.Time

	mu  sync.Mutex
	out io.Writer
}

// metric is one value. By names the dimensions that it is counted by beside
// the function's name.
type metric struct {
	Name  string
	Unit  string // "Count" or "Seconds"
	Value float64
	By    []string
}

func count(name string, n int, by ...string) metric {
	return metric{Name: name, Unit: "Count", Value: float64(n), By: by}
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []definition
}

type definition struct{ Name, Unit string }

// emit writes the metrics in one line, with the values of their dimensions.
// A failure to write is not reported: there is nowhere to report it to.
func (m *meter) emit(dimensions map[string]string, metrics ...metric) {
	if len(metrics) == 0 {
		return
	}
	line := map[string]any{dimensionFunction: m.function}
	for name, value := range dimensions {
		line[name] = value
	}
	directives := make([]directive, len(metrics))
	for i, x := range metrics {
		sets := [][]string{{dimensionFunction}}
		for _, by := range x.By {
			sets = append(sets, []string{dimensionFunction, by})
		}
		directives[i] = directive{Namespace, sets, []definition{{x.Name, x.Unit}}}
		line[x.Name] = x.Value
	}
	line["_aws"] = map[string]any{
		"Timestamp":         m.now().UnixMilli(),
		"CloudWatchMetrics": directives,
	}
	text, err := json.Marshal(line)
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, _ = m.out.Write(append(text, '\n'))
}
