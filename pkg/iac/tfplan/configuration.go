package tfplan

import (
	"encoding/json"
	"slices"
	"strings"
)

// module is what the configuration of a module says: what refers to what. It has no
// values but constants, and no text of expressions.
type module struct {
	resources map[string]*resourceConfiguration // by address within the module
	calls     map[string]*moduleCall
	outputs   map[string]expression
}

type resourceConfiguration struct {
	provider    string
	expressions map[string]expression // of the types that are read, by attribute
	// refersTo are all references of the resource, depends_on among them.
	refersTo []string
}

type moduleCall struct {
	source      string
	expressions map[string]expression
	refersTo    []string
	module      *module
}

// expression is what the configuration says of one attribute.
type expression struct {
	set      bool // there is an expression
	constant any  // its value, if it is one
	refersTo []string
}

func newModule() *module {
	return &module{resources: map[string]*resourceConfiguration{}, calls: map[string]*moduleCall{}, outputs: map[string]expression{}}
}

// outputReferences are what the outputs refer to.
func (m *module) outputReferences() []string {
	var out []string
	for _, e := range m.outputs {
		out = append(out, e.refersTo...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (d *document) configuration(s *stream) error {
	return s.object(func(name string) error {
		switch name {
		case "provider_config":
			return s.object(func(key string) error {
				var p struct {
					Expressions map[string]json.RawMessage `json:"expressions"`
				}
				if err := s.decode(&p); err != nil {
					return err
				}
				d.regions[key] = readExpression(p.Expressions["region"])
				return nil
			})
		case "root_module":
			return d.root.read(s)
		}
		return s.skip()
	})
}

func (m *module) read(s *stream) error {
	return s.object(func(name string) error {
		switch name {
		case "resources":
			return s.array(func() error { return m.readResource(s) })
		case "outputs":
			return s.object(func(name string) error {
				var o struct {
					Expression json.RawMessage `json:"expression"`
				}
				if err := s.decode(&o); err != nil {
					return err
				}
				m.outputs[name] = readExpression(o.Expression)
				return nil
			})
		case "module_calls":
			return s.object(func(name string) error {
				call := &moduleCall{module: newModule()}
				m.calls[name] = call
				return call.read(s)
			})
		}
		return s.skip()
	})
}

func (c *moduleCall) read(s *stream) error {
	return s.object(func(name string) error {
		switch name {
		case "source":
			return s.decode(&c.source)
		case "module":
			return c.module.read(s)
		case "depends_on":
			return s.decode(&c.refersTo)
		case "expressions":
			var raw map[string]json.RawMessage
			if err := s.decode(&raw); err != nil {
				return err
			}
			c.expressions = map[string]expression{}
			for name, text := range raw {
				c.expressions[name] = readExpression(text)
			}
			return nil
		}
		return s.skip()
	})
}

func (m *module) readResource(s *stream) error {
	var r struct {
		Address     string                     `json:"address"`
		Type        string                     `json:"type"`
		Provider    string                     `json:"provider_config_key"`
		Expressions map[string]json.RawMessage `json:"expressions"`
		DependsOn   []string                   `json:"depends_on"`
	}
	if err := s.decode(&r); err != nil {
		return err
	}
	c := &resourceConfiguration{provider: r.Provider, refersTo: r.DependsOn}
	for name, raw := range r.Expressions {
		e := readExpression(raw)
		c.refersTo = append(c.refersTo, e.refersTo...)
		if isWanted(r.Type) || isBucketRelated(r.Type) {
			if c.expressions == nil {
				c.expressions = map[string]expression{}
			}
			c.expressions[name] = e
		}
	}
	slices.Sort(c.refersTo)
	c.refersTo = slices.Compact(c.refersTo)
	m.resources[r.Address] = c
	return nil
}

// isBucketRelated reports whether resources of a type are buckets or for one.
func isBucketRelated(name string) bool {
	return strings.HasPrefix(name, typeBucket) || strings.HasPrefix(name, "awscc_s3_bucket")
}

// readExpression reads an expression, with the references of all that is nested in it.
func readExpression(raw json.RawMessage) expression {
	if len(raw) == 0 {
		return expression{}
	}
	e := expression{set: true}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return e
	}
	if object, ok := v.(map[string]any); ok {
		e.constant = object["constant_value"]
	}
	e.refersTo = withoutPrefixes(references(v))
	return e
}

// references are all references in an expression.
func references(v any) []string {
	var out []string
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			out = append(out, references(x)...)
		}
	case map[string]any:
		for name, x := range v {
			list, isList := x.([]any)
			if name != "references" || !isList {
				out = append(out, references(x)...)
				continue
			}
			for _, text := range list {
				if text, ok := text.(string); ok {
					out = append(out, text)
				}
			}
		}
	}
	return out
}

// withoutPrefixes leaves out what only begins another reference: with
// "aws_s3_bucket.a.arn" comes "aws_s3_bucket.a".
func withoutPrefixes(all []string) []string {
	all = slices.Clone(all)
	slices.Sort(all)
	all = slices.Compact(all)
	return slices.DeleteFunc(slices.Clone(all), func(text string) bool {
		begins := func(start string) bool {
			i, _ := slices.BinarySearch(all, start)
			return i < len(all) && strings.HasPrefix(all[i], start)
		}
		return begins(text+".") || begins(text+"[")
	})
}
