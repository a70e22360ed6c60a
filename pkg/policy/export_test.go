package policy

// SearchOnly makes Samples search, as where the classes are too many to be found.
func (p *Prepared) SearchOnly() { p.tooLarge = 1 }
