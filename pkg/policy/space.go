package policy

// Space is a set of strings, written as a sequence of parts: every way to pick
// one word of each part and join them.
type Space []Part

// Part is one place of a Space.
type Part struct {
	// Name is what the part stands for ("region"), empty for fixed text.
	Name string
	// Words are the texts that may stand here. Where it is empty, Class
	// says what may.
	Words []string
	// Class are the characters that may stand here, each as often as Min and
	// Max allow (Max < 0: no bound).
	Class    string
	Min, Max int
}

// Sample is one string of a Space, standing for all strings of it that no
// statement of a policy can tell from it.
type Sample struct {
	Text  string
	Parts map[string]string // by Part.Name
}
