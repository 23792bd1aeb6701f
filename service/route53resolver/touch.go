package route53resolver

import (
	"context"
	"errors"
	"iter"
	"strings"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Actions and resources are those of the Service Authorization Reference,
// "Actions, resources, and condition keys for Amazon Route 53 Resolver". What is
// touched is named by the id that was asked for, whether it exists or not.

type touches[In any] = func(context.Context, In) ([]wire.Touch, error)

func touchAll[In any](operation string) touches[In] {
	return func(context.Context, In) ([]wire.Touch, error) {
		return []wire.Touch{{Action: "route53resolver:" + operation}}, nil
	}
}

func touchNew[In any](operation, kind string, tags func(In) []api.Tag) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		t := wire.Touch{Action: "route53resolver:" + operation, Resource: aws.CallOf(ctx).ARN("route53resolver", kind+"/*"), Conditions: service.RequestTags(nil, pairs(tags(in)))}
		return service.WithTagging(tagging, t), nil
	}
}

const tagging = "route53resolver:TagResource"

func pairs(tags []api.Tag) iter.Seq2[string, string] {
	return service.Pairs(tags, func(t api.Tag) (string, string) { return t.Key, t.Value })
}

// touch makes the touch of one resource with its tags, if it is there.
func touch[T any](ctx context.Context, t *store.Table[T], operation, kind, id string, tags func(*T) map[string]string) (wire.Touch, error) {
	out := wire.Touch{Action: "route53resolver:" + operation, Resource: aws.CallOf(ctx).ARN("route53resolver", kind+"/"+id)}
	v, err := t.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadID) {
		return out, nil
	}
	if err == nil {
		out.Tags = tags(v)
	}
	return out, err
}

func one(t wire.Touch, err error) ([]wire.Touch, error) { return []wire.Touch{t}, err }

func touchListOf[In any](s *Service, operation string, id func(In) string) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return one(s.touchList(ctx, operation, id(in)))
	}
}

func (s *Service) touchList(ctx context.Context, operation, id string) (wire.Touch, error) {
	return touch(ctx, s.lists, operation, "firewall-domain-list", id, func(l *list) map[string]string { return l.Tags })
}

func touchGroupOf[In any](s *Service, operation string, id func(In) string) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return one(s.touchGroup(ctx, operation, id(in)))
	}
}

func (s *Service) touchGroup(ctx context.Context, operation, id string) (wire.Touch, error) {
	return touch(ctx, s.groups, operation, "firewall-rule-group", id, func(g *group) map[string]string { return g.Tags })
}

// touchRuleOf is for rules: the rule group and the domain list are both needed.
func touchRuleOf[In any](s *Service, operation string, ids func(In) (string, *string)) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		groupID, listID := ids(in)
		g, err := s.touchGroup(ctx, operation, groupID)
		if err != nil || listID == nil {
			return one(g, err)
		}
		l, err := s.touchList(ctx, operation, *listID)
		return []wire.Touch{g, l}, err
	}
}

func touchTieOf[In any](s *Service, operation string, id func(In) string) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return one(touch(ctx, s.ties, operation, "firewall-rule-group-association", id(in), func(a *association) map[string]string { return a.Tags }))
	}
}

func touchLogOf[In any](s *Service, operation string, id func(In) string) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		return one(touch(ctx, s.logs, operation, "resolver-query-log-config", id(in), func(l *logConfig) map[string]string { return l.Tags }))
	}
}

func touchConfigOf[In any](operation string, vpc func(In) string) touches[In] {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		id := "rslvr-fc-" + strings.TrimPrefix(vpc(in), "vpc-")
		return []wire.Touch{{Action: "route53resolver:" + operation, Resource: aws.CallOf(ctx).ARN("route53resolver", "firewall-config/"+id)}}, nil
	}
}

// touchNewTie is for AssociateFirewallRuleGroup, which AWS restricts to the new
// association, not to the group.
func touchNewTie(ctx context.Context, in *api.AssociateFirewallRuleGroupRequest) ([]wire.Touch, error) {
	tie := wire.Touch{
		Action: "route53resolver:AssociateFirewallRuleGroup", Conditions: service.RequestTags(nil, pairs(in.Tags)),
		Resource: aws.CallOf(ctx).ARN("route53resolver", "firewall-rule-group-association/*"),
	}
	return service.WithTagging(tagging, tie), nil
}

func (s *Service) touchTagging(ctx context.Context, in *api.TagResourceRequest) ([]wire.Touch, error) {
	return s.touchARN(ctx, "TagResource", in.ResourceArn, service.RequestTags(nil, pairs(in.Tags)))
}

func (s *Service) touchUntagging(ctx context.Context, in *api.UntagResourceRequest) ([]wire.Touch, error) {
	return s.touchARN(ctx, "UntagResource", in.ResourceArn, service.RequestTags(nil, nil, in.TagKeys...))
}

func (s *Service) touchTagged(ctx context.Context, in *api.ListTagsForResourceRequest) ([]wire.Touch, error) {
	return s.touchARN(ctx, "ListTagsForResource", in.ResourceArn, nil)
}

func (s *Service) touchARN(ctx context.Context, operation, text string, conditions map[string][]string) ([]wire.Touch, error) {
	arn, err := aws.ParseARN(text)
	if err != nil {
		return nil, api.InvalidParameterException.New("\"%s\" is not the ARN of a Route 53 Resolver resource.", text).With("FieldName", "ResourceArn")
	}
	t := wire.Touch{Action: "route53resolver:" + operation, Resource: arn, Conditions: conditions}
	r, err := s.tagged(ctx, text)
	if err == nil {
		t.Tags = r.tags
		return []wire.Touch{t}, nil
	}
	if api.ResourceNotFoundException.Is(err) || api.InvalidParameterException.Is(err) {
		return []wire.Touch{t}, nil
	}
	return nil, err
}
