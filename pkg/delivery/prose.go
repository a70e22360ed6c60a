package delivery

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// What is told of a policy is data that anybody may have written. In a sentence
// it is shown so that it cannot be taken for the sentence's own words.

// shown is a text of the policy as it stands in a sentence: as it is if it is
// one plain word, else quoted.
func shown(text string) string {
	const most = 300
	plain := text != "" && strings.IndexFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) }) < 0
	cut := strings.ToValidUTF8(text[:min(len(text), most)], "")
	if len(cut) < len(text) {
		cut += "…"
	}
	if plain {
		return cut
	}
	return strconv.Quote(cut)
}

// brief lists texts of the policy: all of up to four, the first three of more.
func brief(texts []string) string {
	var out []string
	for i, text := range texts {
		if i == 3 && len(texts) > 4 {
			return strings.Join(out, ", ") + fmt.Sprintf(" and %d others", len(texts)-i)
		}
		out = append(out, shown(text))
	}
	return list(out)
}

// list joins texts as prose: "a, b and c".
func list(texts []string) string {
	if len(texts) < 2 {
		return strings.Join(texts, "")
	}
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " and " + texts[last]
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}
