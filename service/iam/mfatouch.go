package iam

import (
	"context"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/wire"
)

// mfaRoutes lists what is served for MFA devices. iam:RegisterSecurityKey and the
// iam:FIDO- keys say something of security keys only, so virtual devices have none.
func (s *Service) mfaRoutes() []wire.Route {
	devices := s.mfaKind()
	return []wire.Route{
		iamapi.CreateVirtualMFADevice.To(s.createVirtualMFADevice, touchNew("iam:CreateVirtualMFADevice", "iam:TagMFADevice", func(in *iamapi.CreateVirtualMFADeviceRequest) (string, []iamapi.Tag) {
			return "mfa" + pathOr(in.Path) + in.VirtualMFADeviceName, in.Tags
		})),
		iamapi.ListVirtualMFADevices.To(s.listVirtualMFADevices, touchAll[iamapi.ListVirtualMFADevicesRequest]("iam:ListVirtualMFADevices")),
		iamapi.DeleteVirtualMFADevice.To(s.deleteVirtualMFADevice, touchARN(devices, "iam:DeleteVirtualMFADevice", func(in *iamapi.DeleteVirtualMFADeviceRequest) string { return in.SerialNumber })),
		iamapi.EnableMFADevice.To(s.enableMFADevice, touchEnrolled("iam:EnableMFADevice", s, func(in *iamapi.EnableMFADeviceRequest) *string { return &in.UserName })),
		iamapi.ResyncMFADevice.To(s.resyncMFADevice, touchEnrolled("iam:ResyncMFADevice", s, func(in *iamapi.ResyncMFADeviceRequest) *string { return &in.UserName })),
		iamapi.DeactivateMFADevice.To(s.deactivateMFADevice, touchEnrolled("iam:DeactivateMFADevice", s, func(in *iamapi.DeactivateMFADeviceRequest) *string { return in.UserName })),
		iamapi.GetMFADevice.To(s.getMFADevice, touchUser("iam:GetMFADevice", s, func(in *iamapi.GetMFADeviceRequest) *string { return in.UserName })),
		iamapi.ListMFADevices.To(s.listMFADevices, touchUser("iam:ListMFADevices", s, func(in *iamapi.ListMFADevicesRequest) *string { return in.UserName })),
		iamapi.TagMFADevice.To(s.tagMFADevice, touchTagged(devices, "iam:TagMFADevice", func(in *iamapi.TagMFADeviceRequest) (string, []iamapi.Tag) { return in.SerialNumber, in.Tags })),
		iamapi.UntagMFADevice.To(s.untagMFADevice, touchUntagged(devices, "iam:UntagMFADevice", func(in *iamapi.UntagMFADeviceRequest) (string, []string) { return in.SerialNumber, in.TagKeys })),
		iamapi.ListMFADeviceTags.To(s.listMFADeviceTags, touchARN(devices, "iam:ListMFADeviceTags", func(in *iamapi.ListMFADeviceTagsRequest) string { return in.SerialNumber })),
	}
}

// touchEnrolled is touchUser, but root may name itself.
func touchEnrolled[In any](action string, s *Service, name func(*In) *string) func(context.Context, *In) ([]wire.Touch, error) {
	user := touchUser(action, s, name)
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		if n := name(in); n != nil && asksForRoot(ctx, *n) {
			if o, err := s.enrols(ctx, *n); err == nil && o.id == rootID {
				return []wire.Touch{{Action: action, Resource: aws.CallOf(ctx).Principal.ARN}}, nil
			}
		}
		return user(ctx, in)
	}
}

func (s *Service) mfaKind() kind {
	return kind{"mfa", func(ctx context.Context, id string) ([]tag, error) {
		d, err := s.devices.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		return d.Tags, nil
	}}
}
