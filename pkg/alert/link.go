package alert

import (
	"net/url"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// links are addresses to go to. What is not known is empty.
type links struct {
	Bucket  string `json:"bucket,omitempty"`  // permissions of the bucket, in the console
	Trail   string `json:"trail,omitempty"`   // the trail that is worst, in the console
	Key     string `json:"key,omitempty"`     // the key that is worst, in the console
	Event   string `json:"event,omitempty"`   // the call that is to blame, in the event history
	Runbook string `json:"runbook,omitempty"` // the owner's own
}

// links returns the addresses. Nothing stands in them that is not a name of AWS's.
func (v *view) links() links {
	l := links{Runbook: v.Stack.Runbook}
	if bucket := arn.Bucket(v.bucket()); bucket.Valid() {
		l.Bucket = console(v.Region, "/s3/buckets/"+string(bucket), "tab", "permissions")
	}
	for _, t := range v.affected() {
		if arn.IsTrail(t.arn) && l.Trail == "" && !v.isOfTrail() {
			l.Trail = fragment(console(t.region, "/cloudtrailv2/home"), "/trails/"+t.arn)
		}
	}
	for _, f := range v.Report.Findings {
		key := arn.Split(f.Chain)
		if id, ok := strings.CutPrefix(key.Resource, "key/"); ok && key.Service == "kms" && isKeyID(id) && l.Key == "" {
			l.Key = fragment(console(string(key.Region), "/kms/home"), "/kms/keys/"+id)
		}
	}
	for _, c := range v.Changes {
		if isID(c.EventID) && c.ErrorCode == "" && l.Event == "" {
			l.Event = fragment(console(c.Region, "/cloudtrailv2/home"), "/events?EventId="+c.EventID)
		}
	}
	return l
}

// console is the address of a page of the console of a region; empty: there is none that is known.
func console(region, path string, parameters ...string) string {
	host := map[arn.Partition]string{
		arn.Commercial: "console.aws.amazon.com", arn.China: "console.amazonaws.cn", arn.GovCloud: "console.amazonaws-us-gov.com",
	}[arn.Region(region).Partition()]
	if host == "" || !arn.Region(region).Valid() {
		return ""
	}
	query := url.Values{"region": {region}}
	for i := 0; i+1 < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	return "https://" + region + "." + host + path + "?" + query.Encode()
}

func fragment(address, text string) string {
	if address == "" {
		return ""
	}
	return address + "#" + text
}

// isKeyID reports whether a text is the id of a KMS key; that of a multi-Region key begins with "mrk-".
func isKeyID(s string) bool { return isID(strings.TrimPrefix(s, "mrk-")) }

// isID reports whether a text is an id as CloudTrail gives to events.
func isID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "0123456789abcdefABCDEF-") == ""
}
