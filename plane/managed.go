package plane

import (
	"context"
	"fmt"

	"sumun.dev/aws"
	"sumun.dev/service/iam/managed"
	"sumun.dev/store"
)

// managedPolicies shows AWS's managed policies to STS.
type managedPolicies struct{ aws *managed.Policies }

func (m managedPolicies) ManagedPolicy(_ context.Context, _ aws.Account, arn string) (string, error) {
	p := m.aws.Find(arn)
	if p == nil {
		return "", fmt.Errorf("%w: policy %s", store.ErrNotFound, arn)
	}
	return m.aws.Document(p)
}
