package arn

import "errors"

// Account is the id of an account: "111122223333".
// Source: "View AWS account identifiers" in the guide of account management.
type Account string

// ParseAccount reads the id of an account.
func ParseAccount(text string) (Account, error) {
	if a := Account(text); a.Valid() {
		return a, nil
	}
	return "", errors.New("expected an account id of 12 digits")
}

// Valid reports whether the text is twelve ASCII digits.
func (a Account) Valid() bool { return len(a) == 12 && only(string(a), isDigit) }

// Bucket is the name of a bucket.
type Bucket string

// ParseBucket reads the name of a bucket.
func ParseBucket(text string) (Bucket, error) {
	if b := Bucket(text); b.Valid() {
		return b, nil
	}
	return "", errors.New("expected the name of a bucket, of letters, digits, dots and hyphens")
}

// Valid reports whether a bucket may have the name, today or by the rules that
// held in us-east-1 until 2018: up to 255 characters, capitals and underscores
// among them.
// Source: "General purpose bucket naming rules" in the S3 user guide,
// bucketnamingrules.html.
func (b Bucket) Valid() bool { return isName(string(b), 3, 255) }

// ARN returns the ARN of the bucket: "arn:aws:s3:::logs".
func (b Bucket) ARN(p Partition) string {
	return ARN{Partition: p, Service: "s3", Resource: string(b)}.String()
}

// TrailName is the name of a trail, without its ARN: "main".
type TrailName string

// Valid reports whether a trail may have the name. AWS asks for three
// characters at least, for a letter or digit at the end, and for no two
// neighbours among ". _ -"; that is left to AWS.
// Source: cloudtrail-trail-naming-requirements.html in the CloudTrail user
// guide.
func (n TrailName) Valid() bool { return isName(string(n), 1, 128) }

// isName reports whether a text of that length begins with a letter or digit
// and holds nothing but letters, digits, ".", "-" and "_", all of them ASCII.
func isName(text string, shortest, longest int) bool {
	return shortest <= len(text) && len(text) <= longest && isAlphanumeric(text[0]) &&
		only(text, func(c byte) bool { return isAlphanumeric(c) || c == '.' || c == '-' || c == '_' })
}

func only(text string, allowed func(c byte) bool) bool {
	for i := range len(text) {
		if !allowed(text[i]) {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isAlphanumeric(c byte) bool { return isDigit(c) || isLower(c) || 'A' <= c && c <= 'Z' }
