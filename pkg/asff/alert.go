package asff

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// notification is what is read of an alert in JSON.
type notification struct {
	Version  int       `json:"version"`
	Kind     string    `json:"kind"`
	Action   string    `json:"action"` // trigger or resolve
	Accepted bool      `json:"accepted"`
	Incident string    `json:"incident"`
	Revision int       `json:"revision"`
	Severity string    `json:"severity"`
	Subject  string    `json:"subject"`
	Summary  string    `json:"summary"`
	Bucket   string    `json:"bucket"` // or the ARN of a trail, or account:111111111111
	Account  string    `json:"account"`
	Region   string    `json:"region"`
	At       time.Time `json:"at"`
	Since    time.Time `json:"since"`
	Verdict  string    `json:"verdict"`
	Trails   []struct {
		ARN string `json:"arn"`
	} `json:"trails"`
	Lost     []string  `json:"lost"`
	Problems []problem `json:"problems"`
	Findings []struct {
		ID    string `json:"id"`
		Trail string `json:"trail"`
	} `json:"findings"`
	Changes []struct {
		Event   string `json:"event"`
		Actor   string `json:"actor"`
		EventID string `json:"eventID"`
	} `json:"changes"`
	Links struct {
		Bucket  string `json:"bucket"`
		Trail   string `json:"trail"`
		Runbook string `json:"runbook"`
	} `json:"links"`
}

type problem struct {
	Title   string `json:"title"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`
	Link    string `json:"link"`
}

// version is that of the JSON form that is read here.
const version = 1

// read reads an alert. One that names no incident, or says when in no way that can be
// compared, cannot be told from others.
func read(text []byte) (notification, error) {
	var n notification
	if err := json.Unmarshal(text, &n); err != nil {
		return n, fmt.Errorf("the message is no alert in JSON: %w", err)
	}
	switch {
	case n.Version != version:
		return n, fmt.Errorf("the message is an alert of version %d; expected %d", n.Version, version)
	case n.Incident == "" || n.At.IsZero():
		return n, errors.New("the alert has no incident or no time")
	case !arn.Account(n.Account).Valid():
		return n, errors.New("the alert names no account")
	}
	return n, nil
}
