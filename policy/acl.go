package policy

import "fmt"

// An ACL is an S3 access control list: a further source of Allow on the
// resource's side. S3 User Guide, "Access control list (ACL) overview".
type ACL struct {
	Bucket bool // of a bucket, else of an object
	Grants []ACLGrant

	// IgnorePublicAcls is that setting of S3 Block Public Access: grants to
	// everyone, and to everyone with an account, have no effect.
	IgnorePublicAcls bool
}

// An ACLGrant gives a permission to an account or group.
type ACLGrant struct {
	Grantee    string // canonical user ID of an account, or the URI of a group
	Permission string // READ, WRITE, READ_ACP, WRITE_ACP, FULL_CONTROL
}

// The predefined groups of S3.
const (
	AllUsers           = "http://acs.amazonaws.com/groups/global/AllUsers"
	AuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
	LogDelivery        = "http://acs.amazonaws.com/groups/s3/LogDelivery"
)

// Public reports whether the list gives something to everyone, or to everyone
// with an account, so that BlockPublicAcls refuses it.
func (l *ACL) Public() bool {
	for _, g := range l.Grants {
		if g.public() {
			return true
		}
	}
	return false
}

func (g ACLGrant) public() bool { return g.Grantee == AllUsers || g.Grantee == AuthenticatedUsers }

// Document compiles the list into one of the Grants of Policies: each grant
// becomes an Allow statement of the same place. A named account still decides
// by its own policies whom of its people that is for. It fails for a permission
// that there is not.
func (l *ACL) Document() (*Document, error) {
	d := &Document{Kind: Resource, Version: "2012-10-17"}
	for i, g := range l.Grants {
		actions, known := l.actions(g.Permission)
		if !known {
			return nil, fmt.Errorf("%q is no permission of an access control list", g.Permission)
		}
		if len(actions) == 0 || l.IgnorePublicAcls && g.public() {
			continue
		}
		who := &principalSet{}
		switch g.Grantee {
		case AllUsers:
			who.everyone = true
		case AuthenticatedUsers:
			who.signed = true
		case LogDelivery:
			who.services = []string{"logging.s3.amazonaws.com"}
		default:
			who.canonical = []string{g.Grantee}
		}
		d.Statements = append(d.Statements, Statement{
			Sid: g.Permission, Index: i, actions: compileActions(actions), anyResource: true, principals: who,
		})
	}
	return d, nil
}

// actions are what a permission stands for. S3 User Guide, "Mapping of ACL
// permissions and access policy permissions".
func (l *ACL) actions(permission string) ([]string, bool) {
	read := []string{"s3:GetObject", "s3:GetObjectVersion"}
	readACP := []string{"s3:GetObjectAcl", "s3:GetObjectVersionAcl"}
	writeACP := []string{"s3:PutObjectAcl", "s3:PutObjectVersionAcl"}
	var write []string // nothing, on an object
	if l.Bucket {
		read = []string{"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}
		readACP = []string{"s3:GetBucketAcl"}
		writeACP = []string{"s3:PutBucketAcl"}
		write = []string{"s3:PutObject"}
	}
	switch permission {
	case "READ":
		return read, true
	case "WRITE":
		return write, true
	case "READ_ACP":
		return readACP, true
	case "WRITE_ACP":
		return writeACP, true
	case "FULL_CONTROL":
		return append(append(append(read, write...), readACP...), writeACP...), true
	}
	return nil, false
}
