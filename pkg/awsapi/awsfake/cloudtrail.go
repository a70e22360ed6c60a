package awsfake

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Trail is a trail and what CloudTrail reports of it.
type Trail struct {
	trail.Trail
	Status trail.Status
}

// PutTrail makes a trail, or makes it anew.
func (s *Server) PutTrail(t Trail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trails = slices.DeleteFunc(s.trails, func(old *Trail) bool { return old.ARN == t.ARN })
	s.trails = append(s.trails, &t)
}

// DeleteTrail deletes a trail.
func (s *Server) DeleteTrail(arn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trails = slices.DeleteFunc(s.trails, func(old *Trail) bool { return old.ARN == arn })
}

type trailInput struct {
	TrailNameList []string
	Name          string
	TrailName     string
	NextToken     string
}

func (s *Server) cloudtrail(w http.ResponseWriter, r *http.Request, call Call) {
	var in trailInput
	if err := json.Unmarshal(call.Body, &in); err != nil {
		writeError(w, r, "cloudtrail", http.StatusBadRequest, "SerializationException", err.Error())
		return
	}
	switch call.Operation {
	case "cloudtrail:ListTrails":
		s.listTrails(w, call, in)
		return
	case "cloudtrail:DescribeTrails":
		s.describeTrails(w, call, in)
		return
	}
	t := s.trail(in.Name + in.TrailName)
	if t == nil || t.HomeRegion != call.Region {
		writeError(w, r, "cloudtrail", http.StatusBadRequest, "TrailNotFoundException", "Unknown trail: "+in.Name+in.TrailName)
		return
	}
	switch call.Operation {
	case "cloudtrail:GetTrailStatus":
		writeJSON(w, http.StatusOK, statusJSON(t.Status))
	case "cloudtrail:GetEventSelectors":
		writeJSON(w, http.StatusOK, selectorsJSON(t))
	case "cloudtrail:GetEventConfiguration":
		out := map[string]any{"TrailARN": t.ARN}
		if t.Aggregated {
			out["AggregationConfigurations"] = []any{map[string]any{"EventCategory": "Data", "Templates": []string{"API_ACTIVITY"}}}
		}
		writeJSON(w, http.StatusOK, out)
	default:
		writeError(w, r, "cloudtrail", http.StatusBadRequest, "UnknownOperationException", call.Operation)
	}
}

func (s *Server) trail(arn string) *Trail {
	for _, t := range s.trails {
		if t.ARN == arn {
			return t
		}
	}
	return nil
}

// seenBy are the trails that an account sees. In an organization they are its own and those
// of the organization; else the server is one account, and has what was put into it.
func (s *Server) seenBy(account string) []*Trail {
	return slices.DeleteFunc(slices.Clone(s.trails), func(t *Trail) bool {
		return s.Members != nil && !t.Organization && t.Account() != account
	})
}

// listTrails gives one trail per page: pages are to be followed.
func (s *Server) listTrails(w http.ResponseWriter, call Call, in trailInput) {
	at, trails := len(in.NextToken), s.seenBy(call.Account)
	out := map[string]any{"Trails": []any{}}
	if at < len(trails) {
		t := trails[at]
		out["Trails"] = []any{map[string]any{"Name": t.Name, "TrailARN": t.ARN, "HomeRegion": t.HomeRegion}}
	}
	if at+1 < len(trails) {
		out["NextToken"] = strings.Repeat("n", at+1)
	}
	writeJSON(w, http.StatusOK, out)
}

// describeTrails gives what the region sees; named trails only if it sees them.
func (s *Server) describeTrails(w http.ResponseWriter, call Call, in trailInput) {
	list := []trail.Trail{}
	for _, t := range s.seenBy(call.Account) {
		seen := t.MultiRegion || t.HomeRegion == call.Region
		if seen && (len(in.TrailNameList) == 0 || slices.Contains(in.TrailNameList, t.ARN)) {
			described := t.Trail
			described.NetworkActivity, described.Aggregated, described.Unlogged = false, false, trail.Unlogged{}
			list = append(list, described)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"trailList": list})
}

func statusJSON(s trail.Status) map[string]any {
	out := map[string]any{"IsLogging": s.Logging}
	for name, text := range map[string]string{
		"LatestDeliveryError": s.DeliveryError, "LatestDigestDeliveryError": s.DigestError,
		"LatestNotificationError": s.NotificationError, "LatestCloudWatchLogsDeliveryError": s.LogsError,
	} {
		if text != "" {
			out[name] = text
		}
	}
	for name, at := range map[string]time.Time{
		"LatestDeliveryTime": s.DeliveredAt, "LatestDigestDeliveryTime": s.DigestDeliveredAt,
		"StartLoggingTime": s.StartedLoggingAt, "StopLoggingTime": s.StoppedLoggingAt,
	} {
		if !at.IsZero() {
			out[name] = at.Unix()
		}
	}
	out["LatestDeliveryAttemptTime"] = ""
	if !s.DeliveryAttempt.IsZero() {
		out["LatestDeliveryAttemptTime"] = s.DeliveryAttempt.Format(time.RFC3339)
	}
	return out
}

func selectorsJSON(t *Trail) map[string]any {
	out := map[string]any{"TrailARN": t.ARN}
	if !t.CustomSelectors {
		return out
	}
	selector := func(category string, more ...any) any {
		field := map[string]any{"Field": "eventCategory", "Equals": []string{category}}
		return map[string]any{"FieldSelectors": append([]any{field}, more...)}
	}
	selectors := []any{selector("Data", map[string]any{"Field": "resources.type", "Equals": []string{"AWS::S3::Object"}})}
	if t.NetworkActivity {
		selectors = append(selectors, selector("NetworkActivity"))
	}
	var more []any
	switch {
	case t.Unlogged.Reads:
		more = append(more, map[string]any{"Field": "readOnly", "Equals": []string{"false"}})
	case t.Unlogged.Writes:
		more = append(more, map[string]any{"Field": "readOnly", "Equals": []string{"true"}})
	}
	if t.Unlogged.Sources != "" {
		more = append(more, map[string]any{"Field": "eventSource", "NotEquals": strings.Split(t.Unlogged.Sources, ", ")})
	}
	if !t.Unlogged.Reads || !t.Unlogged.Writes {
		selectors = append(selectors, selector("Management", more...))
	}
	out["AdvancedEventSelectors"] = selectors
	return out
}
