package inmem

import "encoding/json"

// Reserialize returns a policy as S3 may give it back: without white space,
// its members in another order, a list of one as a scalar.
func Reserialize(text []byte) []byte {
	var policy map[string]any
	if err := json.Unmarshal(text, &policy); err != nil {
		return text
	}
	statements, isList := policy["Statement"].([]any)
	if isList {
		for i := range statements {
			statements[i] = unwrap(statements[i])
		}
	}
	out, err := json.Marshal(policy)
	if err != nil {
		return text
	}
	return out
}

func unwrap(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, member := range v {
			v[k] = unwrap(member)
		}
	case []any:
		if len(v) == 1 {
			return v[0]
		}
	}
	return v
}
