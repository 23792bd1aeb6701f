package policy

import "testing"

func TestACL(t *testing.T) {
	const alice, own, foreign = "alice", "79a59df900b9", "fffffffffff0"
	for _, c := range []struct {
		who, canonical string
		list           ACL
		action         string
		allowed        bool // with identity policies that allow nothing
		withIdentity   bool // with identity policies that allow everything
	}{
		{"anonymous", "", ACL{Grants: []ACLGrant{{AllUsers, "READ"}}}, "s3:GetObject", true, true},
		{"anonymous", "", ACL{Grants: []ACLGrant{{AllUsers, "READ"}}}, "s3:PutObjectAcl", false, false},
		{"anonymous", "", ACL{Grants: []ACLGrant{{AllUsers, "READ_ACP"}}}, "s3:GetObjectAcl", true, true},
		{"anonymous", "", ACL{Grants: []ACLGrant{{AllUsers, "WRITE_ACP"}}}, "s3:PutObjectVersionAcl", true, true},
		{"anonymous", "", ACL{Grants: []ACLGrant{{AllUsers, "FULL_CONTROL"}}}, "s3:GetObjectVersion", true, true},
		{"anonymous", "", ACL{Grants: []ACLGrant{{AllUsers, "FULL_CONTROL"}}}, "s3:ListBucket", false, false},
		{"anonymous", "", ACL{Grants: []ACLGrant{{AllUsers, "WRITE"}}}, "s3:PutObject", false, false},
		{"anonymous", "", ACL{Bucket: true, Grants: []ACLGrant{{AllUsers, "WRITE"}}}, "s3:PutObject", true, true},
		{"anonymous", "", ACL{Bucket: true, Grants: []ACLGrant{{AllUsers, "READ"}}}, "s3:ListBucketVersions", true, true},
		{"anonymous", "", ACL{Bucket: true, Grants: []ACLGrant{{AllUsers, "READ"}}}, "s3:GetObject", false, false},
		{"anonymous", "", ACL{Bucket: true, Grants: []ACLGrant{{AllUsers, "FULL_CONTROL"}}}, "s3:PutBucketAcl", true, true},
		{"anonymous", "", ACL{IgnorePublicAcls: true, Grants: []ACLGrant{{AllUsers, "READ"}}}, "s3:GetObject", false, false},
		{"anonymous", "", ACL{Grants: []ACLGrant{{AuthenticatedUsers, "READ"}}}, "s3:GetObject", false, false},
		{"other", "", ACL{Grants: []ACLGrant{{AuthenticatedUsers, "READ"}}}, "s3:GetObject", false, true},
		{"other", "", ACL{IgnorePublicAcls: true, Grants: []ACLGrant{{AuthenticatedUsers, "READ"}}}, "s3:GetObject", false, false},
		{"other", foreign, ACL{Grants: []ACLGrant{{foreign, "READ"}}}, "s3:GetObject", false, true},
		{"other", foreign, ACL{IgnorePublicAcls: true, Grants: []ACLGrant{{foreign, "READ"}}}, "s3:GetObject", false, true},
		{"other", foreign, ACL{Grants: []ACLGrant{{own, "READ"}}}, "s3:GetObject", false, false},
		{alice, own, ACL{Grants: []ACLGrant{{own, "FULL_CONTROL"}}}, "s3:GetObject", false, true},
		{alice, own, ACL{Grants: []ACLGrant{{AllUsers, "READ"}}}, "s3:GetObject", true, true},
		{"logging.s3.amazonaws.com", "", ACL{Bucket: true, Grants: []ACLGrant{{LogDelivery, "WRITE"}}}, "s3:PutObject", true, true},
		{"ssm", "", ACL{Bucket: true, Grants: []ACLGrant{{LogDelivery, "WRITE"}}}, "s3:PutObject", false, false},
	} {
		document, err := c.list.Document()
		if err != nil {
			t.Fatal(err)
		}
		who, known := callers[c.who]
		if !known {
			who = c.who
		}
		principal, err := PrincipalOf(who, "")
		if err != nil {
			t.Fatal(err)
		}
		req := &Request{Principal: principal, Action: c.action, Resource: "arn:aws:s3:::b/k", ResourceAccount: "111122223333", CanonicalID: c.canonical}
		p := &Policies{Grants: []*Attached{{document, "acl"}}}
		if d, why := Explain(req, p); d.Allowed() != c.allowed {
			t.Errorf("%s %+v %s: got %s, %+v", c.who, c.list, c.action, show(d), why)
		}
		p.Identity = []*Attached{must(t, Identity, "admin", administrator)}
		if d := Authorize(req, p); d.Allowed() != c.withIdentity {
			t.Errorf("with identity policies %s %+v %s: got %s", c.who, c.list, c.action, show(d))
		}
	}
	if _, err := (&ACL{Grants: []ACLGrant{{own, "EVERYTHING"}}}).Document(); err == nil {
		t.Error("a permission that there is not was compiled")
	}
	public, private := ACL{Grants: []ACLGrant{{own, "READ"}, {AuthenticatedUsers, "READ"}}}, ACL{Grants: []ACLGrant{{own, "READ"}}}
	if !public.Public() || private.Public() {
		t.Error("which lists are public?")
	}
}
