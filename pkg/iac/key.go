package iac

import (
	"slices"
	"strconv"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
	"github.com/trailwarden/trailwarden/pkg/delivery"
	"github.com/trailwarden/trailwarden/pkg/policy"
	"github.com/trailwarden/trailwarden/pkg/trail"
)

// Key is a KMS key.
type Key struct {
	Origin
	ARN     Value
	Enabled Value // "true" or "false"; absent: it is
	// Policy is the key's policy; its text is absent where it is not known what sets it.
	Policy Policy
}

// keyAmong is the key of a trail, if it is one of these: by its ARN, or because nothing else is
// referred to. Ok is false if it is not known which.
func (t Trail) keyAmong(keys []Key) (k Key, ok bool) {
	for _, k := range keys {
		named := k.ARN.State == Known && k.ARN.Text == t.Key.Text && t.Key.State == Known
		refers := t.Key.State == Unknown && len(t.Key.RefersTo) > 0 && !slices.ContainsFunc(t.Key.RefersTo, func(to string) bool {
			return to != k.Address && !strings.HasPrefix(to, k.Address+".")
		})
		if named || refers {
			return k, true
		}
	}
	return Key{}, false
}

// judgeKeys adds what the keys of the plan say of the trails that they are for. Only a key of
// whose policy all is known is looked at. The trails are judged by the bucket's policy before.
func (j *judgement) judgeKeys(g group, s standIns, budget *policy.Budget) {
	var chain delivery.Chain
	judged := slices.Clone(j.Subject.Trails)
	var refused []string // trails that are made, and cannot be
	for i := range judged {
		t, ok := j.planned(g.trails, judged[i].ARN)
		if judged[i].KMSKeyID = ""; !ok {
			continue
		}
		judged[i].SNSTopic = ""
		k, ok := t.keyAmong(g.keys)
		if !ok || k.Policy.Text.State != Known || k.Policy.Text.Sensitive || len(k.Policy.Gaps) > 0 {
			continue
		}
		h, err := punch(k.Policy, s)
		if err != nil || !h.exact() {
			continue
		}
		document, err := policy.KMS().Parse(h.text)
		if err != nil {
			continue
		}
		key := delivery.Key{Key: trail.Key{ARN: j.arnOfKey(k, judged[i], len(chain.Keys))}, Policy: document}
		if k.Enabled.Is("false") {
			key.State = "Disabled"
		}
		judged[i].KMSKeyID = key.ARN
		j.keyPlaces[judged[i].ARN] = k.Policy.Origin
		j.keys += key.ARN + key.State + string(h.text)
		if t.Made {
			refused = append(refused, judged[i].ARN)
		}
		j.unseen[judged[i].ARN] = slices.DeleteFunc(slices.Clone(j.unseen[judged[i].ARN]), func(what string) bool { return what == "key" })
		if !slices.ContainsFunc(chain.Keys, func(other delivery.Key) bool { return other.ARN == key.ARN }) {
			chain.Keys = append(chain.Keys, key)
		}
	}
	if len(chain.Keys) == 0 {
		return
	}
	j.Report = delivery.JudgeChain(budget, j.Report, j.Subject.Bucket, judged, j.Environment, chain)
	j.NotLookedAt = nil // it is told of each trail
	for i, f := range j.Findings {
		if f.Target == trail.OfKey && f.Kind == delivery.Outage && slices.Contains(refused, f.Trail) {
			j.Findings[i].Message += " The trail cannot be made so: CloudTrail tries the key when it makes a trail."
		}
	}
}

// planned is the trail of the plan that has an ARN.
func (j *judgement) planned(trails []Trail, arn string) (Trail, bool) {
	for _, t := range trails {
		if j.addresses[arn] == t.Address {
			return t, true
		}
	}
	return Trail{}, false
}

// arnOfKey is the key's ARN, or a made-up one in the region and account of its trail.
func (j *judgement) arnOfKey(k Key, t trail.Trail, n int) string {
	if text, ok := k.ARN.Settled(); ok && text != "" {
		return text
	}
	a := arn.Split(t.ARN)
	a.Service, a.Resource = "kms", "key/trailwarden-stand-in-"+strconv.Itoa(n+1)
	if j.Subject.Bucket.Region != "" {
		a.Region = arn.Region(j.Subject.Bucket.Region)
	}
	j.madeUp = append([]replacement{{a.String(), "<" + k.Address + ">"}}, j.madeUp...)
	return a.String()
}
