package tfplan

import (
	"slices"
	"strconv"

	"github.com/trailwarden/trailwarden/pkg/iac"
)

// child is the part of a mask of unknown or sensitive values that is about an attribute: true, if
// the whole is.
func child(mask any, name string) any {
	switch mask := mask.(type) {
	case bool:
		return mask
	case map[string]any:
		return mask[name]
	}
	return anyMarked(mask)
}

// element is child for a list.
func element(mask any, i int) any {
	switch mask := mask.(type) {
	case bool:
		return mask
	case []any:
		if i < len(mask) {
			return mask[i]
		}
		return nil
	}
	return anyMarked(mask)
}

// isUnknown reports whether an attribute is marked as a whole.
func isUnknown(mask any, name string) bool { return child(mask, name) == true }

// anyMarked reports whether anything is marked. A mask of a form that is not known marks all.
func anyMarked(mask any) bool {
	switch mask := mask.(type) {
	case nil:
		return false
	case bool:
		return mask
	case []any:
		return slices.ContainsFunc(mask, anyMarked)
	case map[string]any:
		for _, m := range mask {
			if anyMarked(m) {
				return true
			}
		}
		return false
	}
	return true
}

// object is a resource instance at one time, with its masks.
type object struct {
	address            string
	values             map[string]any
	unknown, sensitive any
	refersTo           func(attribute string) []string
	// names are those of attributes that have others in the provider; empty: there is none.
	names map[string]string
}

// maxName is far above the names, prefixes and ARNs that AWS takes.
const maxName = 4096

// called is what the provider calls an attribute.
func (o object) called(name string) string {
	if other, ok := o.names[name]; ok {
		return other
	}
	return name
}

// value is an attribute.
func (o object) value(name string) iac.Value {
	name = o.called(name)
	v := iac.Value{Attribute: name, Sensitive: anyMarked(child(o.sensitive, name))}
	if anyMarked(child(o.unknown, name)) {
		v.State, v.RefersTo = iac.Unknown, o.refersTo(name)
		return v
	}
	switch x := o.values[name].(type) {
	case string:
		if v.State, v.Text = iac.Known, x; len(x) > maxName && name != o.called("policy") {
			v.State, v.Text = iac.Unknown, "" // no name in AWS is nearly so long
		}
	case bool:
		v.State, v.Text = iac.Known, strconv.FormatBool(x)
	case float64:
		v.State, v.Text = iac.Known, strconv.FormatFloat(x, 'f', -1, 64)
	}
	// A text with characters of marks would be taken for one.
	if v.State == iac.Known && iac.HasMark(v.Text) {
		v.State, v.Text = iac.Unknown, ""
	}
	return v
}

// orAbsent is a value that is absent if it is empty.
func orAbsent(v iac.Value) iac.Value {
	if v.State == iac.Known && v.Text == "" {
		return iac.Value{Attribute: v.Attribute}
	}
	return v
}
