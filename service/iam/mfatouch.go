package iam

import (
	"context"
	"errors"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// mfaRoutes lists what is served for MFA devices. iam:RegisterSecurityKey and the
// iam:FIDO- keys say something of security keys only, so virtual devices have none.
func (s *Service) mfaRoutes() []wire.Route {
	return []wire.Route{
		iamapi.CreateVirtualMFADevice.To(s.createVirtualMFADevice, s.newDevice),
		iamapi.ListVirtualMFADevices.To(s.listVirtualMFADevices, touchAll[iamapi.ListVirtualMFADevicesRequest]("iam:ListVirtualMFADevices")),
		iamapi.DeleteVirtualMFADevice.To(s.deleteVirtualMFADevice, touchDevice("iam:DeleteVirtualMFADevice", s, func(in *iamapi.DeleteVirtualMFADeviceRequest) string { return in.SerialNumber })),
		iamapi.EnableMFADevice.To(s.enableMFADevice, touchEnrolled("iam:EnableMFADevice", s, func(in *iamapi.EnableMFADeviceRequest) *string { return &in.UserName })),
		iamapi.ResyncMFADevice.To(s.resyncMFADevice, touchEnrolled("iam:ResyncMFADevice", s, func(in *iamapi.ResyncMFADeviceRequest) *string { return &in.UserName })),
		iamapi.DeactivateMFADevice.To(s.deactivateMFADevice, touchEnrolled("iam:DeactivateMFADevice", s, func(in *iamapi.DeactivateMFADeviceRequest) *string { return in.UserName })),
		iamapi.GetMFADevice.To(s.getMFADevice, touchUser("iam:GetMFADevice", s, func(in *iamapi.GetMFADeviceRequest) *string { return in.UserName })),
		iamapi.ListMFADevices.To(s.listMFADevices, touchUser("iam:ListMFADevices", s, func(in *iamapi.ListMFADevicesRequest) *string { return in.UserName })),
		iamapi.TagMFADevice.To(s.tagMFADevice, s.deviceTagged),
		iamapi.UntagMFADevice.To(s.untagMFADevice, s.deviceUntagged),
		iamapi.ListMFADeviceTags.To(s.listMFADeviceTags, touchDevice("iam:ListMFADeviceTags", s, func(in *iamapi.ListMFADeviceTagsRequest) string { return in.SerialNumber })),
	}
}

// touchAll makes the touch function of an action without resources of its own.
func touchAll[In any](action string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(context.Context, *In) ([]wire.Touch, error) { return []wire.Touch{{Action: action}}, nil }
}

func (s *Service) newDevice(ctx context.Context, in *iamapi.CreateVirtualMFADeviceRequest) ([]wire.Touch, error) {
	touch := wire.Touch{Action: "iam:CreateVirtualMFADevice", Resource: aws.CallOf(ctx).GlobalARN("iam", "mfa"+pathOr(in.Path)+in.VirtualMFADeviceName), Conditions: requested(in.Tags)}
	return withTagging([]wire.Touch{touch}, "iam:TagMFADevice", in.Tags), nil
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

// touchDevice makes the touch function of operations on one virtual device.
func touchDevice[In any](action string, s *Service, serial func(*In) string) func(context.Context, *In) ([]wire.Touch, error) {
	return func(ctx context.Context, in *In) ([]wire.Touch, error) {
		touch, err := s.touchedDevice(ctx, action, serial(in))
		return []wire.Touch{touch}, err
	}
}

func (s *Service) touchedDevice(ctx context.Context, action, serial string) (wire.Touch, error) {
	arn, own := ownARN(ctx, serial, "mfa")
	touch := wire.Touch{Action: action, Resource: arn}
	if !own {
		return touch, nil
	}
	d, err := s.devices.Get(ctx, arn.Resource[len("mfa"):])
	if errors.Is(err, store.ErrNotFound) {
		return touch, nil
	}
	if err == nil {
		touch.Tags = tagMap(d.Tags)
	}
	return touch, err
}

func (s *Service) deviceTagged(ctx context.Context, in *iamapi.TagMFADeviceRequest) ([]wire.Touch, error) {
	touch, err := s.touchedDevice(ctx, "iam:TagMFADevice", in.SerialNumber)
	touch.Conditions = requested(in.Tags)
	return []wire.Touch{touch}, err
}

func (s *Service) deviceUntagged(ctx context.Context, in *iamapi.UntagMFADeviceRequest) ([]wire.Touch, error) {
	touch, err := s.touchedDevice(ctx, "iam:UntagMFADevice", in.SerialNumber)
	touch.Conditions = keysOf(in.TagKeys)
	return []wire.Touch{touch}, err
}
