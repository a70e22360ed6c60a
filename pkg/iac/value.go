package iac

import (
	"cmp"
	"slices"
	"strings"
)

// Value is what a plan or a template says of one attribute of a resource. The
// zero Value is absent: the attribute is not set.
type Value struct {
	State State
	// Attribute is what the source calls it: "s3_key_prefix", "S3KeyPrefix".
	Attribute string
	// Text is the value where it is known. Booleans are "true" and "false". It may
	// hold marks, see [Mark].
	Text string
	// Sensitive says that the text is judged and never shown.
	Sensitive bool
	// RefersTo are what the value is made from, where it is not known:
	// "aws_s3_bucket.logs.arn", "AWS::AccountId". It may be empty.
	RefersTo []string
}

// State says how much is known of a value.
type State uint8

// The states.
const (
	Absent  State = iota // not set
	Known                // set, and its text is known
	Unknown              // set or not, and known only after the change is made
)

// Text is a known value.
func Text(text string) Value { return Value{State: Known, Text: text} }

// NotKnown is a value that is not known, with what it refers to.
func NotKnown(refersTo ...string) Value { return Value{State: Unknown, RefersTo: refersTo} }

// Is reports whether the value is known to be the text.
func (v Value) Is(text string) bool { return v.State == Known && v.Text == text }

// Settled returns the text of a value that is known and holds no mark.
func (v Value) Settled() (text string, ok bool) {
	return v.Text, v.State == Known && !HasMark(v.Text)
}

// named returns the text of a value that is known, or is but for the account, for which a
// mark stands.
func (v Value) named() (text string, ok bool) { return v.Text, v.State == Known && IsName(v.Text) }

// gap is the value, of the resource at an address, as something that is not known.
func (v Value) gap(address string) Gap {
	refers := v.RefersTo
	if v.State == Known {
		refers = References(v.Text)
	}
	return Gap{Address: address, Attribute: v.Attribute, RefersTo: refers}
}

// on reports whether a switch is on. One that is not set is off.
func (v Value) on() bool { return v.Is("true") }

// Origin is where something is written.
type Origin struct {
	// Address names the resource: "module.logs.aws_s3_bucket.this[0]", "LogsPolicy".
	Address string
	// File is the path of the source, and Line the line in it, from 1. They are
	// empty where the source is not known.
	File string
	Line int
	// Folder and Block say where to look for a source that is not known: for a block such as
	// `resource "aws_s3_bucket_policy" "a"` in the files of a folder, which is relative
	// to that of the root module.
	Folder, Block string
}

// Gap is an attribute that is not known, and matters or may matter.
type Gap struct {
	Address   string   `json:"address"`
	Attribute string   `json:"attribute"`
	RefersTo  []string `json:"refersTo"`

	// Statement is, within a policy, one more than the index of the statement that the
	// gap is in; 0: it is in none.
	Statement int `json:"-"`
	// outside says that it is the policy of a bucket to which nothing in the plan gives one.
	outside bool
}

// GapIn is a gap within a policy, at a path of names of members and indexes of elements.
func GapIn(address, attribute string, path, refersTo []string) Gap {
	g := Gap{Address: address, Attribute: strings.Join(append([]string{attribute}, path...), "."), RefersTo: refersTo}
	if i, ok := statementOf(path); ok {
		g.Statement = i + 1
	}
	return g
}

// String names the gap in a sentence: "aws_s3_bucket_policy.a.policy, which refers to
// aws_s3_bucket.a.arn".
func (g Gap) String() string {
	if g.outside {
		return "the policy of " + g.Address + ", which nothing here sets"
	}
	name := g.Address
	if g.Attribute != "" {
		name += "." + g.Attribute
	}
	if len(g.RefersTo) == 0 {
		return name
	}
	return name + ", which refers to " + strings.Join(g.RefersTo, ", ")
}

// addGap adds a gap to a list that has each once.
func addGap(list []Gap, g Gap) []Gap {
	same := func(o Gap) bool { return o.Address == g.Address && o.Attribute == g.Attribute }
	if slices.ContainsFunc(list, same) {
		return list
	}
	return append(list, g)
}

// whole are the gaps with a list of references each.
func whole(list []Gap) []Gap {
	list = slices.Clone(list)
	for i := range list {
		if list[i].RefersTo == nil {
			list[i].RefersTo = []string{}
		}
	}
	return list
}

func sortGaps(list []Gap) {
	slices.SortFunc(list, func(a, b Gap) int {
		return cmp.Or(strings.Compare(a.Address, b.Address), strings.Compare(a.Attribute, b.Attribute))
	})
}
