package iac

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// standIns are the made-up names of a judgement, see hole.go.
type standIns struct {
	account string            // for the account, empty: it is known
	bucket  mark              // the bucket that is judged, where its name is not known
	name    string            // the stand-in for its name
	trails  map[string]string // stand-ins for the names of trails, by address
	topics  map[string]string // the same for topics

	// What is known of names: that of the bucket, the prefixes of trails and their names,
	// with marks of the account.
	bucketName           string
	prefixes, trailNames []string
	// resource is the ARN of the topic whose policy is read, with marks, and resourceARN what it is judged
	// as: wherever the policy has it as a whole, it is that topic. Empty: it is none's.
	resource, resourceARN string
}

// standIns are the names that have to be made up to judge a way.
func (g group) standIns(w way) standIns {
	text := ""
	if w.policy != nil {
		text = w.policy.Text.Text
	}
	s := standIns{trails: map[string]string{}, topics: map[string]string{}}
	name, known := g.name.named()
	if s.bucketName = name; !known {
		s.bucketName, s.name, s.bucket = "", fresh("trailwarden-stand-in", text), mark{kind: BucketMark}
		if g.bucket != nil {
			s.bucket.id = g.bucket.Address
		}
	}
	account := HasMark(s.bucketName)
	for _, t := range w.trails {
		s.prefixes, s.trailNames = append(s.prefixes, t.Prefix.Text), append(s.trailNames, t.Name.Text)
		account = account || HasMark(t.Prefix.Text)
		if t.ARN.State == Known {
			continue
		}
		account = account || HasMark(t.Account.Text)
		if _, named := t.Name.named(); !named {
			s.trails[t.Address] = fresh("trailwarden-stand-in-"+strconv.Itoa(len(s.trails)+1), text)
		}
	}
	for _, t := range g.topics {
		s.topics[t.Address] = fresh("trailwarden-stand-in-topic-"+strconv.Itoa(len(s.topics)+1), text+t.Policy.Text.Text)
	}
	if account {
		s.account = freshAccount(text)
	}
	return s
}

func (s standIns) none() bool { return s.account == "" && s.name == "" && len(s.trails) == 0 }

// of is the stand-in for a mark.
func (s standIns) of(m mark) (string, bool) {
	switch m.kind {
	case AccountMark:
		return s.account, s.account != ""
	case BucketMark:
		return s.name, s.name != "" && m.id == s.bucket.id
	case TrailMark:
		name, ok := s.trails[m.id]
		return name, ok
	case TopicMark:
		name, ok := s.topics[m.id]
		return name, ok
	case OtherMark:
	}
	return "", false
}

// unknown are the names that have stand-ins, in words.
func (s standIns) unknown() []string {
	var out []string
	if s.account != "" {
		out = append(out, "the account")
	}
	if s.name != "" {
		out = append(out, "the name of "+s.bucket.id)
	}
	for address := range s.trails {
		out = append(out, "the name of "+address)
	}
	slices.Sort(out)
	return out
}

// replacements are what is shown in the place of stand-ins.
func (s standIns) replacements(g group) []replacement {
	var out []replacement
	if s.account != "" {
		out = append(out, replacement{s.account, "<account>"})
	}
	for address, name := range s.trails {
		out = append(out, replacement{name, "<" + address + ">"})
	}
	for address, name := range s.topics {
		out = append(out, replacement{name, "<" + address + ">"})
	}
	if s.name != "" {
		out = append(out, replacement{s.name, "<" + g.address() + ">"})
	}
	// A name may be the beginning of another.
	slices.SortFunc(out, func(a, b replacement) int { return cmp.Or(len(b.name)-len(a.name), strings.Compare(a.name, b.name)) })
	return out
}

// fresh is a name that is not in a text.
func fresh(name, text string) string {
	for strings.Contains(text, name) {
		name += "-x"
	}
	return name
}

// freshAccount is the id of an account that is not in a text.
func freshAccount(text string) string {
	for n := 990000000001; ; n++ {
		if id := strconv.Itoa(n); !strings.Contains(text, id) {
			return id
		}
	}
}
