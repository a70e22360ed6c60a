package alert

import "strings"

// maxWord is the longest value that a command is built with, in bytes: the ARN
// of a trail has at most 200.
const maxWord = 300

// expand fills the names in braces of a command with values, quoted for a
// shell where they need it. It returns "" where a value is missing or cannot be
// a name that AWS gave out, because it is too long, not printable ASCII, or would
// pass for an option: no command is better than a wrong one.
func expand(command string, values map[string]string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(command, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, rest, _ := strings.Cut(after, "}")
		value := values[name]
		if value == "" || value[0] == '-' || len(value) > maxWord || !isPlain(value) {
			return ""
		}
		b.WriteString(quote(value))
		command = rest
	}
}

func quote(word string) string {
	special := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') &&
			!strings.ContainsRune("_-./:@=+,", r)
	}
	if !strings.ContainsFunc(word, special) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
