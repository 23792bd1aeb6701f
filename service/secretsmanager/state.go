package secretsmanager

import (
	"time"

	"sumun.dev/aws"
)

const byName = "name"

// A secret is kept under the last part of its ARN, "NAME-xxxxxx". A replica is a
// record of its own in its region, with versions of its own under its own key.
type secret struct {
	ID          string // NAME-xxxxxx, where the six are random
	Name        string
	Description string
	Key         string               // KMS key as the customer named it; empty: aws/secretsmanager
	Policy      string               // with unique ids of principals (service.WithIDs)
	Tags        []tag                // in the order they were given
	Stages      map[string]string    // staging label → version id
	Versions    map[string]time.Time // all versions, with when they were made
	Created     time.Time
	Changed     time.Time
	Accessed    time.Time // to the day
	Rotated     time.Time
	Deletion    *time.Time // when it will be gone
	Deleted     time.Time  // when DeleteSecret was called
	Primary     string     // region of the primary; empty: never replicated
	Replicas    []replica  // in the primary

	Rotation *rotation

	arn  aws.ARN // where it was found; not kept
	kept dates   // as they stand in the order; not kept; zero: nothing of it stands there yet
}

type tag struct{ Key, Value string }

type replica struct {
	Region, Key, Status, Message string

	overwrites bool // what has its name there gives way; not kept
}

func (s *secret) names() []string { return []string{s.Name} }

// A version holds a value, under "SECRET-ID/VERSION-ID".
type version struct {
	ID       string
	Binary   bool   // SecretBinary, else SecretString
	DataKey  []byte // CiphertextBlob of KMS GenerateDataKey
	Value    []byte // AES-256-GCM under the data key (see engine/seal's rule: one message a key)
	Digest   []byte // keyed digest by which a repeated request is recognised
	Created  time.Time
	Accessed time.Time
	KeyID    string // ARN of the KMS key
}

// place is an entry of the order of secrets, which its id says (order.go).
type place struct{}

// rotation is how a secret rotates.
type rotation struct {
	Enabled  bool
	Function string // ARN of the rotation function
	Days     int
	Schedule string // cron(…), rate(…)
	Duration string
	Next     time.Time
	Token    string // version under way: AWSPENDING
	Test     bool   // the version under way is only tried
	Left     string // version from which AWSPENDING is lent to a test
}
