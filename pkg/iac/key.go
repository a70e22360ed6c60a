package iac

// Key is a KMS key.
type Key struct {
	Origin
	ARN     Value
	Enabled Value // "true" or "false"; absent: it is
	// Spec and Usage are what kind of key it is, as KMS calls them; absent: one to encrypt with.
	Spec, Usage Value
	// Policy is the key's policy; its text is absent where it is not known what sets it.
	Policy Policy
}

// keyAmong is the key that a value names, if it is one of these: by its ARN, or because nothing else is
// referred to. Ok is false if it is not known which.
func (v Value) keyAmong(keys []Key) (k Key, ok bool) {
	for _, k := range keys {
		if v.means(k.Address, k.ARN) {
			return k, true
		}
	}
	return Key{}, false
}
