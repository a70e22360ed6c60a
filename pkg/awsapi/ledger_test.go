package awsapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/trailwarden/trailwarden/pkg/alert"
	"github.com/trailwarden/trailwarden/pkg/awsapi"
	"github.com/trailwarden/trailwarden/pkg/awsapi/awsfake"
	"github.com/trailwarden/trailwarden/pkg/guardrail"
	"github.com/trailwarden/trailwarden/pkg/ledger"
)

// The answer to a write is lost, and the SDK writes again: our own record is
// then in the way, which is no conflict.
func TestSaveWhoseAnswerIsLost(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	l := awsapi.NewLedger(clients(fake, ""), "table")
	fake.Fail(times(1, "dynamodb:PutItem", awsfake.Fault{Drop: true, Late: true}))
	read := ledger.Record{Key: ledger.Key{Account: account, Bucket: name}}
	saved, err := l.Save(t.Context(), read)
	if err != nil || saved.Version != 1 || len(made(fake, "dynamodb:PutItem")) != 2 {
		t.Fatalf("version %d, %v", saved.Version, err)
	}
	// The same record of someone else is one.
	if _, err := l.Save(t.Context(), read); !guardrail.Is(err, guardrail.Conflict) {
		t.Errorf("%v, want a conflict", err)
	}
}

// A record of the first version held its alerts. They are read, and are items of their
// own from the next store on.
func TestRecordWithItsAlerts(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	c := clients(fake, "")
	const record = `{"account":"` + account + `","bucket":"` + name + `","version":3,"hold":{"policy":"z","by":"dana","at":"2026-09-13T17:59:30Z"},
		"outbox":[{"id":"b-1","kind":"opened","at":"2026-09-13T17:00:05Z","subject":"s","body":"the text","attributes":{"kind":"opened"}}]}`
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	_, err := c.DynamoDB("", "").PutItem(t.Context(), &dynamodb.PutItemInput{
		TableName: aws.String("table"), Item: map[string]types.AttributeValue{
			"pk": text(account), "sk": text("state#" + name), "token": text("t"), "record": text(record),
			"version": &types.AttributeValueMemberN{Value: "3"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	l := awsapi.NewLedger(c, "table")
	r, err := l.Load(t.Context(), ledger.Key{Account: account, Bucket: name})
	if err != nil || r.Version != 3 || !r.Holds("z") || len(r.Outbox) != 1 || r.Outbox[0].Body != "the text" {
		t.Fatalf("%+v, %v", r, err)
	}
	for range 2 {
		if r, err = l.Save(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	puts := made(fake, "dynamodb:PutItem")
	if len(puts) != 4 { // the first above, the alert, and the record twice
		t.Errorf("%d stores", len(puts))
	}
	if last := string(puts[len(puts)-1].Body); strings.Contains(last, "the text") {
		t.Errorf("the record holds the text: %s", last)
	}
	if r, err = l.Load(t.Context(), r.Key); err != nil || len(r.Outbox) != 1 || r.Outbox[0].Body != "the text" || !r.Holds("z") {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestLedgerFailures(t *testing.T) {
	t.Parallel()
	for title, test := range map[string]struct {
		fault awsfake.Fault
		class guardrail.Class
	}{
		"throttled": {awsfake.Fault{Status: http.StatusBadRequest, Code: "ProvisionedThroughputExceededException"}, guardrail.Transient},
		"denied":    {awsfake.Fault{Status: http.StatusBadRequest, Code: "AccessDeniedException"}, guardrail.Denied},
		"no table":  {awsfake.Fault{Status: http.StatusBadRequest, Code: "ResourceNotFoundException"}, guardrail.Missing},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			fake := awsfake.New(t, account, region)
			fake.Fail(func(awsfake.Call) *awsfake.Fault { return &test.fault })
			l := awsapi.NewLedger(clients(fake, ""), "table")
			k := ledger.Key{Account: account, Bucket: name}
			_, loaded := l.Load(t.Context(), k)
			_, saved := l.Save(t.Context(), ledger.Record{Key: k})
			_, listed := l.List(t.Context(), account)
			_, snapshots := l.Snapshots(t.Context(), k)
			for call, err := range map[string]error{
				"load": loaded, "save": saved, "list": listed, "snapshots": snapshots,
				"keep": l.Keep(t.Context(), ledger.Snapshot{Key: k}),
			} {
				if !guardrail.Is(err, test.class) {
					t.Errorf("%s: %v, want class %v", call, err, test.class)
				}
			}
		})
	}
}

// Of an alert that goes to two topics each gets its own form, and it counts as sent only when
// both have it.
func TestAlertsForChat(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	if _, err := awsapi.NewAlerts(clients(fake, ""), "arn:aws:sns:eu-west-1:111122223333:alerts", "chat"); err == nil {
		t.Error("a name is taken for a topic")
	}
	alerts, err := awsapi.NewAlerts(clients(fake, ""), "arn:aws:sns:eu-west-1:111122223333:alerts", "arn:aws:sns:eu-west-1:111122223333:chat")
	if err != nil {
		t.Fatal(err)
	}
	m := alert.Message{Subject: "s", Body: "mail", Chat: "chat", Attributes: map[string]string{"kind": "opened"}}
	if err := alerts.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	m.Chat = ""
	if err := alerts.Publish(t.Context(), m); err != nil { // of a former version, that still waits
		t.Fatal(err)
	}
	var bodies []string
	for _, sent := range fake.Messages() {
		bodies = append(bodies, sent.Body)
	}
	if got := strings.Join(bodies, " "); got != "mail chat mail" {
		t.Errorf("published %q", got)
	}
	m.Chat = "chat"
	n := 0
	fake.Fail(func(c awsfake.Call) *awsfake.Fault {
		if n++; c.Operation != "sns:Publish" || n < 2 {
			return nil
		}
		return &awsfake.Fault{Status: http.StatusForbidden, Code: "AuthorizationError"}
	})
	if err := alerts.Publish(t.Context(), m); !guardrail.Is(err, guardrail.Denied) {
		t.Errorf("the second topic failed: %v", err)
	}
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	fake := awsfake.New(t, account, region)
	for _, arn := range []string{"", "alerts", "arn:aws:sqs:eu-west-1:111122223333:alerts", "arn:aws:sns::111122223333:alerts"} {
		if _, err := awsapi.NewAlerts(clients(fake, ""), arn, ""); err == nil {
			t.Errorf("%q is taken for a topic", arn)
		}
	}
	alerts, err := awsapi.NewAlerts(clients(fake, ""), "arn:aws:sns:eu-west-1:111122223333:alerts", "")
	if err != nil {
		t.Fatal(err)
	}
	m := alert.Message{Subject: "s", Body: "b", Attributes: map[string]string{"kind": "opened", "region": ""}}
	if err := alerts.Publish(t.Context(), m); err != nil {
		t.Errorf("an attribute without a value: %v", err)
	}
	fake.Fail(always("sns:Publish", awsfake.Fault{Status: http.StatusForbidden, Code: "AuthorizationError"}))
	if err := alerts.Publish(t.Context(), m); !guardrail.Is(err, guardrail.Denied) {
		t.Errorf("%v, want class denied", err)
	}
	fake.Fail(always("sns:Publish", awsfake.Fault{Drop: true}))
	if err := alerts.Publish(t.Context(), m); !guardrail.Is(err, guardrail.Transient) {
		t.Errorf("%v, want class transient", err)
	}
}

// The longest alert fits an item in all its forms, whatever is in it.
func TestLongestAlertIsKept(t *testing.T) {
	t.Parallel()
	for _, filling := range []string{"<", "&", `"`, `\`, "\n", "\u2028", "ö"} {
		long := strings.Repeat(filling, (48<<10)/len(filling))
		fake := awsfake.New(t, account, region)
		l := awsapi.NewLedger(clients(fake, ""), "memory")
		r := ledger.Record{Key: ledger.Key{Account: account, Bucket: "logs"}}
		r = r.Post(ledger.Message{ID: "1", Kind: alert.Opened, At: time.Now(), Message: alert.Message{
			Subject: "s", Body: long, Chat: long, JSON: long, Attributes: map[string]string{"kind": "opened"},
		}})
		if _, err := l.Save(t.Context(), r); err != nil {
			t.Errorf("%q: %v", filling, err)
			continue
		}
		kept, err := l.Load(t.Context(), r.Key)
		if err != nil || len(kept.Outbox) != 1 || kept.Outbox[0].Body != long || kept.Outbox[0].JSON != long {
			t.Errorf("%q: not as it was stored: %v", filling, err)
		}
	}
}
