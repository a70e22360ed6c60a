package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// Fingerprint returns a text that is the same for a policy and for the same policy
// as S3 gives it back: with other white space and order of members, a list of
// one as a scalar, lists of strings in another order, an account's id as its
// root ARN. No policy has the empty fingerprint.
func Fingerprint(policy []byte) string {
	policy = bytes.TrimSpace(policy)
	if len(policy) == 0 {
		return ""
	}
	canonical := policy
	decoder := json.NewDecoder(bytes.NewReader(policy))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err == nil && atEnd(decoder) {
		// A value that was decoded from JSON can always be encoded.
		if text, err := json.Marshal(normal(v)); err == nil {
			canonical = text
		}
	}
	sum := sha256.Sum256(canonical)
	return hex.EncodeToString(sum[:])
}

func atEnd(d *json.Decoder) bool {
	_, err := d.Token()
	return errors.Is(err, io.EOF)
}

func normal(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			v[k] = normal(member)
		}
		return v
	case []any:
		for i, element := range v {
			v[i] = normal(element)
		}
		if len(v) == 1 {
			return v[0]
		}
		return sorted(v)
	case string:
		return accountID(v)
	default:
		return v
	}
}

// sorted sorts a list of strings. The order of anything else, such as
// statements, is kept.
func sorted(list []any) []any {
	for _, v := range list {
		if _, ok := v.(string); !ok {
			return list
		}
	}
	slices.SortFunc(list, func(a, b any) int {
		x, _ := a.(string)
		y, _ := b.(string)
		return strings.Compare(x, y)
	})
	return list
}

// accountID returns the id in an account's root ARN, or s itself.
func accountID(s string) string {
	a, err := arn.Parse(s)
	if err != nil {
		return s
	}
	if account, ok := a.RootOf(); ok {
		return string(account)
	}
	return s
}
