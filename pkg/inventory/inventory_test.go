package inventory_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/inventory"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

const (
	own        = "111111111111"
	other      = "222222222222"
	management = "999999999999"
	logs       = "acme-audit-logs"
)

// at is a time so many minutes after noon.
func at(minutes int) time.Time {
	return time.Date(2026, 9, 13, 12, 0, 0, 0, time.UTC).Add(time.Duration(minutes) * time.Minute)
}

func trailOf(account, name, bucket string) trail.Trail {
	return trail.Trail{
		Name: name, ARN: arn.TrailIn("us-east-1", arn.Account(account), arn.TrailName(name)).String(), HomeRegion: "us-east-1",
		Bucket: bucket, MultiRegion: true, Organization: account == management,
	}
}

func survey(minutes int, account string, trails ...trail.Trail) inventory.Survey {
	return inventory.Survey{Account: account, At: at(minutes), Trails: trails}
}

func failed(minutes int, account string) inventory.Survey {
	return inventory.Survey{Account: account, At: at(minutes), Failed: true}
}

func after(surveys ...inventory.Survey) inventory.Part {
	var p inventory.Part
	for _, s := range surveys {
		p = p.With(s)
	}
	return p
}

// delivering are the names of the trails that deliver into a bucket, with their
// sources.
func delivering(p inventory.Part, bucket string) string {
	var names []string
	for _, t := range p.Buckets[bucket].Trails {
		names = append(names, t.Account()[:1]+"/"+t.Name+" "+string(t.Source()))
	}
	return strings.Join(names, ", ")
}

func TestTrailsOfABucket(t *testing.T) {
	main, second := trailOf(own, "main", logs), trailOf(own, "second", "other-logs")
	moved := main
	moved.Bucket = "other-logs"
	theirs, company := trailOf(other, "theirs", logs), trailOf(management, "company", logs)
	companyMoved := company
	companyMoved.Bucket = "other-logs"
	for name, test := range map[string]struct {
		surveys []inventory.Survey
		want    string
	}{
		"listed":                       {[]inventory.Survey{survey(1, own, main, second)}, "1/main listed"},
		"of several accounts":          {[]inventory.Survey{survey(1, own, main), survey(2, other, theirs)}, "1/main listed, 2/theirs listed"},
		"the account was read again":   {[]inventory.Survey{survey(1, own, main), survey(2, other, theirs), survey(3, own, main)}, "1/main listed, 2/theirs listed"},
		"deleted":                      {[]inventory.Survey{survey(1, own, main), survey(2, own, second)}, ""},
		"moved":                        {[]inventory.Survey{survey(1, own, main), survey(2, own, moved)}, ""},
		"the account cannot be read":   {[]inventory.Survey{survey(1, other, theirs), failed(2, other)}, "2/theirs listed"},
		"an organization's":            {[]inventory.Survey{survey(1, own, company)}, "9/company organization"},
		"an organization's, read last": {[]inventory.Survey{survey(1, own, company), survey(2, management, company)}, "9/company listed"},
		"the member left":              {[]inventory.Survey{survey(1, own, company), survey(2, own)}, "9/company organization"},
		"the organization's is gone":   {[]inventory.Survey{survey(1, own, company), survey(2, management)}, ""},
		"a member still showed it":     {[]inventory.Survey{survey(2, management), survey(1, own, company)}, ""},
		"a member sees that it moved":  {[]inventory.Survey{survey(1, management, company), survey(2, own, companyMoved)}, ""},
		"a member saw it before":       {[]inventory.Survey{survey(2, management, company), survey(1, own, companyMoved)}, "9/company listed"},
		"an older survey comes late":   {[]inventory.Survey{survey(2, own, second), survey(1, own, main)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := delivering(after(test.surveys...), logs); got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// A process that was overtaken may have stored an older survey in a bucket.
func TestWhatWasStoredLateIsTakenOut(t *testing.T) {
	late := after(survey(1, own, trailOf(own, "main", logs)))
	p := after(survey(2, own))
	p.Buckets = late.Buckets
	if got := delivering(p.With(survey(3, own)), logs); got != "" {
		t.Errorf("still %q", got)
	}
}

func TestFresh(t *testing.T) {
	read := after(survey(10, own)).Accounts[own]
	for name, test := range map[string]struct {
		account inventory.Account
		want    bool
	}{
		"never read":             {inventory.Account{}, false},
		"only failed":            {after(failed(50, own)).Accounts[own], false},
		"read":                   {read, true},
		"read, and failed since": {after(survey(10, own), failed(50, own)).Accounts[own], true},
		"read long ago":          {after(survey(-1, own)).Accounts[own], false},
		"told of before":         {read.After(at(9)), true},
		"told of since":          {read.After(at(11)), false},
		"read after an event":    {inventory.Part{Accounts: map[string]inventory.Account{own: read.After(at(11))}}.With(survey(12, own)).Accounts[own], true},
		"an older event":         {read.After(at(11)).After(at(9)), false},
	} {
		if got := test.account.Fresh(at(60), time.Hour); got != test.want {
			t.Errorf("%s: fresh is %t", name, got)
		}
	}
	if !after(survey(1, own), failed(2, own)).Accounts[own].Unreadable() || after(failed(1, own), survey(2, own)).Accounts[own].Unreadable() {
		t.Error("unreadable is not what was seen last")
	}
}

func TestExpected(t *testing.T) {
	byName := delivery.Grantee{Account: other, Trail: trailOf(other, "theirs", logs).ARN}
	byAccount := delivery.Grantee{Account: management}
	b := inventory.Bucket{Name: logs}.Expecting([]delivery.Grantee{byName, byAccount}, at(0))
	expects := func(b inventory.Bucket, want ...delivery.Grantee) {
		t.Helper()
		var got []delivery.Grantee
		for _, e := range b.Expected {
			got = append(got, e.Grantee)
		}
		if !slices.Equal(got, want) {
			t.Errorf("expected are %v, want %v", got, want)
		}
	}
	expects(b, byName, byAccount)
	if !b.Same(b.Expecting([]delivery.Grantee{byAccount}, at(5))) {
		t.Error("who is named again changes what is known")
	}
	// Who is not named any more is still expected, for a month.
	named := b.Expecting([]delivery.Grantee{byAccount}, at(24*60))
	expects(named, byName, byAccount)
	expects(named.Aged(at(0).Add(30*24*time.Hour+time.Minute)), byAccount)
	expects(named.Aged(at(0).Add(40 * 24 * time.Hour)))
	// Whose trail is known is not expected, but known.
	p := inventory.Part{Buckets: map[string]inventory.Bucket{logs: b}}.With(survey(1, other, trailOf(other, "theirs", logs)))
	expects(p.Buckets[logs], byAccount)
	expects(p.Buckets[logs].Expecting([]delivery.Grantee{byName, {Account: other}}, at(2)), byAccount)
	var many []delivery.Grantee
	for i := range 3 * inventory.MaxExpected {
		many = append(many, delivery.Grantee{Account: other, Prefix: strings.Repeat("p", i)})
	}
	if n := len(b.Expecting(many, at(0)).Expected); n != inventory.MaxExpected {
		t.Errorf("%d are expected", n)
	}
}

// longest is a trail with the longest names that AWS takes.
// Sources: CreateTrail and the naming requirements in the CloudTrail user guide.
func longest(i int) trail.Trail {
	name := strings.Repeat("n", 124) + string(rune('0'+i/1000)) + string(rune('0'+i/100%10)) + string(rune('0'+i/10%10)) + string(rune('0'+i%10))
	t := trailOf(own, name, strings.Repeat("b", 63))
	t.ARN = arn.TrailIn("us-gov-west-1", arn.Account(own), arn.TrailName(name)).String()
	t.HomeRegion, t.Prefix, t.KMSKeyID = "us-gov-west-1", strings.Repeat("p", 200), strings.Repeat("k", 350)
	t.LogFileValidation, t.CustomSelectors, t.InsightSelectors = true, true, true
	return t
}

// An account may have five trails in each region.
func TestLargestAccountFits(t *testing.T) {
	var trails []trail.Trail
	for i := range 5 * len(trail.Regions(arn.Commercial)) {
		trails = append(trails, longest(i))
	}
	text, err := json.Marshal(after(survey(1, own, trails...)).Accounts[own])
	if err != nil || len(text) > 200<<10 {
		t.Errorf("an account of %d trails has %d bytes, %v", len(trails), len(text), err)
	}
	t.Logf("%d trails: %d bytes", len(trails), len(text))
}

func TestExpectedFit(t *testing.T) {
	var named []delivery.Grantee
	for i := range 1000 {
		x := longest(i)
		named = append(named, delivery.Grantee{Account: own, Trail: x.ARN, Prefix: x.Prefix})
	}
	text, err := json.Marshal(inventory.Bucket{Name: logs}.Expecting(named, at(0)))
	if err != nil || len(text) > 120<<10 {
		t.Errorf("a bucket with those who are expected has %d bytes, %v", len(text), err)
	}
}

// everything is a trail of which all is set that can be.
func everything(t *testing.T) trail.Trail {
	t.Helper()
	x := longest(2)
	v := reflect.ValueOf(&x).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); {
		case !f.IsZero():
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		case f.Kind() == reflect.String:
			f.SetString("arn:aws:sns:us-gov-west-1:" + own + ":" + v.Type().Field(i).Name)
		}
	}
	return x
}

// A survey that says what the last one said has nothing to store, whatever CloudTrail
// tells of a trail.
func TestSurveyThatSaysNothingNew(t *testing.T) {
	trails := []trail.Trail{everything(t), trailOf(own, "main", logs)}
	before := after(survey(1, own, trails...))
	a, b := before.Accounts[own], before.Buckets[trails[0].Bucket]
	for _, stored := range []any{&a, &b} {
		text, err := json.Marshal(stored)
		if err == nil {
			err = json.Unmarshal(text, stored)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if !a.Sees(trails) {
		t.Errorf("the account does not see what it saw: %+v", a.Trails)
	}
	read := inventory.Part{Accounts: map[string]inventory.Account{own: a}, Buckets: map[string]inventory.Bucket{b.Name: b}}
	if now := read.With(survey(2, own, trails...)).Buckets[b.Name]; !now.Same(b) {
		t.Errorf("the bucket would be stored again: %s", cmp.Diff(b, now))
	}
}

func TestStoredAndReadBack(t *testing.T) {
	odd := trailOf(own, "odd", logs)
	odd.Name, odd.HomeRegion = "another", "eu-west-1"
	malformed := trail.Trail{ARN: "not an ARN <>&", Name: "x", Bucket: logs}
	want := after(survey(1, own, trailOf(own, "main", logs), odd, trailOf(management, "company", logs), longest(1), everything(t), malformed), failed(2, own))
	b := want.Buckets[logs].Expecting([]delivery.Grantee{{Account: other, Prefix: "audit"}}, at(3))
	b.Owner, b.Apart = own, 7
	for name, stored := range map[string]any{"account": want.Accounts[own].After(at(4)), "bucket": b} {
		text, err := json.Marshal(stored)
		if err != nil {
			t.Fatal(err)
		}
		var got any
		switch stored.(type) {
		case inventory.Account:
			var a inventory.Account
			err = json.Unmarshal(text, &a)
			got = a
		case inventory.Bucket:
			var read inventory.Bucket
			err = json.Unmarshal(text, &read)
			got = read
		}
		if diff := cmp.Diff(stored, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-stored +read):\n%s", name, err, diff)
		}
	}
}
