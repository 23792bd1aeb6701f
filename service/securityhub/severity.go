package securityhub

import "sumun.dev/api/securityhubapi"

// grades maps each label to the number that stands for it, and to the lowest
// number of its range. ASFF, "Severity".
var grades = [...]struct {
	label securityhubapi.SeverityLabel
	from  int32
}{
	{securityhubapi.SeverityLabelCritical, 90},
	{securityhubapi.SeverityLabelHigh, 70},
	{securityhubapi.SeverityLabelMedium, 40},
	{securityhubapi.SeverityLabelLow, 1},
	{securityhubapi.SeverityLabelInformational, 0},
}

// whole fills in the label by the number, or the number by the label. The label
// counts when both are there and disagree.
func whole(s securityhubapi.Severity) securityhubapi.Severity {
	for _, g := range grades {
		switch {
		case s.Label == nil && s.Normalized != nil && *s.Normalized >= g.from:
			s.Label = &g.label
			return s
		case s.Label != nil && *s.Label == g.label:
			if s.Normalized == nil || labelOf(*s.Normalized) != g.label {
				s.Normalized = &g.from
			}
			return s
		}
	}
	return s
}

func labelOf(n int32) securityhubapi.SeverityLabel {
	for _, g := range grades {
		if n >= g.from {
			return g.label
		}
	}
	return securityhubapi.SeverityLabelInformational
}
