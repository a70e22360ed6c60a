package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// stack works out what the template comes to with given parameters: enough of
// CloudFormation's functions for this template.
type stack struct {
	t          *testing.T
	parameters map[string]string
	conditions object
	resources  map[string]object
}

// nothing is AWS::NoValue.
type nothing struct{}

func newStack(t *testing.T, parameters map[string]string) *stack {
	t.Helper()
	return newStackOf(t, shared.template, parameters)
}

// newStackOf is a stack of another template.
func newStackOf(t *testing.T, text []byte, parameters map[string]string) *stack {
	t.Helper()
	var template struct {
		Parameters map[string]struct{ Default any }
		Conditions object
		Resources  map[string]object
	}
	decode(t, text, &template)
	all := map[string]string{
		"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com",
		"AWS::StackName": "trailwarden",
	}
	for name, p := range template.Parameters {
		all[name] = fmt.Sprint(p.Default)
	}
	maps.Copy(all, parameters)
	return &stack{t, all, template.Conditions, template.Resources}
}

// exists reports whether the stack has the resource.
func (s *stack) exists(name string) bool {
	r, ok := s.resources[name]
	if !ok {
		s.t.Fatalf("the template has no resource %s", name)
	}
	condition, conditional := r["Condition"].(string)
	return !conditional || s.holds(condition)
}

// properties returns the properties of a resource, worked out.
func (s *stack) properties(name string) object {
	return s.resolve(s.resources[name]["Properties"]).(object)
}

func (s *stack) holds(condition string) bool {
	return s.resolve(s.conditions[condition]).(bool)
}

func (s *stack) resolve(v any) any {
	switch v := v.(type) {
	case []any:
		var list []any
		for _, e := range v {
			if r := s.resolve(e); r != any(nothing{}) {
				list = append(list, r)
			}
		}
		return list
	case object:
		if len(v) == 1 {
			for name, argument := range v {
				if name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::") {
					if text, ok := argument.(string); ok || name != "Condition" {
						return s.call(name, text, argument)
					}
				}
			}
		}
		out := object{}
		for key, e := range v {
			if r := s.resolve(e); r != any(nothing{}) {
				out[key] = r
			}
		}
		return out
	default:
		return v
	}
}

func (s *stack) call(name, text string, argument any) any {
	list, _ := argument.([]any)
	switch name {
	case "Ref":
		return s.ref(text)
	case "Condition":
		return s.holds(text)
	case "Fn::If":
		if s.holds(list[0].(string)) {
			return s.resolve(list[1])
		}
		return s.resolve(list[2])
	case "Fn::Equals":
		return s.resolve(list[0]) == s.resolve(list[1])
	case "Fn::Not":
		return !s.resolve(list[0]).(bool)
	case "Fn::And":
		return !slices.ContainsFunc(list, func(v any) bool { return !s.resolve(v).(bool) })
	case "Fn::Or":
		return slices.ContainsFunc(list, func(v any) bool { return s.resolve(v).(bool) })
	case "Fn::Join":
		return strings.Join(s.texts(list[1]), list[0].(string))
	case "Fn::Split":
		var parts []any
		for part := range strings.SplitSeq(s.resolve(list[1]).(string), list[0].(string)) {
			parts = append(parts, part)
		}
		return parts
	case "Fn::Select":
		return s.texts(list[1])[int(list[0].(float64))]
	case "Fn::GetAtt":
		return s.attribute(list[0].(string), list[1].(string))
	case "Fn::Sub":
		if len(list) == 2 { // with variables of its own
			for name, value := range list[1].(object) {
				s.parameters[name] = s.resolve(value).(string)
			}
			text = list[0].(string)
		}
		return s.substitute(text)
	}
	s.t.Fatalf("the test does not know %s", name)
	return nil
}

func (s *stack) ref(name string) any {
	if name == "AWS::NoValue" {
		return nothing{}
	}
	if value, ok := s.parameters[name]; ok {
		return value
	}
	return s.attribute(name, "")
}

// attribute names a resource. Referring to one that the stack does not have
// is a mistake that CloudFormation finds only when it deploys.
func (s *stack) attribute(name, attribute string) string {
	if !s.exists(name) {
		s.t.Errorf("%s is referred to but its condition does not hold", name)
	}
	if name == "Topic" {
		return topicARN
	}
	return name + attribute
}

func (s *stack) texts(v any) []string {
	var texts []string
	switch v := s.resolve(v).(type) {
	case string:
		return strings.Split(v, ",") // a CommaDelimitedList
	case []any:
		for _, e := range v {
			texts = append(texts, e.(string))
		}
	}
	return texts
}

func (s *stack) substitute(text string) string {
	for {
		before, rest, found := strings.Cut(text, "${")
		if !found {
			return text
		}
		name, after, _ := strings.Cut(rest, "}")
		resource, attribute, _ := strings.Cut(name, ".")
		value, ok := s.parameters[name]
		if !ok {
			value = s.attribute(resource, attribute)
		}
		text = before + value + after
	}
}
