package inventory

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// A bucket may have hundreds of trails, and they are read for each event of it. So
// what is stored is short: no name of a member is longer than it must be, and
// what the ARN says is said once.

type shortAccount struct {
	ID       string       `json:"id"`
	Trails   []shortTrail `json:"trails,omitempty"`
	ReadAt   time.Time    `json:"readAt,omitzero"`
	FailedAt time.Time    `json:"failedAt,omitzero"`
	ToldAt   time.Time    `json:"toldAt,omitzero"`
	Heard    []Heard      `json:"heard,omitempty"`
	Sweeps   []Sweep      `json:"sweeps,omitempty"`
}

type shortBucket struct {
	Name     string          `json:"name"`
	Owner    string          `json:"owner,omitempty"`
	SoughtAt time.Time       `json:"soughtAt,omitzero"`
	Folders  time.Time       `json:"foldersAt,omitzero"`
	Trails   []shortTrail    `json:"trails,omitempty"`
	Expected []shortExpected `json:"expected,omitempty"`
	Apart    int             `json:"apart,omitempty"`
	Indexed  bool            `json:"indexed,omitempty"`
}

// shortTrail is a trail. Its name and home region are those of the ARN, unless
// they are given.
type shortTrail struct {
	ARN    string `json:"a"`
	Bucket string `json:"b"`
	Prefix string `json:"p,omitempty"`
	Key    string `json:"k,omitempty"`
	Topic  string `json:"t,omitempty"`
	Flags  string `json:"f,omitempty"`
	Name   string `json:"n,omitempty"`
	Home   string `json:"h,omitempty"`
	// Of a trail of a bucket: by whom it was seen, if not by its own account, and
	// when.
	By string    `json:"by,omitempty"`
	At time.Time `json:"at,omitzero"`
}

type shortExpected struct {
	Account string    `json:"c,omitempty"`
	Trail   string    `json:"a,omitempty"`
	Prefix  string    `json:"p,omitempty"`
	Source  Source    `json:"s"`
	At      time.Time `json:"at"`
}

// The letters of Flags.
const (
	multiRegion       = "m"
	organization      = "o"
	logFileValidation = "v"
	customSelectors   = "s"
	insightSelectors  = "i"
	globalEvents      = "g"
)

// kept are the trails without what is not stored of them: what is read back is then
// what was stored, and a survey that says nothing new changes nothing.
func kept(trails []trail.Trail) []trail.Trail {
	var short []trail.Trail
	for _, t := range trails {
		short = append(short, shorten(t).trail())
	}
	return short
}

func shorten(t trail.Trail) shortTrail {
	s := shortTrail{ARN: t.ARN, Bucket: t.Bucket, Prefix: t.Prefix, Key: t.KMSKeyID, Topic: t.SNSTopic}
	for _, flag := range []struct {
		set    bool
		letter string
	}{
		{t.MultiRegion, multiRegion},
		{t.Organization, organization},
		{t.LogFileValidation, logFileValidation},
		{t.CustomSelectors, customSelectors},
		{t.InsightSelectors, insightSelectors},
		{t.GlobalEvents, globalEvents},
	} {
		if flag.set {
			s.Flags += flag.letter
		}
	}
	if name, home := ofARN(t.ARN); t.Name != name || t.HomeRegion != home {
		s.Name, s.Home = t.Name, t.HomeRegion
	}
	return s
}

func (s shortTrail) trail() trail.Trail {
	has := func(letter string) bool { return strings.Contains(s.Flags, letter) }
	t := trail.Trail{
		ARN: s.ARN, Bucket: s.Bucket, Prefix: s.Prefix, KMSKeyID: s.Key, SNSTopic: s.Topic, Name: s.Name, HomeRegion: s.Home,
		MultiRegion: has(multiRegion), Organization: has(organization), LogFileValidation: has(logFileValidation),
		CustomSelectors: has(customSelectors), InsightSelectors: has(insightSelectors), GlobalEvents: has(globalEvents),
	}
	if s.Name == "" && s.Home == "" {
		t.Name, t.HomeRegion = ofARN(s.ARN)
	}
	return t
}

func ofARN(text string) (name, home string) {
	a, err := arn.ParseTrail(text)
	if err != nil {
		return "", ""
	}
	return string(a.Name), string(a.Region)
}

// MarshalJSON writes what is stored of the account. The version is the store's.
func (a Account) MarshalJSON() ([]byte, error) {
	s := shortAccount{ID: a.ID, ReadAt: a.ReadAt, FailedAt: a.FailedAt, ToldAt: a.ToldAt, Heard: a.Heard, Sweeps: a.Sweeps}
	for _, t := range a.Trails {
		s.Trails = append(s.Trails, shorten(t))
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (a *Account) UnmarshalJSON(text []byte) error {
	var s shortAccount
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*a = Account{ID: s.ID, ReadAt: s.ReadAt, FailedAt: s.FailedAt, ToldAt: s.ToldAt, Heard: s.Heard, Sweeps: s.Sweeps}
	for _, t := range s.Trails {
		a.Trails = append(a.Trails, t.trail())
	}
	return nil
}

// MarshalJSON writes what is stored of the bucket. The version is the store's.
func (b Bucket) MarshalJSON() ([]byte, error) {
	s := shortBucket{Name: b.Name, Owner: b.Owner, SoughtAt: b.SoughtAt, Folders: b.FoldersAt, Apart: b.Apart, Indexed: b.Indexed}
	for _, t := range b.Trails {
		s.Trails = append(s.Trails, t.short())
	}
	for _, e := range b.Expected {
		s.Expected = append(s.Expected, shortExpected{e.Account, e.Trail, e.Prefix, e.Source, e.At})
	}
	return json.Marshal(s)
}

// UnmarshalJSON reads what MarshalJSON has written.
func (b *Bucket) UnmarshalJSON(text []byte) error {
	var s shortBucket
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*b = Bucket{Name: s.Name, Owner: s.Owner, SoughtAt: s.SoughtAt, FoldersAt: s.Folders, Apart: s.Apart, Indexed: s.Indexed}
	for _, t := range s.Trails {
		b.Trails = append(b.Trails, t.seen())
	}
	for _, e := range s.Expected {
		g := delivery.Grantee{Account: e.Account, Trail: e.Trail, Prefix: e.Prefix}
		b.Expected = append(b.Expected, Expected{Grantee: g, Source: e.Source, At: e.At})
	}
	return nil
}

// MarshalJSON writes what is stored of a trail of a bucket.
func (t Trail) MarshalJSON() ([]byte, error) { return json.Marshal(t.short()) }

// UnmarshalJSON reads what MarshalJSON has written.
func (t *Trail) UnmarshalJSON(text []byte) error {
	var s shortTrail
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	*t = s.seen()
	return nil
}

func (t Trail) short() shortTrail {
	s := shorten(t.Trail)
	s.At = t.At
	if t.Source() != Listed {
		s.By = t.By
	}
	return s
}

func (s shortTrail) seen() Trail {
	t := Trail{Trail: s.trail(), By: s.By, At: s.At}
	if t.By == "" {
		t.By = t.Account()
	}
	return t
}
