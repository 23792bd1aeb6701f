package kms

import (
	"time"

	"sumun.dev/aws"
)

// Indexes of the tables.
const (
	byStore    = "store"
	byMaterial = "material"
	byTarget   = "target"
	byGrantee  = "grantee"  // of grants: key and grantee
	byRetiring = "retiring" // of retirables
	byName     = "name"     // of grants: key, name and what else has to be the same
)

// A key is what is kept of a KMS key in one region, under its id. The replica of a
// multi-Region key is a record of its own, with material of its own: what is shared
// is copied into it.
type key struct {
	ID          string // a UUID, or mrk- and 32 hexadecimal digits
	Spec        string // KeySpec: "SYMMETRIC_DEFAULT"
	Usage       string // KeyUsage: "ENCRYPT_DECRYPT"
	Origin      string // "AWS_KMS", "EXTERNAL", "EXTERNAL_KEY_STORE", "AWS_CLOUDHSM"
	Service     string // whose AWS managed key it is: "ssm" for aws/ssm; empty for customers' own
	Description string
	Created     time.Time
	Disabled    bool   // what the customer set; the state follows from all of this (state)
	Policy      string // with unique ids of principals (service.WithIDs)
	Tags        map[string]string

	Deletion *deletion    // scheduled
	Regions  *multiRegion // of a multi-Region key

	// Materials are the versions, oldest first; the one that encrypts is Current.
	// Only keys of spec SYMMETRIC_DEFAULT have more than one.
	Materials []material
	Current   string // id of a material; empty while none was imported

	Rotation rotation
	Store    string // custom key store
	XksKeyID string
}

// A deletion is scheduled. A primary key waits for its replicas first: At is zero then.
type deletion struct {
	At     time.Time
	Window int // days
}

// multiRegion says who belongs to a multi-Region key.
type multiRegion struct {
	Primary  string   // region
	Replicas []string // regions, in the primary's record; replicas have it too
}

// A material is a version of the key. Its id is the KeyMaterialId: 64 hexadecimal digits.
type material struct {
	ID          string
	Bytes       []byte    // engine/material's form; nil when deleted or expired, or not imported in this region
	RotatedAt   time.Time // when it became current by rotation; zero for the first
	RotatedBy   string    // "AUTOMATIC" or "ON_DEMAND"
	Description string
	ValidTo     *time.Time // imported material that expires
	Pending     bool       // imported, and not rotated to yet
	Digest      []byte     // SHA-256 by which a re-import of the same bytes is recognised
}

// rotation is how the key rotates by itself.
type rotation struct {
	Days     int // 0: not at all
	Next     time.Time
	OnDemand int       // how often RotateKeyOnDemand was called
	Started  time.Time // an on-demand rotation under way
}

// stores are the custom key store that k is in, and with it the external key, which
// no other key of the store may have.
func (k *key) stores() []string {
	if k.Store == "" {
		return nil
	}
	return []string{k.Store, k.Store + "/" + k.XksKeyID}
}

func (k *key) materialIDs() []string {
	var ids []string
	for i := range k.Materials {
		ids = append(ids, k.Materials[i].ID)
	}
	return ids
}

// An alias is kept under its name, "alias/…".
type alias struct {
	Name             string
	Target           string // key id
	Created, Updated time.Time
}

func (a *alias) targets() []string { return []string{a.Target} }

// A grant is kept under its key's id and its own (grantID), so that those of a key
// are one run of rows, and a change tells whose it is.
type grant struct {
	ID         string
	Key        string // key id
	Name       string
	Created    time.Time
	Grantee    string      // ARN, service, or the unique id of a user or role
	Retiring   string      // the same; empty: nobody
	RetiredIn  aws.Account // the retiring principal's; of a service that of the key
	Issuing    string      // account that made it: an ARN
	Operations []string
	Equals     map[string]string // EncryptionContextEquals; nil: no constraint
	Subset     map[string]string // EncryptionContextSubset; nil: no constraint
}

// grantID is the id of a grant in its table.
func grantID(key, id string) string { return key + "/" + id }

func (g *grant) grantees() []string { return []string{granteeOn(g.Key, g.Grantee)} }

func granteeOn(key, grantee string) string { return key + " " + grantee }

// A retirable says that a principal may retire a grant. It is kept where that
// principal's account is, whoever owns the key, under the key's ARN and the grant's id.
type retirable struct {
	Retiring string // as the grant has it
	Key      string // ARN
	Grant    string
}

func (r *retirable) principals() []string { return []string{r.Retiring} }

// A grantCount says how many grants a key has, under the key's id.
type grantCount struct{ N int }
