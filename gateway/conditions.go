package gateway

import (
	"slices"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/policy"
	"sumun.dev/wire"
)

// conditions answers what policies ask about a call: the touch's own keys first,
// then the global ones. IAM User Guide, "AWS global condition context keys".
type conditions struct {
	call         *aws.Call
	touch        *wire.Touch
	mine, theirs *policy.Membership // the caller's account and the resource's in their organisations; nil in none
}

// Lookup returns the value of a condition key, given in lower case.
func (c *conditions) Lookup(key string) policy.Value {
	if values, asked, one := c.given(key); asked {
		if !one {
			return policy.Ambiguous()
		}
		if len(values) > 1 && strings.HasPrefix(key, requestTag) {
			return policy.Ambiguous() // one tag twice
		}
		return policy.Texts(values)
	}
	if _, tag, ok := strings.Cut(key, ":resourcetag/"); ok {
		return policy.Tag(c.touch.Tags, tag)
	}
	if strings.HasSuffix(key, ":viaservice") {
		return c.viaService()
	}
	switch key {
	case "aws:sourceip":
		// A service that calls for someone has no address that policies could name.
		if len(c.call.Via) > 0 {
			return policy.Value{}
		}
		return policy.IP(c.call.SourceIP)
	case "aws:currenttime", "aws:epochtime":
		return policy.Date(c.call.Time)
	case "aws:securetransport":
		return policy.Bool(c.call.TLS != nil || !c.fromOutside())
	case "aws:useragent":
		return text(c.call.UserAgent)
	case "aws:referer":
		return text(c.call.Referer)
	case "aws:requestedregion":
		return text(string(c.call.Region))
	case "aws:resourceaccount":
		return text(string(c.owner()))
	case "aws:principalorgid", "aws:principalorgpaths":
		if c.itself() {
			return policy.Value{} // a service belongs to no organisation
		}
		return standing(c.mine, key == "aws:principalorgid")
	case "aws:resourceorgid", "aws:resourceorgpaths":
		return standing(c.theirs, key == "aws:resourceorgid")
	case "aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths":
		return c.source(key)
	case "aws:multifactorauthage":
		if s := c.call.Principal.Session; s != nil && s.MFA {
			return policy.Number(int64(c.call.Time.Sub(s.Created).Seconds()))
		}
	case "aws:viaawsservice":
		return policy.Bool(len(c.call.Via) > 0)
	case "aws:calledvia":
		return policy.Texts(c.call.Via)
	case "aws:calledviafirst":
		if len(c.call.Via) > 0 {
			return policy.Text(c.call.Via[0])
		}
	case "aws:calledvialast":
		if n := len(c.call.Via); n > 0 {
			return policy.Text(c.call.Via[n-1])
		}
	}
	return policy.Value{}
}

// given finds a key among the touch's own. Tags that differ by case only make one
// key twice, with one value or not.
func (c *conditions) given(key string) (values []string, asked, one bool) {
	for name, also := range c.touch.Conditions {
		switch {
		case !strings.EqualFold(name, key):
		case asked && !slices.Equal(values, also):
			return nil, true, false
		default:
			values, asked = also, true
		}
	}
	return values, asked, true
}

const requestTag = "aws:requesttag/"

// owner is the account whose resource is touched: where an action is on no one
// resource, or on one that belongs to AWS, the account that the call works on.
func (c *conditions) owner() aws.Account {
	if owner := ownerOf(c.touch); owner != "" {
		return owner
	}
	return c.call.Account
}

// itself reports whether a service asks as itself.
func (c *conditions) itself() bool { return c.call.Principal.Kind == aws.Service }

// source says on whose behalf a service acts as itself: on that of a resource
// where it has one, of the account that it acts in else. Only calls from inside
// have such a caller. IAM User Guide, "The confused deputy problem".
func (c *conditions) source(key string) policy.Value {
	if !c.itself() {
		return policy.Value{}
	}
	account := c.call.Account
	if !c.call.Source.IsZero() && c.call.Source.Account != "" {
		account = c.call.Source.Account
	}
	switch key {
	case "aws:sourcearn":
		return policy.ARN(&c.call.Source)
	case "aws:sourceaccount":
		return text(string(account))
	}
	// The source is of the account that the service acts in, or it is not known.
	if account != c.call.Principal.Account {
		return policy.Value{}
	}
	return standing(c.mine, key == "aws:sourceorgid")
}

// fromOutside reports whether the call came over the network by itself.
func (c *conditions) fromOutside() bool { return len(c.call.Via) == 0 && c.call.SourceIP.IsValid() }

// viaService is kms:ViaService and its like: "ssm.eu-central-1.amazonaws.com".
func (c *conditions) viaService() policy.Value {
	n := len(c.call.Via)
	if n == 0 {
		return policy.Value{}
	}
	service, domain, _ := strings.Cut(c.call.Via[n-1], ".")
	return policy.Text(service + "." + string(c.call.Region) + "." + domain)
}

// standing is an organisation's id, or the path to an account in it.
func standing(m *policy.Membership, id bool) policy.Value {
	switch {
	case m == nil:
		return policy.Value{}
	case id:
		return policy.Text(m.Organization)
	}
	return policy.Texts([]string{m.Path})
}

func text(s string) policy.Value {
	if s == "" {
		return policy.Value{}
	}
	return policy.Text(s)
}
