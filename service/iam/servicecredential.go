package iam

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// serviceCredentialsMost is how many credentials a user has for a service.
// IAM User Guide, "IAM and AWS STS quotas".
const serviceCredentialsMost = 2

// A serviceCredential is a name and password, or an API key, for one service.
// The secret is shown once and not kept: nothing here takes it.
type serviceCredential struct {
	ID, Service string
	Name        string // user name, or alias of an API key
	Key         bool   // an API key
	Active      bool
	Created     time.Time
	Expires     *time.Time `json:",omitempty"`
}

// takesServiceCredentials lists the services that have such credentials, and
// whether they are API keys, which can expire. IAM API Reference,
// CreateServiceSpecificCredential.
func takesServiceCredentials(service string) (key, ok bool) {
	switch service {
	case "codecommit.amazonaws.com", "cassandra.amazonaws.com":
		return false, true
	case "bedrock.amazonaws.com", "logs.amazonaws.com":
		return true, true
	}
	return false, false
}

func (s *Service) createServiceSpecificCredential(ctx context.Context, in *iamapi.CreateServiceSpecificCredentialRequest) (*iamapi.CreateServiceSpecificCredentialResponse, error) {
	o, err := s.owner(ctx, &in.UserName)
	if err != nil {
		return nil, err
	}
	key, ok := takesServiceCredentials(in.ServiceName)
	if !ok {
		return nil, iamapi.ServiceNotSupportedException.New("No such service %s is supported for Service Specific Credentials", in.ServiceName)
	}
	if in.CredentialAgeDays != nil && !key {
		return nil, iamapi.InvalidInputException.New("CredentialAgeDays is not supported for %s", in.ServiceName)
	}
	have := 0
	for _, c := range o.Services {
		if c.Service == in.ServiceName {
			have++
		}
	}
	if have >= serviceCredentialsMost {
		return nil, iamapi.LimitExceededException.New("Cannot exceed quota for ServiceSpecificCredentialsPerUser: %d", serviceCredentialsMost)
	}
	c := serviceCredential{ID: aws.UniqueID("ACCA"), Service: in.ServiceName, Key: key, Active: true, Created: now()}
	if in.CredentialAgeDays != nil {
		c.Expires = new(c.Created.AddDate(0, 0, int(*in.CredentialAgeDays)))
	}
	c.Name = c.named(o, aws.CallOf(ctx).Account)
	o.Services = append(o.Services, c)
	return &iamapi.CreateServiceSpecificCredentialResponse{ServiceSpecificCredential: c.secret(o)}, s.putCredentials(ctx, o)
}

// named is the user name for the service, or the alias of the API key: alice-at-111122223333,
// then alice+1-at-111122223333.
func (c *serviceCredential) named(o *owner, account aws.Account) string {
	who := o.name
	if c.Key {
		who = map[string]string{"bedrock.amazonaws.com": "BedrockAPIKey", "logs.amazonaws.com": "CloudWatchLogsAPIKey"}[c.Service] + "-" + strings.ToLower(rand.Text()[:4])
	}
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s-at-%s", who, account)
		if n > 0 {
			name = fmt.Sprintf("%s+%d-at-%s", who, n, account)
		}
		if !slices.ContainsFunc(o.Services, func(other serviceCredential) bool { return other.Service == c.Service && other.Name == name }) {
			return name
		}
	}
}

// secret shows the credential with a new secret.
func (c *serviceCredential) secret(o *owner) *iamapi.ServiceSpecificCredential {
	shown := &iamapi.ServiceSpecificCredential{
		CreateDate: c.Created, ExpirationDate: c.Expires, ServiceName: c.Service, ServiceSpecificCredentialId: c.ID, UserName: o.shown(), Status: c.status(),
	}
	b := make([]byte, 33)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program first
	text := base64.StdEncoding.EncodeToString(b)
	if c.Key {
		shown.ServiceCredentialAlias, shown.ServiceCredentialSecret = &c.Name, new("ABSK"+base64.StdEncoding.EncodeToString([]byte(c.Name+":"+text)))
		return shown
	}
	shown.ServiceUserName, shown.ServicePassword = &c.Name, &text
	return shown
}

func (c *serviceCredential) status() iamapi.StatusType {
	if c.Expires != nil && !time.Now().Before(*c.Expires) {
		return iamapi.StatusTypeExpired
	}
	return status(c.Active)
}

func (c *serviceCredential) shown(o *owner) iamapi.ServiceSpecificCredentialMetadata {
	m := iamapi.ServiceSpecificCredentialMetadata{
		UserName: o.shown(), Status: c.status(), CreateDate: c.Created, ExpirationDate: c.Expires, ServiceSpecificCredentialId: c.ID, ServiceName: c.Service,
	}
	if c.Key {
		m.ServiceCredentialAlias = &c.Name
	} else {
		m.ServiceUserName = &c.Name
	}
	return m
}

func (o *owner) serviceCredentialOf(id string) (*serviceCredential, error) {
	at := slices.IndexFunc(o.Services, func(c serviceCredential) bool { return c.ID == id })
	if at < 0 {
		return nil, iamapi.NoSuchEntityException.New("No such credential %s exists", id)
	}
	return &o.Services[at], nil
}

func (s *Service) listServiceSpecificCredentials(ctx context.Context, in *iamapi.ListServiceSpecificCredentialsRequest) (*iamapi.ListServiceSpecificCredentialsResponse, error) {
	service, all := or(in.ServiceName, ""), or(in.AllUsers, false)
	if _, ok := takesServiceCredentials(service); service != "" && !ok {
		return nil, iamapi.ServiceNotSupportedException.New("No such service %s is supported for Service Specific Credentials", service)
	}
	if all && in.UserName != nil {
		return nil, invalid("UserName cannot be specified together with AllUsers.")
	}
	of, have, err := s.holdingServices(ctx, in.UserName, all)
	if err != nil {
		return nil, err
	}
	some := slices.DeleteFunc(have, func(c iamapi.ServiceSpecificCredentialMetadata) bool {
		return service != "" && c.ServiceName != service
	})
	page, next, err := named(ctx, s, "ListServiceSpecificCredentials", of+"/"+service, some, func(c iamapi.ServiceSpecificCredentialMetadata) string { return c.ServiceSpecificCredentialId }, in.Marker, in.MaxItems)
	return &iamapi.ListServiceSpecificCredentialsResponse{ServiceSpecificCredentials: page, Marker: next, IsTruncated: new(next != nil)}, err
}

// holdingServices returns the credentials of one user, or of all whom the account
// has, and whose they are.
func (s *Service) holdingServices(ctx context.Context, user *string, all bool) (of string, have []iamapi.ServiceSpecificCredentialMetadata, err error) {
	if !all {
		o, err := s.owner(ctx, user)
		if err != nil {
			return "", nil, err
		}
		return o.id, o.services(), nil
	}
	outside := store.Outside(ctx)
	for e, err := range s.credentials.All(outside, "") {
		if err != nil {
			return "", nil, err
		}
		if len(e.Value.Services) == 0 {
			continue
		}
		u, err := s.userByID(outside, e.ID)
		if err != nil {
			return "", nil, err
		}
		if u == nil { // root
			continue
		}
		o := owner{id: e.ID, name: u.Name, credentials: e.Value}
		have = append(have, o.services()...)
	}
	return "*", have, nil
}

func (o *owner) services() []iamapi.ServiceSpecificCredentialMetadata {
	var all []iamapi.ServiceSpecificCredentialMetadata
	for i := range o.Services {
		all = append(all, o.Services[i].shown(o))
	}
	return all
}

func (s *Service) updateServiceSpecificCredential(ctx context.Context, in *iamapi.UpdateServiceSpecificCredentialRequest) (*iamapi.UpdateServiceSpecificCredentialResponse, error) {
	o, c, err := s.ownedService(ctx, in.UserName, in.ServiceSpecificCredentialId)
	if err != nil {
		return nil, err
	}
	if c.Active, err = active(in.Status); err != nil {
		return nil, err
	}
	return &iamapi.UpdateServiceSpecificCredentialResponse{}, s.putCredentials(ctx, o)
}

func (s *Service) ownedService(ctx context.Context, user *string, id string) (*owner, *serviceCredential, error) {
	o, err := s.owner(ctx, user)
	if err != nil {
		return nil, nil, err
	}
	c, err := o.serviceCredentialOf(id)
	return o, c, err
}

func (s *Service) resetServiceSpecificCredential(ctx context.Context, in *iamapi.ResetServiceSpecificCredentialRequest) (*iamapi.ResetServiceSpecificCredentialResponse, error) {
	o, c, err := s.ownedService(ctx, in.UserName, in.ServiceSpecificCredentialId)
	if err != nil {
		return nil, err
	}
	return &iamapi.ResetServiceSpecificCredentialResponse{ServiceSpecificCredential: c.secret(o)}, s.putCredentials(ctx, o)
}

func (s *Service) deleteServiceSpecificCredential(ctx context.Context, in *iamapi.DeleteServiceSpecificCredentialRequest) (*iamapi.DeleteServiceSpecificCredentialResponse, error) {
	o, c, err := s.ownedService(ctx, in.UserName, in.ServiceSpecificCredentialId)
	if err != nil {
		return nil, err
	}
	id := c.ID
	o.Services = slices.DeleteFunc(o.Services, func(c serviceCredential) bool { return c.ID == id })
	return &iamapi.DeleteServiceSpecificCredentialResponse{}, s.putCredentials(ctx, o)
}
