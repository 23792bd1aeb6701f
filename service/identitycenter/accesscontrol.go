package identitycenter

import (
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sumun.dev/api/identitystoreapi"
	api "sumun.dev/api/ssoadminapi"
	"sumun.dev/wire"
)

// Attributes for access control: what of a user becomes a session tag.
// IAM Identity Center User Guide, "Attributes for access control".

func (s *Service) createAccessControl(ctx context.Context, in *api.CreateInstanceAccessControlAttributeConfigurationRequest) (*api.CreateInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := s.organization(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	if i.Controlled {
		return nil, api.ConflictException.New("The attribute-based access control (ABAC) configuration already exists for instance %s.", i.ID)
	}
	return &api.CreateInstanceAccessControlAttributeConfigurationResponse{}, s.setAccessControl(ctx, i, in.InstanceAccessControlAttributeConfiguration.AccessControlAttributes)
}

func (s *Service) updateAccessControl(ctx context.Context, in *api.UpdateInstanceAccessControlAttributeConfigurationRequest) (*api.UpdateInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := s.controlled(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	return &api.UpdateInstanceAccessControlAttributeConfigurationResponse{}, s.setAccessControl(ctx, i, in.InstanceAccessControlAttributeConfiguration.AccessControlAttributes)
}

// controlled returns an instance that has a configuration.
func (s *Service) controlled(ctx context.Context, arn string) (*instance, error) {
	i, err := s.organization(ctx, arn)
	if err != nil {
		return nil, err
	}
	if !i.Controlled {
		return nil, api.ResourceNotFoundException.New("The attribute-based access control (ABAC) configuration does not exist for instance %s.", i.ID)
	}
	return i, nil
}

func (s *Service) setAccessControl(ctx context.Context, i *instance, attributes []api.AccessControlAttribute) error {
	seen := map[string]bool{}
	for _, a := range attributes {
		if seen[strings.ToLower(a.Key)] {
			return api.ValidationException.New("The key %s is given more than once.", a.Key)
		}
		seen[strings.ToLower(a.Key)] = true
		if source := a.Value.Source[0]; sourcePath(source) == nil {
			return api.ValidationException.New("The source %s of the key %s is not valid: ${path:ATTRIBUTE} names an attribute of the identity store.", source, a.Key)
		}
	}
	i.Controlled, i.Attributes = true, attributes
	return s.instances.Put(ctx, i.ID, i)
}

func (s *Service) describeAccessControl(ctx context.Context, in *api.DescribeInstanceAccessControlAttributeConfigurationRequest) (*api.DescribeInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := s.controlled(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	attributes := i.Attributes
	if attributes == nil {
		attributes = []api.AccessControlAttribute{}
	}
	return &api.DescribeInstanceAccessControlAttributeConfigurationResponse{
		Status: new(api.InstanceAccessControlAttributeConfigurationStatusEnabled),
		InstanceAccessControlAttributeConfiguration: &api.InstanceAccessControlAttributeConfiguration{AccessControlAttributes: attributes},
	}, nil
}

func (s *Service) deleteAccessControl(ctx context.Context, in *api.DeleteInstanceAccessControlAttributeConfigurationRequest) (*api.DeleteInstanceAccessControlAttributeConfigurationResponse, error) {
	i, err := s.controlled(ctx, in.InstanceArn)
	if err != nil {
		return nil, err
	}
	i.Controlled, i.Attributes = false, nil
	return &api.DeleteInstanceAccessControlAttributeConfigurationResponse{}, s.instances.Put(ctx, i.ID, i)
}

var (
	sourceForm  = regexp.MustCompile(`^\$\{(?:path|user):([^{}]+)\}$`)
	primaryForm = regexp.MustCompile(`\[primary eq true\]`)
)

// sourcePath reads a source such as "${path:enterprise.department}"; nil when it
// is none. "${user:…}" is the spelling for Active Directory.
func sourcePath(source string) []string {
	m := sourceForm.FindStringSubmatch(source)
	if m == nil {
		return nil
	}
	path := primaryForm.ReplaceAllString(m[1], "")
	switch first, rest, _ := strings.Cut(path, "."); first {
	case "enterprise":
		return attributePath(extension + "enterprise." + rest)
	case "email", "mail":
		return attributePath("emails.value")
	case "subject":
		return attributePath("userName")
	}
	return attributePath(path)
}

// sessionTags returns what of a user becomes tags of its sessions. What the
// identity provider has said of the user is in asserted; what the instance maps
// wins. An attribute that the user does not have makes no tag.
func (i *instance) sessionTags(u *user, asserted map[string]string) (map[string]string, error) {
	if !i.Controlled {
		return nil, nil
	}
	tags := maps.Clone(asserted)
	if tags == nil {
		tags = map[string]string{}
	}
	doc, err := wire.EncodeJSONDocument(&identitystoreapi.CreateUser, &u.Profile)
	if err != nil {
		return nil, err
	}
	for _, a := range i.Attributes {
		// Two tags that differ by case only would be one key twice.
		for _, have := range slices.Sorted(maps.Keys(tags)) {
			if sameFold(have, a.Key) {
				delete(tags, have)
			}
		}
		value, ok := get(doc, sourcePath(a.Value.Source[0]))
		if text, isText := value.(string); ok && isText && text != "" && len(text) <= maxTagValue {
			tags[a.Key] = text
		}
	}
	return tags, nil
}

// maxTagValue is of a session tag. IAM User Guide, "Pass session tags in AWS STS".
const maxTagValue = 256
