package alert

import (
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/repair"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Kind is the change of state that an alert tells of.
type Kind string

// The kinds. Nothing, the zero Kind, is no change: nothing is to be told.
const (
	Nothing         Kind = ""
	Opened          Kind = "opened"         // something is wrong that was not before
	Changed         Kind = "changed"        // what is wrong has changed
	Restored        Kind = "restored"       // it was wrong, and Trailwarden set it right
	RestoreFailed   Kind = "restore-failed" // Trailwarden tried to set it right and could not
	BudgetExhausted Kind = "fight"          // the repair budget is spent: someone keeps changing it
	Resolved        Kind = "resolved"       // it is right again, not by Trailwarden
	Reminder        Kind = "reminder"       // it is still wrong
)

// Notice is everything that an alert tells.
type Notice struct {
	Kind    Kind
	Account string // account of the bucket
	// AccountName is what its owner calls it; empty: that is not known.
	AccountName string
	Region      string // region of the bucket
	At          time.Time
	// Since is when the state that is told of began; zero: not known.
	Since time.Time
	// Report is the judgement as things stand now.
	Report delivery.Report
	// Before is the judgement before the repair, nil if nothing was repaired.
	Before *delivery.Report
	// Changes are the API calls that may have brought it about, newest first.
	Changes []delivery.Change
	// Noticed is the API call by which the state was noticed, where none is
	// known that can have brought it about. It is not to blame; nil: there is
	// none.
	Noticed *delivery.Change
	// Statuses are what CloudTrail itself reports, where it was asked.
	Statuses []trail.Status
	// OptedIn says that the bucket is listed for restoring.
	OptedIn bool
	// Plan is what restoring did, or would do.
	Plan repair.Plan
	// Mended is the whole policy with which CloudTrail can deliver, for a person to put; see
	// [repair.Mended]. Empty: none is known, or none is needed.
	Mended []byte
	// Trails are the trails that deliver into the bucket, and Organization is what is known of
	// that of the account. Commands are made from them.
	Trails       []trail.Trail
	Organization trail.Organization
	// Former is a deleted trail as it was last seen; nil: that is not known.
	Former *trail.Trail
	// Stack is the deployment that tells.
	Stack Stack
	// Incident names what the alerts from the first to the last on one outage have in common,
	// and Revision counts them, from 1 on. Zero: there is no memory to count with.
	Incident string
	Revision int
	// Failure says why a repair could not be carried out or did not help.
	Failure string
	// Repairs is how often the bucket was repaired in the window of the budget.
	Repairs int
	Window  time.Duration
	// Held says that repairs are on hold, and why ("undone by …").
	Held string
	// Blind says that EventBridge will see no more events, because no trail
	// of the account is logging.
	Blind bool
	// Overwritten is the policy of another writer that our write replaced, or
	// empty. See Changes for who it was.
	Overwritten []byte
	// Settled are the ids of findings that the team was told of and that are gone, of
	// what is resolved.
	Settled []string
	// Accepted says that they are gone because the owner accepts them: what a trail covers
	// less, or weaknesses.
	Accepted bool
	// Notes are further plain sentences.
	Notes []string
}

// Stack is what an alert says of the deployment that sends it. What is not known is empty.
type Stack struct {
	Account string
	Region  string
	Table   string // name of the DynamoDB table with its memory
	Runbook string // address of what the owner wants to be done
}

// Format is the form of a message's body.
type Format string

// The formats.
const (
	Text Format = "text" // readable e-mail
	JSON Format = "json" // docs/alert.schema.json
	Chat Format = "chat" // custom notification of chat applications that read SNS
)

// Message is one message to publish, within SNS's limits.
type Message struct {
	Subject    string            `json:"subject"`    // 1 to 100 printable ASCII characters
	Body       string            `json:"body"`       // at most 48 KiB with the attributes
	Attributes map[string]string `json:"attributes"` // kind, severity, bucket, account, region
	// Chat is the same alert in the format Chat, where it goes to a topic of its own;
	// empty: it does not.
	Chat string `json:"chat,omitempty"`
	// JSON is the same alert in the format JSON, for functions that subscribe to the
	// topic, where the body has another; empty: it is not wanted.
	JSON string `json:"json,omitempty"`
}

// Compose writes the notice in the given format. An unknown format is Text. It
// keeps the limits of SNS for any notice: what is too long is cut, and says so.
func Compose(n Notice, f Format) Message {
	var m Message
	for c := widest(); ; c = c.half() {
		v := newView(n, c)
		m = Message{Subject: v.subject(), Attributes: v.attributes()}
		switch f {
		case JSON:
			m.Body = v.json(m.Subject)
		case Chat:
			m.Body = v.chat(m.Subject)
		case Text:
			m.Body = v.text()
		default:
			m.Body = v.text()
		}
		if m.size() <= maxMessage || c == c.half() {
			return m
		}
	}
}

// size returns what SNS counts: the body and the attributes' names, types and
// values. Source: SNS developer guide, "Amazon SNS message attributes".
func (m Message) size() int {
	n := len(m.Body)
	for k, v := range m.Attributes {
		n += len(k) + len("String") + len(v)
	}
	return n
}

// attributes returns the message attributes for filter policies. SNS refuses an
// empty value, so that what is not known is left out.
func (v *view) attributes() map[string]string {
	all := map[string]string{
		"kind":     string(v.Kind),
		"severity": string(v.severity),
		"bucket":   v.Report.Bucket,
		"account":  v.Account,
		"region":   v.Region,
	}
	for k, value := range all {
		if value = strings.TrimSpace(ascii(value)); value == "" {
			delete(all, k)
			continue
		}
		all[k] = cut(value, 256)
	}
	return all
}
