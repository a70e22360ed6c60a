package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// KeyGone is the state of a key that there is not.
const KeyGone = "Gone"

// Key is what KMS says of a key beside its policy. What is empty is not known.
type Key struct {
	ARN     string // arn:…:key/…, never an alias
	State   string // "Enabled", "Disabled", "PendingDeletion", …
	Spec    string // "SYMMETRIC_DEFAULT", "RSA_2048", …
	Usage   string // "ENCRYPT_DECRYPT", "SIGN_VERIFY", …
	Manager string // "CUSTOMER", or "AWS": the policy cannot be changed
	Origin  string // "AWS_KMS", "EXTERNAL", …
	// MultiRegion is "true" or "false", and MultiRegionType "PRIMARY" or "REPLICA".
	MultiRegion, MultiRegionType string
}

// expectedKey ends the errors of ParseKey.
const expectedKey = `expected the output of "aws kms describe-key"`

// ParseKey reads what "aws kms describe-key" prints. The error is one line.
func ParseKey(text []byte) (Key, error) {
	var in struct {
		KeyMetadata *struct {
			Arn, KeyState, KeySpec, CustomerMasterKeySpec, KeyUsage, KeyManager, Origin string
			MultiRegion                                                                 *bool
			MultiRegionConfiguration                                                    struct{ MultiRegionKeyType string }
		}
	}
	if err := parseOutput(text, &in, expectedKey); err != nil {
		return Key{}, err
	}
	m := in.KeyMetadata
	if m == nil {
		return Key{}, fmt.Errorf("%sno KeyMetadata in it; %s", otherOutput(text), expectedKey)
	}
	k := Key{
		ARN: m.Arn, State: m.KeyState, Spec: m.KeySpec, Usage: m.KeyUsage, Manager: m.KeyManager, Origin: m.Origin,
		MultiRegionType: m.MultiRegionConfiguration.MultiRegionKeyType,
	}
	if k.Spec == "" {
		k.Spec = m.CustomerMasterKeySpec
	}
	if m.MultiRegion != nil {
		k.MultiRegion = fmt.Sprint(*m.MultiRegion)
	}
	a, err := arn.Parse(k.ARN)
	switch {
	case err == nil && strings.HasPrefix(a.Resource, "alias/"):
		return Key{}, fmt.Errorf("its Arn %s is an alias's; expected the ARN of the key itself", quoted(k.ARN))
	case err != nil || a.Service != "kms" || !strings.HasPrefix(a.Resource, "key/"):
		return Key{}, fmt.Errorf("its Arn %s is no key's; %s", quoted(k.ARN), expectedKey)
	}
	return k, nil
}

// Topic is what SNS says of a topic. What is empty is not known, but for KMSKeyID, without
// which the topic is not encrypted by a key.
type Topic struct {
	ARN      string
	Policy   string // the text
	KMSKeyID string // as it was given: id, ARN or alias
}

// expectedTopic ends the errors of ParseTopic.
const expectedTopic = `expected the output of "aws sns get-topic-attributes"`

// ParseTopic reads what "aws sns get-topic-attributes" prints. The error is one line.
func ParseTopic(text []byte) (Topic, error) {
	var in struct {
		Attributes *struct {
			TopicArn, Policy string
			KMSKeyID         string `json:"KmsMasterKeyId"`
		}
	}
	if err := parseOutput(text, &in, expectedTopic); err != nil {
		return Topic{}, err
	}
	m := in.Attributes
	if m == nil {
		return Topic{}, fmt.Errorf("%sno Attributes in it; %s", otherOutput(text), expectedTopic)
	}
	t := Topic{ARN: m.TopicArn, Policy: m.Policy, KMSKeyID: m.KMSKeyID}
	if a, err := arn.Parse(t.ARN); err != nil || a.Service != "sns" || a.Resource == "" || strings.Contains(a.Resource, ":") {
		return Topic{}, fmt.Errorf("its TopicArn %s is no topic's; %s", quoted(t.ARN), expectedTopic)
	}
	return t, nil
}

// parseOutput reads a JSON object.
func parseOutput(text []byte, v any, expected string) error {
	text = bytes.TrimSpace(bytes.TrimPrefix(text, []byte("\ufeff")))
	switch {
	case len(text) == 0:
		return errors.New("empty; " + expected)
	case text[0] != '{':
		return errors.New("not a JSON object; " + expected)
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("not JSON (%w); %s", err, expected)
	}
	return nil
}

// otherOutput says what a JSON object is that is not what was expected, as far as that is
// easily told: the beginning of a sentence, or nothing.
func otherOutput(text []byte) string {
	var members map[string]json.RawMessage
	if json.Unmarshal(text, &members) != nil {
		return ""
	}
	for _, known := range []struct{ member, what string }{
		{"Statement", "this is a policy; "},
		{"Policy", "this is a policy; "},
		{"KeyMetadata", "this is a key; "},
		{"Attributes", "this is a topic; "},
		{"trailList", "this is a list of trails; "},
		{"Aliases", "this is a list of aliases; "},
	} {
		if members[known.member] != nil {
			return known.what
		}
	}
	return ""
}

// Unusable says why KMS does not encrypt with the key for CloudTrail, whatever its policy
// says, or is empty. Region is where it has to be; empty: not known.
//
// Source: "Key states of AWS KMS keys", key-state.html, and "Configure AWS KMS key policies
// for CloudTrail": the key is symmetric and in the region of the bucket.
func (k Key) Unusable(region string) string {
	switch k.State {
	case "", "Enabled", "Updating":
	case "Disabled":
		return "it is disabled"
	case "PendingDeletion", "PendingReplicaDeletion":
		return "it waits for deletion"
	case KeyGone:
		return "there is no such key"
	case "PendingImport":
		return "its key material is missing"
	default:
		return "its state is " + quoted(k.State)
	}
	at := string(arn.Split(k.ARN).Region)
	switch {
	case k.Spec != "" && k.Spec != "SYMMETRIC_DEFAULT":
		return "it is no symmetric key, but of spec " + k.Spec
	case k.Usage != "" && k.Usage != "ENCRYPT_DECRYPT":
		return "it is no key to encrypt with, but for " + k.Usage
	case region != "" && at != "" && at != region:
		return "it is in " + at + ", and has to be in " + region
	}
	return ""
}

// IsKey reports whether a trail's or topic's key, as it names it, is the key of an ARN. Of
// an alias that is not known.
func IsKey(named, keyARN string) bool {
	return named == keyARN || !strings.Contains(named, ":") && strings.HasSuffix(keyARN, ":key/"+named)
}

// Uses reports whether the trail has a key, or tells a topic, of that ARN.
func (t Trail) Uses(arn string) bool { return t.SNSTopic == arn || IsKey(t.KMSKeyID, arn) }

// KeyARN is the ARN of the key with which the topic is encrypted, where it names it by its ARN or its id, and
// not by an alias.
func (t Topic) KeyARN() string {
	if strings.HasPrefix(t.KMSKeyID, "arn:") {
		return t.KMSKeyID
	}
	key := arn.Split(t.ARN)
	key.Service, key.Resource = "kms", "key/"+t.KMSKeyID
	return key.String()
}

// IsManagedAlias reports whether a name is that of a key that AWS manages.
func IsManagedAlias(named string) bool {
	return strings.HasPrefix(named, "alias/aws/") || strings.Contains(named, ":alias/aws/")
}

// IsAlias reports whether a key is named by an alias, by its name or its ARN.
func IsAlias(named string) bool {
	return strings.HasPrefix(named, "alias/") || strings.Contains(named, ":alias/")
}
