package inventory

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/trailwarden/trailwarden/pkg/arn"
)

// Packed is a list of account ids, each once, as it is stored: an organization may have
// 50,000 accounts, and DynamoDB takes an item of 400 KB. It holds how much each id is
// greater than the one before it, in as few bytes as that takes (some five characters an
// account).
type Packed string

// Pack packs account ids. One that is none is an error.
func Pack(ids []string) (Packed, error) {
	sorted := slices.Clone(ids)
	slices.Sort(sorted)
	var packed []byte
	var last uint64
	for _, id := range slices.Compact(sorted) {
		if _, err := arn.ParseAccount(id); err != nil {
			return "", err
		}
		n, err := strconv.ParseUint(id, 10, 64)
		if err != nil {
			return "", fmt.Errorf("account %s: %w", id, err)
		}
		packed = binary.AppendUvarint(packed, n-last)
		last = n
	}
	return Packed(base64.RawStdEncoding.EncodeToString(packed)), nil
}

// IDs returns the account ids, sorted.
func (p Packed) IDs() ([]string, error) {
	packed, err := base64.RawStdEncoding.DecodeString(string(p))
	if err != nil {
		return nil, fmt.Errorf("read packed account ids: %w", err)
	}
	var ids []string
	var last uint64
	for len(packed) > 0 {
		more, n := binary.Uvarint(packed)
		if n <= 0 {
			return nil, fmt.Errorf("read packed account ids: cut off after %d", len(ids))
		}
		last += more
		ids, packed = append(ids, fmt.Sprintf("%012d", last)), packed[n:]
	}
	return ids, nil
}
