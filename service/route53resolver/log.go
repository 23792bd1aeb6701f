package route53resolver

import (
	"context"
	"slices"
	"strings"
	"time"

	api "sumun.dev/api/route53resolverapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

func (s *Service) createLog(ctx context.Context, in *api.CreateResolverQueryLogConfigRequest) (*api.CreateResolverQueryLogConfigResponse, error) {
	arn, err := aws.ParseARN(in.DestinationArn)
	if err != nil || !slices.Contains([]string{"s3", "logs", "firehose"}, arn.Service) {
		return nil, api.InvalidParameterException.New("The destination \"%s\" is not the ARN of an S3 bucket, a CloudWatch Logs log group or a Firehose delivery stream.", in.DestinationArn).With("FieldName", "DestinationArn")
	}
	id, l, err := created(ctx, s.logs, in.CreatorRequestId, func(l *logConfig) bool { return l.Name == in.Name && l.Destination == in.DestinationArn })
	if err != nil {
		return nil, err
	}
	if l == nil {
		if err := atMost(ctx, s.logs, maxLogConfigs, "ResolverQueryLogConfig"); err != nil {
			return nil, err
		}
		c, err := newCommon(in.Name, in.CreatorRequestId, in.Tags)
		if err != nil {
			return nil, err
		}
		l, id = &logConfig{common: c, Destination: in.DestinationArn}, newID("rqlc-")
		if err := s.logs.Insert(ctx, id, l); err != nil {
			return nil, err
		}
	}
	return &api.CreateResolverQueryLogConfigResponse{ResolverQueryLogConfig: l.shown(ctx, id)}, nil
}

func (s *Service) getLog(ctx context.Context, in *api.GetResolverQueryLogConfigRequest) (*api.GetResolverQueryLogConfigResponse, error) {
	l, err := s.log(ctx, in.ResolverQueryLogConfigId)
	if err != nil {
		return nil, err
	}
	return &api.GetResolverQueryLogConfigResponse{ResolverQueryLogConfig: l.shown(ctx, in.ResolverQueryLogConfigId)}, nil
}

func (s *Service) listLogs(ctx context.Context, in *api.ListResolverQueryLogConfigsRequest) (*api.ListResolverQueryLogConfigsResponse, error) {
	if in.SortBy != nil || in.SortOrder != nil {
		return nil, unsorted()
	}
	match, bind, err := filters(in.Filters, "Arn", "AssociationCount", "CreationTime", "CreatorRequestId", "Destination", "DestinationArn", "Id", "Name", "OwnerId", "ShareStatus", "Status")
	if err != nil {
		return nil, err
	}
	out := &api.ListResolverQueryLogConfigsResponse{ResolverQueryLogConfigs: []api.ResolverQueryLogConfig{}}
	next, err := pages(ctx, s, s.logs, "ListResolverQueryLogConfigs", bind, in.NextToken, in.MaxResults, func(id string, l *logConfig) bool {
		shown := l.shown(ctx, id)
		if !match(map[string]string{
			"Arn": *shown.Arn, "AssociationCount": number(&l.Ties), "CreationTime": *shown.CreationTime, "CreatorRequestId": l.Creator, "DestinationArn": l.Destination,
			"Destination": destination(l.Destination), "Id": id, "Name": l.Name, "OwnerId": *shown.OwnerId, "ShareStatus": string(*shown.ShareStatus), "Status": string(*shown.Status),
		}) {
			return false
		}
		out.ResolverQueryLogConfigs = append(out.ResolverQueryLogConfigs, *shown)
		return true
	})
	out.NextToken = next
	return out, err
}

// destination names the kind of a destination as the filter Destination does.
func destination(arn string) string {
	a, err := aws.ParseARN(arn)
	if err != nil {
		return ""
	}
	return map[string]string{"s3": "S3", "logs": "CloudWatchLogs", "firehose": "KinesisFirehose"}[a.Service]
}

func unsorted() error {
	return api.InvalidRequestException.New("Sumun lists by id only: leave SortBy and SortOrder out.")
}

func (s *Service) deleteLog(ctx context.Context, in *api.DeleteResolverQueryLogConfigRequest) (*api.DeleteResolverQueryLogConfigResponse, error) {
	l, err := s.log(ctx, in.ResolverQueryLogConfigId)
	if err != nil {
		return nil, err
	}
	if l.Ties > 0 {
		return nil, api.InvalidRequestException.New("The query logging configuration \"%s\" is associated with VPCs; disassociate them first.", in.ResolverQueryLogConfigId)
	}
	shown := l.shown(ctx, in.ResolverQueryLogConfigId)
	shown.Status = new(api.ResolverQueryLogConfigStatusDeleting)
	return &api.DeleteResolverQueryLogConfigResponse{ResolverQueryLogConfig: shown}, s.logs.Delete(ctx, in.ResolverQueryLogConfigId)
}

func (s *Service) associateLog(ctx context.Context, in *api.AssociateResolverQueryLogConfigRequest) (*api.AssociateResolverQueryLogConfigResponse, error) {
	if err := checkVPC(in.ResourceId); err != nil {
		return nil, err
	}
	l, err := s.log(ctx, in.ResolverQueryLogConfigId)
	if err != nil {
		return nil, err
	}
	_, have, err := s.tieOf(ctx, in.ResolverQueryLogConfigId, in.ResourceId)
	if err != nil {
		return nil, err
	}
	if have != nil {
		return nil, api.ResourceExistsException.New("The query logging configuration \"%s\" is associated with \"%s\" already.", in.ResolverQueryLogConfigId, in.ResourceId).With("ResourceType", "resolver-query-log-config-association")
	}
	id, tie := newID("rqlca-"), &logTie{Config: in.ResolverQueryLogConfigId, VPC: in.ResourceId, Created: time.Now().UTC()}
	l.Ties++
	if err := s.logs.Put(ctx, in.ResolverQueryLogConfigId, l); err != nil {
		return nil, err
	}
	return &api.AssociateResolverQueryLogConfigResponse{ResolverQueryLogConfigAssociation: tie.shown(id)}, s.logTies.Insert(ctx, id, tie)
}

func (s *Service) disassociateLog(ctx context.Context, in *api.DisassociateResolverQueryLogConfigRequest) (*api.DisassociateResolverQueryLogConfigResponse, error) {
	l, err := s.log(ctx, in.ResolverQueryLogConfigId)
	if err != nil {
		return nil, err
	}
	id, tie, err := s.tieOf(ctx, in.ResolverQueryLogConfigId, in.ResourceId)
	if err != nil {
		return nil, err
	}
	if tie == nil {
		return nil, notFound(in.ResourceId)
	}
	l.Ties--
	if err := s.logs.Put(ctx, in.ResolverQueryLogConfigId, l); err != nil {
		return nil, err
	}
	shown := tie.shown(id)
	shown.Status = new(api.ResolverQueryLogConfigAssociationStatusDeleting)
	return &api.DisassociateResolverQueryLogConfigResponse{ResolverQueryLogConfigAssociation: shown}, s.logTies.Delete(ctx, id)
}

// tieOf returns the association of a configuration with a VPC, nil when there is none.
func (s *Service) tieOf(ctx context.Context, config, vpc string) (string, *logTie, error) {
	ties, err := s.logTies.PageBy(ctx, "vpc", vpc, store.Range{})
	if err != nil {
		return "", nil, err
	}
	for _, t := range ties {
		if t.Value.Config == config {
			return t.ID, t.Value, nil
		}
	}
	return "", nil, nil
}

func (s *Service) getLogAssociation(ctx context.Context, in *api.GetResolverQueryLogConfigAssociationRequest) (*api.GetResolverQueryLogConfigAssociationResponse, error) {
	t, err := s.logTies.Get(ctx, in.ResolverQueryLogConfigAssociationId)
	if t, err = found(t, err, in.ResolverQueryLogConfigAssociationId); err != nil {
		return nil, err
	}
	return &api.GetResolverQueryLogConfigAssociationResponse{ResolverQueryLogConfigAssociation: t.shown(in.ResolverQueryLogConfigAssociationId)}, nil
}

func (s *Service) listLogAssociations(ctx context.Context, in *api.ListResolverQueryLogConfigAssociationsRequest) (*api.ListResolverQueryLogConfigAssociationsResponse, error) {
	if in.SortBy != nil || in.SortOrder != nil {
		return nil, unsorted()
	}
	match, bind, err := filters(in.Filters, "CreationTime", "Id", "ResolverQueryLogConfigId", "ResourceId", "Status")
	if err != nil {
		return nil, err
	}
	out := &api.ListResolverQueryLogConfigAssociationsResponse{ResolverQueryLogConfigAssociations: []api.ResolverQueryLogConfigAssociation{}}
	next, err := pages(ctx, s, s.logTies, "ListResolverQueryLogConfigAssociations", bind, in.NextToken, in.MaxResults, func(id string, t *logTie) bool {
		if !match(map[string]string{"CreationTime": *stamp(t.Created), "Id": id, "ResolverQueryLogConfigId": t.Config, "ResourceId": t.VPC, "Status": "ACTIVE"}) {
			return false
		}
		out.ResolverQueryLogConfigAssociations = append(out.ResolverQueryLogConfigAssociations, *t.shown(id))
		return true
	})
	out.NextToken = next
	return out, err
}

// filters returns what a row must pass: one of the values of each filter.
func filters(in []api.Filter, known ...string) (func(map[string]string) bool, []string, error) {
	var bind []string
	for _, f := range in {
		if !slices.Contains(known, text(f.Name)) {
			return nil, nil, api.InvalidParameterException.New("The filter \"%s\" is not valid; valid ones are %s.", text(f.Name), strings.Join(known, ", ")).With("FieldName", "Filters")
		}
		bind = append(bind, text(f.Name)+"="+strings.Join(f.Values, ","))
	}
	return func(row map[string]string) bool {
		for _, f := range in {
			if !slices.Contains(f.Values, row[*f.Name]) {
				return false
			}
		}
		return true
	}, bind, nil
}

func (s *Service) log(ctx context.Context, id string) (*logConfig, error) {
	l, err := s.logs.Get(ctx, id)
	return found(l, err, id)
}

func (l *logConfig) shown(ctx context.Context, id string) *api.ResolverQueryLogConfig {
	return &api.ResolverQueryLogConfig{
		Id: &id, OwnerId: new(string(aws.CallOf(ctx).Account)), Status: new(api.ResolverQueryLogConfigStatusCreated), ShareStatus: new(api.ShareStatusNotShared),
		AssociationCount: &l.Ties, Arn: new(arnOf(ctx, id).String()), Name: &l.Name, DestinationArn: &l.Destination, CreatorRequestId: &l.Creator, CreationTime: stamp(l.Created),
	}
}

func (t *logTie) shown(id string) *api.ResolverQueryLogConfigAssociation {
	return &api.ResolverQueryLogConfigAssociation{
		Id: &id, ResolverQueryLogConfigId: &t.Config, ResourceId: &t.VPC, Status: new(api.ResolverQueryLogConfigAssociationStatusActive),
		Error: new(api.ResolverQueryLogConfigAssociationErrorNone), CreationTime: stamp(t.Created),
	}
}
