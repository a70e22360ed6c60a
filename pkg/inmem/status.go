package inmem

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// readStatuses reads what CloudTrail reports of the trails: a list, or an object
// that has it by the trails' names or ARNs. An entry is a [trail.Status], or
// the output of get-trail-status. That has no name in it: in a list, a member
// Name or TrailARN has to be added where there is more than one trail.
func readStatuses(raw json.RawMessage, trails []trail.Trail) ([]trail.Status, error) {
	if isOutput(raw) {
		raw = slices.Concat([]byte("["), raw, []byte("]"))
	}
	entries, names, err := entriesOf(raw)
	if err != nil {
		return nil, fmt.Errorf("statuses: %w; expected an object that has %s by the trails' names", err, expectStatus)
	}
	var statuses []trail.Status
	seen := map[string]bool{}
	for i, entry := range entries {
		at, name := fmt.Sprintf("statuses[%d]", i), ""
		if names != nil {
			at, name = fmt.Sprintf("statuses[%q]", names[i]), names[i]
		}
		s, err := readStatus(entry, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		if s.ARN, err = arnOf(s.ARN, trails); err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		if seen[s.ARN] {
			return nil, fmt.Errorf("%s: there is another of trail %s; expected one for each trail", at, s.ARN)
		}
		seen[s.ARN] = true
		statuses = append(statuses, s)
	}
	return statuses, nil
}

// output is what get-trail-status prints.
// Source: GetTrailStatus in the API reference of CloudTrail.
type output struct {
	// Who has put the output into a list may have said of which trail it is.
	ARN      string `json:"arn"`
	TrailARN string
	Name     string

	IsLogging                 bool
	LatestDeliveryError       string
	LatestDigestDeliveryError string
	LatestNotificationError   string
	LogsError                 string `json:"LatestCloudWatchLogsDeliveryError"`
	LatestDeliveryTime        cliTime
	LatestDeliveryAttemptTime any
	LatestDigestDeliveryTime  cliTime
	StartLoggingTime          cliTime
	StopLoggingTime           cliTime
}

func isOutput(raw json.RawMessage) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(raw, &members) == nil && members["IsLogging"] != nil
}

// readStatus reads the status of a trail whose name is given, or stands in it.
// The ARN of the status is the name or ARN that was given; empty: none was.
func readStatus(entry json.RawMessage, name string) (trail.Status, error) {
	if !isOutput(entry) {
		var s trail.Status
		if err := decode(entry, &s, expectStatus); err != nil {
			return s, err
		}
		if name != "" {
			s.ARN = name
		}
		return s, nil
	}
	var o output
	if err := json.Unmarshal(entry, &o); err != nil {
		return trail.Status{}, explain(err, expectStatus)
	}
	for _, given := range []string{o.Name, o.TrailARN, o.ARN} {
		if name == "" {
			name = given
		}
	}
	s := trail.Status{
		ARN: name, Logging: o.IsLogging, DeliveryError: o.LatestDeliveryError, DigestError: o.LatestDigestDeliveryError,
		NotificationError: o.LatestNotificationError, LogsError: o.LogsError,
		DeliveredAt: time.Time(o.LatestDeliveryTime), DigestDeliveredAt: time.Time(o.LatestDigestDeliveryTime),
		StartedLoggingAt: time.Time(o.StartLoggingTime), StoppedLoggingAt: time.Time(o.StopLoggingTime),
	}
	// AWS says that this one is no longer in use: an odd value is no failure.
	s.DeliveryAttempt, _ = instantOf(o.LatestDeliveryAttemptTime)
	return s, nil
}

// arnOf returns the ARN of the trail of that name or ARN. Without one it is
// that of the only trail.
func arnOf(name string, trails []trail.Trail) (string, error) {
	var found []string
	for _, t := range trails {
		if t.ARN == name || t.Name == name || name == "" {
			found = append(found, t.ARN)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0:
		return "", fmt.Errorf("there is no trail %q; expected the name or the ARN of one of trails", name)
	case name == "":
		return "", fmt.Errorf("it does not say of which trail it is; expected an object that has %s by the trails' names", expectStatus)
	}
	return "", fmt.Errorf("%d trails have the name %q; expected an ARN", len(found), name)
}

// cliTime is a time as a version of the AWS CLI prints it: in ISO 8601, or as
// seconds since 1970.
type cliTime time.Time

// UnmarshalJSON reads either form.
func (t *cliTime) UnmarshalJSON(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	at, ok := instantOf(v)
	if !ok {
		return fmt.Errorf("%.60s is no time; expected one as the AWS CLI prints it", text)
	}
	*t = cliTime(at)
	return nil
}

func instantOf(v any) (time.Time, bool) {
	const longest = 253402300799 // the end of the year 9999
	switch v := v.(type) {
	case nil:
		return time.Time{}, true
	case float64:
		if v < 0 || v > longest {
			return time.Time{}, false
		}
		seconds, fraction := math.Modf(v)
		return time.Unix(int64(seconds), int64(fraction*1e9)).UTC(), true
	case string:
		if v == "" {
			return time.Time{}, true
		}
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC(), true
		}
		if seconds, err := strconv.ParseFloat(v, 64); err == nil {
			return instantOf(seconds)
		}
	}
	return time.Time{}, false
}
