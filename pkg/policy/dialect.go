package policy

import (
	"strings"

	"github.com/trailwarden/trailwarden/pkg/glob"
)

// Dialect is what the policies of one service have of their own: its actions, its
// condition keys, what the Resource element means, and what the service refuses. All
// else, the grammar and the evaluation, is IAM's and the same for all.
//
// A policy that speaks of several services, as a resource control policy does, is read
// once for each, in the dialect of the request that it is asked of. Statements of
// other services match no such request.
type Dialect struct {
	// Name is the service in sentences, Service the prefix of its actions and keys.
	Name, Service string

	// maxSize is the limit of the service on a policy, in bytes; 0: not known.
	maxSize int
	// actions are the service's actions and what each works on, a line for each, in
	// order. verbs and nouns are how the names of its actions begin and go on, for those
	// that may be newer than the list, and operations are names that look so and are none.
	actions, verbs, nouns, operations string
	// keys are the service's condition keys, and the actions whose requests may have each:
	// a line for each key, in lower case. keyWords are how the names of its keys begin.
	// A key that begins with one of the families goes on with any text, colons included.
	keys, keyWords, families string
	// unlisted is what the service does with an action or a key that is none of its own.
	unlisted grade
	// inBucket: the Resource elements name a bucket and objects in it, and the service
	// refuses what does not fit. Else they name the one resource that has the policy, and
	// what names another has no effect.
	inBucket bool
	// withoutResource: a statement may lack the Resource element, and has no effect then.
	withoutResource bool
}

// S3 is the dialect of bucket policies.
func S3() Dialect {
	return Dialect{
		Name: "S3", Service: "s3", maxSize: maxPolicySize, inBucket: true, unlisted: refused,
		actions: actionTable, verbs: verbs, nouns: nouns, operations: operations,
		keys: keyTable, keyWords: "access bucket dataaccesspoint existing inventory job object-lock- object request x-amz-",
	}
}

// DialectOf returns the dialect of the service that an action is of ("kms:Decrypt"). Ok is
// false for a service that is not known here.
func DialectOf(action string) (d Dialect, ok bool) {
	service, _, _ := strings.Cut(glob.LowerASCII(action), ":")
	for _, d := range []Dialect{S3(), KMS(), SNS()} {
		if d.Service == service {
			return d, true
		}
	}
	return Dialect{}, false
}

// Dialect is the one in which the document was read.
func (d *Document) Dialect() Dialect { return d.dialect }

// tableName is the name by which the tables have a key: without what a tag or an entry of
// a family adds to it.
func (d Dialect) tableName(key string) string {
	for family := range strings.FieldsSeq(d.families) {
		if strings.HasPrefix(key, family) && len(key) > len(family) {
			return family
		}
	}
	if i := strings.IndexByte(key, '/'); i >= 0 && i < len(key)-1 {
		return key[:i+1]
	}
	return key
}

// ownKey reports whether a key, in lower case, is one of the service's by its prefix.
func (d Dialect) ownKey(key string) bool {
	rest, ok := strings.CutPrefix(key, d.Service)
	return ok && strings.HasPrefix(rest, ":")
}
