package glob

// Cover is how many of some strings a pattern matches.
type Cover uint8

// The answers. Some is also the answer where there are no strings, or where the
// limits have cut the search: it claims nothing.
const (
	None Cover = iota
	Some
	All
)

// Covers says how many of the strings of the sets the pattern matches.
func (p Pattern) Covers(limits Limits, sets ...KeySet) Cover {
	classes, complete := Classes([]Pattern{p}, limits, sets...)
	switch {
	case !complete || len(classes) != 1:
		return Some
	case classes[0].Matches[0]:
		return All
	}
	return None
}

// Continues reports whether the pattern matches some text that begins with the
// prefix. Whatever a pattern has left to match after it, some text matches.
func (p Pattern) Continues(prefix string) bool {
	x := newProduct([]Pattern{p}, DefaultLimits())
	return x.read([]int32{x.automata[0].start}, prefix)[0] != dead
}
