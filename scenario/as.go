package scenario

import (
	"errors"
	"strings"

	"sumun.dev/api/iamapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/wire"
)

// as NAME | as role ARN [SESSION] | as key ID SECRET [TOKEN] | as nobody
//
// as changes who calls from here on.
func (s *step) as(args []string) error {
	switch {
	case len(args) == 1 && args[0] == "nobody":
		s.who, s.current = "nobody", sigv4.Credentials{}
		return nil
	case len(args) == 1 && args[0] != "role" && args[0] != "key":
		key, ok := s.keys[args[0]]
		if !ok {
			return misused("as %s: no key of %s is known; 'aws iam create-access-key --user-name %s' makes one", args[0], args[0], args[0])
		}
		s.who, s.current = args[0], key
		return nil
	case len(args) >= 2 && len(args) <= 3 && args[0] == "role":
		session := "scenario"
		if len(args) == 3 {
			session = args[2]
		}
		return s.assume(args[1], session)
	case len(args) >= 3 && len(args) <= 4 && args[0] == "key":
		s.who, s.current = args[1], sigv4.Credentials{KeyID: args[1], Secret: args[2]}
		if len(args) == 4 {
			s.current.Token = args[3]
		}
		return nil
	}
	return misused("usage: as NAME, as role ARN [SESSION], as key ID SECRET [TOKEN], or as nobody")
}

// assume goes on as a session of a role, which the present caller asks for.
func (s *step) assume(role, session string) error {
	in := &stsapi.AssumeRoleRequest{RoleArn: role, RoleSessionName: session}
	out, err := s.Send(s.ctx, "", true, &stsapi.AssumeRole, in)
	if err != nil {
		return s.refused(&stsapi.AssumeRole, err)
	}
	c := out.(*stsapi.AssumeRoleResponse).Credentials
	if c == nil {
		return errors.New("sts answered without credentials")
	}
	name := role[strings.LastIndexByte(role, '/')+1:]
	s.who, s.current = name+"/"+session, sigv4.Credentials{KeyID: c.AccessKeyId, Secret: c.SecretAccessKey, Token: c.SessionToken}
	return nil
}

// in ACCOUNT/REGION | in REGION
//
// in changes where calls go. Another account is entered by the role that
// Organizations makes in its members' accounts.
func (s *step) in(args []string) error {
	if len(args) != 1 {
		return misused("usage: in REGION, or in ACCOUNT/REGION")
	}
	account, region, both := strings.Cut(args[0], "/")
	if !both {
		account, region = "", args[0]
	}
	if !aws.KnownRegion(aws.Region(region)) {
		return misused("in: %q is not a region of the aws partition", region)
	}
	if both && account != s.account {
		if _, err := aws.ParseAccount(account); err != nil {
			return misused("in: %v", err)
		}
		if err := s.assume("arn:aws:iam::"+account+":role/OrganizationAccountAccessRole", "scenario"); err != nil {
			return err
		}
	}
	s.region = region
	return nil
}

// remember keeps the keys that calls answer with, for as.
func (w *world) remember(op wire.AnyOperation, out any) {
	if op != wire.AnyOperation(&iamapi.CreateAccessKey) {
		return
	}
	if k := out.(*iamapi.CreateAccessKeyResponse).AccessKey; k.UserName != "" {
		w.keys[k.UserName] = sigv4.Credentials{KeyID: k.AccessKeyId, Secret: k.SecretAccessKey}
	}
}
