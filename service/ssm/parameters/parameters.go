// Package parameters is Parameter Store: named values in a hierarchy, with versions, labels, policies and encryption under KMS keys.
//
// Routes is its table of contents. state.go says what is kept: a parameter's row
// holds its current version, so that reading a path is one range of rows; earlier
// versions stand beside it. put.go makes versions, get.go and path.go read them,
// secure.go is the way to KMS, policy.go and due.go are what happens later.
package parameters

import (
	"context"

	"sumun.dev/api/kmsapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Service serves Parameter Store's part of Systems Manager.
type Service struct {
	env        service.Env
	public     *Public
	parameters *store.Table[parameter]
	versions   *store.Table[version] // those before the current ones
	settings   *store.Table[setting]
	shared     *store.Table[share] // in the account that a parameter is shared with
	limits     limits
}

// New returns Parameter Store with these public parameters.
func New(env service.Env, public *Public) *Service {
	s := &Service{
		env: env, public: public,
		parameters: store.NewTable(env.Store, "ssm.parameters", store.Hot[parameter](), store.Index(byFolder, (*parameter).folder)),
		versions:   store.NewTable[version](env.Store, "ssm.parameterVersions"),
		settings:   store.NewTable[setting](env.Store, "ssm.serviceSettings"),
		shared:     store.NewTable[share](env.Store, "ssm.sharedParameters"),
	}
	s.limits.follow(env.Store, "ssm.serviceSettings")
	return s
}

// Routes lists what Parameter Store serves.
func (s *Service) Routes() []wire.Route {
	return []wire.Route{
		ssmapi.PutParameter.To(s.putParameter, s.touchPut),
		ssmapi.GetParameter.To(limited(s, s.getParameter), touchOne(s, "ssm:GetParameter", func(in *ssmapi.GetParameterRequest) string { return in.Name })),
		ssmapi.GetParameters.To(limited(s, s.getParameters), touchEach(s, "ssm:GetParameters", func(in *ssmapi.GetParametersRequest) []string { return in.Names })),
		ssmapi.GetParametersByPath.To(limited(s, s.getParametersByPath), touchPath),
		ssmapi.GetParameterHistory.To(s.getParameterHistory, touchOne(s, "ssm:GetParameterHistory", func(in *ssmapi.GetParameterHistoryRequest) string { return in.Name })),
		ssmapi.DescribeParameters.To(s.describeParameters, touchDescribe),
		ssmapi.DeleteParameter.To(s.deleteParameter, touchOne(s, "ssm:DeleteParameter", func(in *ssmapi.DeleteParameterRequest) string { return in.Name })),
		ssmapi.DeleteParameters.To(s.deleteParameters, touchEach(s, "ssm:DeleteParameters", func(in *ssmapi.DeleteParametersRequest) []string { return in.Names })),
		ssmapi.LabelParameterVersion.To(s.labelParameterVersion, touchOne(s, "ssm:LabelParameterVersion", func(in *ssmapi.LabelParameterVersionRequest) string { return in.Name })),
		ssmapi.UnlabelParameterVersion.To(s.unlabelParameterVersion, touchOne(s, "ssm:UnlabelParameterVersion", func(in *ssmapi.UnlabelParameterVersionRequest) string { return in.Name })),

		ssmapi.AddTagsToResource.To(s.addTagsToResource, s.touchAddTags),
		ssmapi.RemoveTagsFromResource.To(s.removeTagsFromResource, s.touchRemoveTags),
		ssmapi.ListTagsForResource.To(s.listTagsForResource, s.touchListTags),

		ssmapi.PutResourcePolicy.To(s.putResourcePolicy, touchARN[*ssmapi.PutResourcePolicyRequest](s, "ssm:PutResourcePolicy", func(in *ssmapi.PutResourcePolicyRequest) string { return in.ResourceArn })),
		ssmapi.GetResourcePolicies.To(s.getResourcePolicies, touchARN[*ssmapi.GetResourcePoliciesRequest](s, "ssm:GetResourcePolicies", func(in *ssmapi.GetResourcePoliciesRequest) string { return in.ResourceArn })),
		ssmapi.DeleteResourcePolicy.To(s.deleteResourcePolicy, touchARN[*ssmapi.DeleteResourcePolicyRequest](s, "ssm:DeleteResourcePolicy", func(in *ssmapi.DeleteResourcePolicyRequest) string { return in.ResourceArn })),

		ssmapi.GetServiceSetting.To(s.getServiceSetting, touchSetting("ssm:GetServiceSetting", func(in *ssmapi.GetServiceSettingRequest) string { return in.SettingId })),
		ssmapi.UpdateServiceSetting.To(s.updateServiceSetting, touchSetting("ssm:UpdateServiceSetting", func(in *ssmapi.UpdateServiceSettingRequest) string { return in.SettingId })),
		ssmapi.ResetServiceSetting.To(s.resetServiceSetting, touchSetting("ssm:ResetServiceSetting", func(in *ssmapi.ResetServiceSettingRequest) string { return in.SettingId })),
	}
}

// Needs lists what Parameter Store calls for its callers: the keys of SecureString
// values, and the secrets that references name.
func (s *Service) Needs() []wire.AnyOperation {
	return []wire.AnyOperation{&kmsapi.Encrypt, &kmsapi.Decrypt, &kmsapi.GenerateDataKey, &secretsmanagerapi.GetSecretValue}
}

// Jobs lists what Parameter Store does later.
func (s *Service) Jobs() []service.Job {
	return []service.Job{{Kind: jobPolicy, Run: s.enforce}, {Kind: jobImage, Run: s.validateImage}}
}

// limited keeps an operation to Parameter Store's throughput.
func limited[In, Out any](s *Service, serve func(context.Context, In) (Out, error)) func(context.Context, In) (Out, error) {
	return func(ctx context.Context, in In) (Out, error) {
		if err := s.throughput(ctx); err != nil {
			var none Out
			return none, err
		}
		return serve(ctx, in)
	}
}
