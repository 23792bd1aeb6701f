package parameters

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// Value sizes: User Guide, "Managing parameter tiers".
const (
	maxStandard = 4 << 10
	maxAdvanced = 8 << 10
)

const (
	imageType       = "aws:ec2:image"
	integrationType = "aws:ssm:integration"
)

// putParameter makes a parameter or a new version of one.
func (s *Service) putParameter(ctx context.Context, in *ssmapi.PutParameterRequest) (*ssmapi.PutParameterResult, error) {
	if err := checkName(ctx, in.Name); err != nil {
		return nil, err
	}
	old, err := s.parameters.Get(ctx, in.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	v, err := s.next(ctx, in, old)
	if err != nil {
		return nil, err
	}
	out := &ssmapi.PutParameterResult{Version: new(v.Number), Tier: new(v.tier())}
	if v.DataType == imageType {
		return out, postpone(ctx, &pending{Name: in.Name, New: old == nil, Version: *v, Tags: tagsOf(in.Tags)})
	}
	return out, s.put(ctx, in.Name, old, v, tagsOf(in.Tags))
}

// next returns the version that in asks for, with its value still in the clear
// when it is no SecureString.
func (s *Service) next(ctx context.Context, in *ssmapi.PutParameterRequest, old *parameter) (*version, error) {
	v := &version{Number: 1, Type: ssmapi.ParameterTypeString, Modified: time.Now().UTC(), By: caller(ctx)}
	switch {
	case old == nil && in.Type == nil:
		return nil, aws.ValidationException.New("A parameter type is required when you create a parameter.")
	case old != nil && !yes(in.Overwrite):
		return nil, ssmapi.ParameterAlreadyExists.New("The parameter already exists. To overwrite this value, set the overwrite option in the request to true.")
	case yes(in.Overwrite) && len(in.Tags) > 0:
		return nil, aws.ValidationException.New("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. " +
			"To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case old != nil:
		// What a new version does not say stays; of a key it says the default one.
		*v = version{
			Number: old.Number + 1, Type: old.Type, Description: old.Description, Pattern: old.Pattern, DataType: old.DataType,
			Policies: pendingAgain(old.Policies), Modified: v.Modified, By: v.By,
		}
	}
	if in.Type != nil {
		if old != nil && *in.Type != old.Type {
			return nil, ssmapi.HierarchyTypeMismatchException.New("Parameter Store doesn't support changing a parameter type in a hierarchy. " +
				"For example, you can't change a parameter from a String type to a SecureString type. You must create a new, unique parameter.")
		}
		v.Type = *in.Type
	}
	if in.Description != nil {
		v.Description = *in.Description
	}
	if in.AllowedPattern != nil {
		v.Pattern = *in.AllowedPattern
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := checkDataType(in, v); err != nil {
		return nil, err
	}
	if in.Policies != nil {
		var err error
		if v.Policies, err = parsePolicies(*in.Policies, v.Modified); err != nil {
			return nil, err
		}
	}
	if err := s.setTier(ctx, in, old, v); err != nil {
		return nil, err
	}
	if err := checkValue(in.Value, v); err != nil {
		return nil, err
	}
	return v, s.setValue(ctx, in, v)
}

// setValue puts the value into v, encrypted when it is a SecureString.
func (s *Service) setValue(ctx context.Context, in *ssmapi.PutParameterRequest, v *version) error {
	if v.Type != ssmapi.ParameterTypeSecureString {
		if in.KeyId != nil {
			return aws.ValidationException.New("KeyId is required for SecureString type parameter only.")
		}
		v.Value = in.Value
		return nil
	}
	v.KeyID = defaultKey
	if in.KeyId != nil {
		v.KeyID = *in.KeyId
	}
	var err error
	v.Sealed, err = s.seal(ctx, arnOf(aws.CallOf(ctx), in.Name), v, in.Value)
	return err
}

// put writes a version: the row, the one before it, what falls due and the event.
func (s *Service) put(ctx context.Context, name string, old *parameter, v *version, tags map[string]string) error {
	if old == nil {
		p := &parameter{Name: name, version: *v, Oldest: v.Number, Tags: tags}
		s.counted(ctx, v.Advanced, 1)
		if err := s.parameters.Insert(ctx, name, p); err != nil {
			return err
		}
		schedule(ctx, p)
		return tellChange(ctx, p, "Create")
	}
	if old.Number-old.Oldest+1 >= maxVersions {
		if labels := old.labelled(old.Oldest); len(labels) > 0 {
			return ssmapi.ParameterMaxVersionLimitExceeded.New("You attempted to create a new version of %s by calling the PutParameter API with the overwrite flag. "+
				"Version %d, the oldest version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and try again.", name, old.Oldest)
		}
		if err := s.versions.Delete(ctx, versionID(name, old.Oldest)); err != nil {
			return err
		}
		old.Oldest++
	}
	before := old.version
	if err := s.versions.Put(ctx, versionID(name, before.Number), &before); err != nil {
		return err
	}
	unschedule(ctx, name, before.Policies)
	if v.Advanced && !before.Advanced {
		s.counted(ctx, false, -1)
		s.counted(ctx, true, 1)
	}
	p := *old
	p.version = *v
	if err := s.parameters.Put(ctx, name, &p); err != nil {
		return err
	}
	schedule(ctx, &p)
	return tellChange(ctx, &p, "Update")
}

// checkDataType refuses data types that Parameter Store does not have. API
// Reference, PutParameter, "DataType".
func checkDataType(in *ssmapi.PutParameterRequest, v *version) error {
	if in.DataType == nil {
		return nil
	}
	switch *in.DataType {
	case "text", "":
		v.DataType = ""
		return nil
	case imageType:
		if v.Type != ssmapi.ParameterTypeString {
			return aws.ValidationException.New("The data type %s can only be used with parameters of type String.", imageType)
		}
	case integrationType:
	default:
		return aws.ValidationException.New("The following data type is not supported: %s (Data type names are all lowercase.)", *in.DataType)
	}
	v.DataType = *in.DataType
	return nil
}

// checkValue refuses values that the tier, the pattern or the type do not take.
func checkValue(value string, v *version) error {
	switch {
	case value == "":
		return aws.ValidationException.New("1 validation error detected: Value '' at 'value' failed to satisfy constraint: Member must have length greater than or equal to 1.")
	case len(value) > maxAdvanced:
		return aws.ValidationException.New("Advanced tier parameters support a maximum parameter value of %d characters.", maxAdvanced)
	case len(value) > maxStandard && !v.Advanced:
		return aws.ValidationException.New("Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter "+
			"to use the advanced-parameter tier. For more information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html", maxStandard)
	case nests(value):
		return aws.ValidationException.New("Parameter value can't nest another parameter. Do not use \"{{}}\" in the value.")
	}
	if v.Pattern == "" {
		return nil
	}
	matches, err := allowed(v.Pattern)
	if err != nil {
		return err
	}
	if !matches(value) {
		return ssmapi.ParameterPatternMismatchException.New("Parameter value, cannot be validated against allowedPattern: %s", v.Pattern)
	}
	return nil
}

func nests(value string) bool {
	_, after, found := strings.Cut(value, "{{")
	return found && strings.Contains(after, "}}")
}

// allowed compiles an AllowedPattern, which all of a value must match. Go's
// expressions take linear time, whatever the pattern; those that they cannot
// express are refused.
func allowed(pattern string) (func(string) bool, error) {
	// The pattern stands alone first, so that its parentheses cannot close ours.
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, badPattern(err)
	}
	re, err := regexp.Compile(`\A(?:` + pattern + `)\z`)
	if err != nil {
		return nil, badPattern(err)
	}
	return re.MatchString, nil
}

func badPattern(err error) error {
	e := ssmapi.InvalidAllowedPatternException.New("The request doesn't meet the regular expression requirement.")
	e.Cause = err
	return e
}

// caller is who a version is by.
func caller(ctx context.Context) string {
	p := aws.CallOf(ctx).Principal
	if p.ARN.IsZero() {
		return p.Name
	}
	return p.ARN.String()
}
