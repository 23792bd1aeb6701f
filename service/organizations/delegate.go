package organizations

import (
	"context"
	"encoding/json"
	"time"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// A delegation lets an account administer a service for the organisation.
type delegation struct {
	Account aws.Account
	Service string // "guardduty.amazonaws.com"
	Since   time.Time
}

func (d *delegation) id() string { return string(d.Account) + "/" + d.Service }

// delegated returns the resource policy by which a member of the organisation may
// do what is otherwise the management account's: the organisation's own policy
// and, for delegated administrators, AWS's leave to read. Empty: nothing is
// delegated to anybody.
func (s *Service) delegated(ctx context.Context, o *organization) (string, error) {
	caller := aws.CallOf(ctx).Account
	mine, err := s.delegations.In(o.place()).PageBy(ctx, byAccount, string(caller), store.Range{Limit: 1})
	if err != nil {
		return "", err
	}
	if len(mine) == 0 {
		if o.Policy == nil {
			return "", nil
		}
		return o.Policy.Content, nil
	}
	var doc struct {
		Version   string
		Statement []any
	}
	doc.Version = "2012-10-17"
	doc.Statement = append(doc.Statement, map[string]any{
		"Effect": "Allow", "Principal": map[string]any{"AWS": string(caller)},
		"Action": []string{"organizations:Describe*", "organizations:List*"}, "Resource": "*",
	})
	if o.Policy != nil {
		statements, err := o.Policy.statements()
		if err != nil {
			return "", err
		}
		for _, st := range statements {
			doc.Statement = append(doc.Statement, st)
		}
	}
	text, err := json.Marshal(doc)
	return string(text), err
}
