package organizations

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"strings"

	"sumun.dev/api/organizationsapi"
	"sumun.dev/aws"
)

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789"

// newID returns a prefix and n random letters and digits: "ou-ab12-cdefghij".
func newID(prefix string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[below(int64(len(alphabet)))]
	}
	return prefix + string(b)
}

func below(n int64) int64 {
	v, err := rand.Int(rand.Reader, big.NewInt(n))
	if err != nil {
		panic(err) // crypto/rand ends the program first
	}
	return v.Int64()
}

// newAccount returns a random account number.
func newAccount() aws.Account { return aws.Account(fmt.Sprintf("%012d", below(9e11)+1e11)) }

// arn names something of the organisation. Organizations' ARNs belong to the
// management account. Service Authorization Reference, "AWS Organizations".
func (o *organization) arn(kind string, rest ...string) aws.ARN {
	return aws.ARN{Partition: "aws", Service: "organizations", Account: o.Management,
		Resource: strings.Join(append([]string{kind, o.ID}, rest...), "/")}
}

func (o *organization) organizationARN() aws.ARN { return o.arn("organization") }

func (o *organization) accountARN(id aws.Account) aws.ARN { return o.arn("account", string(id)) }

func (o *organization) handshakeARN(action organizationsapi.ActionType, id string) aws.ARN {
	return o.arn("handshake", strings.ToLower(string(action)), id)
}

func (o *organization) policyARN(t organizationsapi.PolicyType, id string) aws.ARN {
	if owned(id) != nil {
		return aws.ARN{Partition: "aws", Service: "organizations", Account: "aws", Resource: "policy/" + strings.ToLower(string(t)) + "/" + id}
	}
	return o.arn("policy", strings.ToLower(string(t)), id)
}

// nodeARN names a root, unit or account by its id, whether there is one or not.
func (o *organization) nodeARN(id string) aws.ARN {
	switch {
	case strings.HasPrefix(id, "r-"):
		return o.arn("root", id)
	case strings.HasPrefix(id, "ou-"):
		return o.arn("ou", id)
	}
	return o.accountARN(aws.Account(id))
}

// unitID returns the id of a new organizational unit under the organisation's root.
func (o *organization) unitID() string {
	return newID("ou-"+strings.TrimPrefix(o.Root, "r-")+"-", 8)
}
