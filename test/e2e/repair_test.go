package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// statements returns how many statements of the bucket's policy have the Sid,
// and how many there are.
func (w *world) statements(sid string) (named, all int) {
	w.t.Helper()
	var p struct{ Statement []struct{ Sid string } }
	decode(w.t, []byte(policyOf(w.t, bucket)), &p)
	for _, s := range p.Statement {
		if s.Sid == sid {
			named++
		}
	}
	return named, len(p.Statement)
}

func TestMended(t *testing.T) {
	const otherTrail = `"arn:aws:cloudtrail:us-east-1:111111111111:trail/renamed"`
	for _, c := range []struct {
		name, policy string
		trail        object // UpdateTrail
	}{
		{
			"wrong prefix",
			policy(aclCheck(quotedTrail), tlsOnly, write(quotedTrail, "old/"+ownPath), reader),
			object{"S3KeyPrefix": "audit"},
		},
		{
			"stale trail",
			policy(aclCheck(otherTrail), tlsOnly, write(otherTrail, ownPath), reader),
			nil,
		},
		{
			"tampered statement under the documented Sid",
			policy(aclCheck(quotedTrail), tlsOnly, strings.Replace(write(quotedTrail, ownPath), "s3:PutObject", "s3:GetObject", 1), reader),
			nil,
		},
		{
			"ACL condition that CloudTrail does not meet",
			policy(aclCheck(quotedTrail), tlsOnly, strings.Replace(write(quotedTrail, ownPath), "bucket-owner-full-control", "private", 1), reader),
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := deploy(t, restoring(bucket))
			w.healthy(c.policy)
			if c.trail != nil {
				c.trail["Name"] = "main"
				ask(t, "cloudtrail", "UpdateTrail", c.trail)
			}
			w.happens("put-bucket-policy-terraform")
			w.told("restored")[0].says(t, "terraform-apply", "198.51.100.7")
			w.writes(1)
			w.delivers()
			w.keeps(tlsOnly, reader)
			if named, _ := w.statements("AWSCloudTrailWrite20150319"); named != 1 {
				t.Errorf("the documented Sid stands %d times:\n%s", named, policyOf(t, bucket))
			}
		})
	}
}

func TestSecondTrailInSharedStatement(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(policy(aclCheck(quotedTrail), write(quotedTrail, ownPath), reader))
	second := strings.Replace(trailARN, "trail/main", "trail/second", 1)
	createTrail(t, object{"Name": "second", "S3BucketName": bucket})

	w.happens("create-trail", parameter("name", "second"), func(detail object) {
		response := detail["responseElements"].(object)
		response["name"], response["trailARN"] = "second", second
	})
	w.told("restored")[0].says(t, second)
	w.keeps(reader, trailARN, second)
	w.delivers()
	if _, all := w.statements(""); all != 3 {
		t.Errorf("there are %d statements, want the same three:\n%s", all, policyOf(t, bucket))
	}
}

func TestBlockingDenyIsRefusedWithTheEdit(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	blocked := policy(aclCheck(quotedTrail), endpointOnly, write(quotedTrail, ownPath))
	putPolicy(t, bucket, blocked)

	w.happens("put-bucket-policy-cloudformation")
	w.told("opened")[0].says(t, "OnlyFromVpce", "The statement would have to read", `"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"`)
	w.writes(0)
	w.is(blocked)
}

func TestRequesterPaysIsReset(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	shared.aws.mu.Lock()
	shared.aws.payers[bucket] = "Requester"
	shared.aws.mu.Unlock()

	w.happens("put-bucket-request-payment")
	w.told("restored")[0].says(t, "PutBucketRequestPayment")
	w.is(documented())
	shared.aws.mu.Lock()
	defer shared.aws.mu.Unlock()
	if got := shared.aws.payers[bucket]; got != "BucketOwner" {
		t.Errorf("the request payer is %q", got)
	}
}

func TestPolicyThatWouldGrowTooLargeIsRefused(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	// As short as JSON can be, so that compacting gains nothing.
	statements := []string{}
	size := 0
	for i := 0; size < 19900; i++ {
		s := fmt.Sprintf(`{"Sid":"Reader%03d","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::222222222222:root"},`+
			`"Action":"s3:GetObject","Resource":"arn:aws:s3:::%s/AWSLogs/%d/*"}`, i, bucket, i)
		statements, size = append(statements, s), size+len(s)+1
	}
	full := `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	putPolicy(t, bucket, full)

	w.happens("put-bucket-policy")
	w.told("opened")[0].says(t, "20480", "shorten it by")
	w.writes(0)
	w.is(full)
}

func TestOthersStatementsStayByteForByte(t *testing.T) {
	w := deploy(t, restoring(bucket))
	w.healthy(documented())
	putPolicy(t, bucket, "{\n\t\"Id\": \"caf\\u00e9\",  \"Statement\": ["+tlsOnly+"\n,\n"+reader+"], \"Version\": \"2012-10-17\"\n}")

	w.happens("put-bucket-policy")
	w.told("restored")
	w.delivers()
	w.keeps(tlsOnly, reader, `"Id": "caf\u00e9"`)
}

func TestHardening(t *testing.T) {
	unbound := strings.Replace(write(quotedTrail, ownPath), `, "aws:SourceArn": `+quotedTrail, "", 1)
	for _, harden := range []string{"false", "true"} {
		t.Run(harden, func(t *testing.T) {
			w := deploy(t, restoring(bucket), with("HARDEN", harden))
			w.healthy(policy(unbound, reader))
			w.happens("put-bucket-policy")
			w.told("restored")
			w.delivers()
			w.keeps(reader)
			if bound := strings.Count(policyOf(t, bucket), trailARN) == 2; bound != (harden == "true") {
				t.Errorf("bound to the trail: %v\n%s", bound, policyOf(t, bucket))
			}
		})
	}
}
