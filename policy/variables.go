package policy

// The policy variables that stand in a pattern, an ARN and a condition's values
// are handed to found, one by one.

func (p *pattern) eachVariable(found func(*part)) {
	for i := range p.parts {
		if p.parts[i].kind == variable {
			found(&p.parts[i])
		}
	}
}

func (a *arnPattern) eachVariable(found func(*part)) {
	if a.whole != nil {
		a.whole.eachVariable(found)
	}
	for i := range a.parts {
		a.parts[i].eachVariable(found)
	}
}

func (c *condition) eachVariable(found func(*part)) {
	for i := range c.patterns {
		c.patterns[i].eachVariable(found)
	}
	for i := range c.arns {
		c.arns[i].eachVariable(found)
	}
}
