package tfplan

import "strings"

// steps splits an address at its dots, of which those within an index do not count:
// module.logs["eu.x"].aws_s3_bucket.this[0].
func steps(address string) []string {
	var out []string
	start, quoted, inIndex := 0, false, false
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '[':
			inIndex = true
		case c == ']':
			inIndex = false
		case c == '.' && !inIndex:
			out = append(out, address[start:i])
			start = i + 1
		}
	}
	return append(out, address[start:])
}

// cutIndex takes the index off a step: `logs["eu"]` is logs and ["eu"].
func cutIndex(step string) (name, index string) {
	i := strings.IndexByte(step, '[')
	if i < 0 {
		return step, ""
	}
	return step[:i], step[i:]
}

// splitModule cuts an address behind its modules: `module.a.module.b["x"]` and the rest.
func splitModule(address string) (module string, rest []string) {
	all := steps(address)
	n := 0
	for n+1 < len(all) && all[n] == "module" {
		n += 2
	}
	return strings.Join(all[:n], "."), all[n:]
}

// moduleOf is the module instance that a resource is in; empty: the root.
func moduleOf(address string) string {
	module, _ := splitModule(address)
	return module
}

// configurationOf is an address without indexes: that of what is written.
func configurationOf(address string) string {
	all := steps(address)
	for i, step := range all {
		all[i], _ = cutIndex(step)
	}
	return strings.Join(all, ".")
}

// join puts an address into a module.
func join(module, address string) string {
	if module == "" {
		return address
	}
	return module + "." + address
}
