package iam

import (
	"context"
	"crypto/rand"
	"errors"
	"net/url"

	"rsc.io/qr"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// seedLength makes seeds of 64 characters, as AWS's are: 320 random bits.
const seedLength = 40

// devicesQuota is as large as that of users. IAM User Guide, "IAM and AWS STS quotas".
var devicesQuota = quota{"VirtualMFADevicesPerAccount", usersQuota.most}

func (s *Service) createVirtualMFADevice(ctx context.Context, in *iamapi.CreateVirtualMFADeviceRequest) (*iamapi.CreateVirtualMFADeviceResponse, error) {
	tags, err := retagged(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	d := &mfaDevice{Name: in.VirtualMFADeviceName, Path: pathOr(in.Path), Seed: make([]byte, seedLength), Tags: tags}
	_, _ = rand.Read(d.Seed) // never fails: crypto/rand ends the program first
	if len(d.serial(ctx)) > 256 {
		return nil, iamapi.InvalidInputException.New("The specified value for virtualMFADeviceName is invalid. The serial number would be longer than 256 characters.")
	}
	picture, err := seedPicture(d.Name, aws.CallOf(ctx).Account, d.Seed)
	if err != nil {
		return nil, err
	}
	err = s.devices.Insert(ctx, d.id(), d)
	if errors.Is(err, store.ErrExists) {
		return nil, iamapi.EntityAlreadyExistsException.New("MFADevice entity at the same path and name already exists.")
	}
	if err != nil {
		return nil, err
	}
	shown := &iamapi.VirtualMFADevice{SerialNumber: d.serial(ctx), Base32StringSeed: []byte(seedText(d.Seed)), QRCodePNG: picture, Tags: tagsTo(d.Tags)}
	return &iamapi.CreateVirtualMFADeviceResponse{VirtualMFADevice: shown}, count(ctx, s.totals, devicesQuota, d.id(), 1)
}

// seedPicture returns a QR code that authenticator apps read. IAM API Reference,
// VirtualMFADevice, QRCodePNG.
func seedPicture(name string, account aws.Account, seed []byte) ([]byte, error) {
	code, err := qr.Encode("otpauth://totp/"+url.PathEscape(name+"@"+string(account))+"?secret="+seedText(seed), qr.M)
	if err != nil {
		return nil, err
	}
	code.Scale = 4
	return code.PNG(), nil
}

func (s *Service) listVirtualMFADevices(ctx context.Context, in *iamapi.ListVirtualMFADevicesRequest) (*iamapi.ListVirtualMFADevicesResponse, error) {
	which := iamapi.AssignmentStatusTypeAny
	if in.AssignmentStatus != nil {
		which = *in.AssignmentStatus
	}
	var devices []*mfaDevice
	next, err := pageOf(ctx, s, s.devices, "ListVirtualMFADevices", new(string(which)), in.Marker, in.MaxItems, func(d *mfaDevice) bool {
		if which == iamapi.AssignmentStatusTypeAssigned && d.User == "" || which == iamapi.AssignmentStatusTypeUnassigned && d.User != "" {
			return false
		}
		devices = append(devices, d)
		return true
	})
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListVirtualMFADevicesResponse{VirtualMFADevices: []iamapi.VirtualMFADevice{}, Marker: next, IsTruncated: new(next != nil)}
	for _, d := range devices {
		shown := iamapi.VirtualMFADevice{SerialNumber: d.serial(ctx), EnableDate: d.Enabled}
		if shown.User, err = s.userOf(ctx, d.User); err != nil {
			return nil, err
		}
		out.VirtualMFADevices = append(out.VirtualMFADevices, shown)
	}
	return out, nil
}

// userOf shows the user with this unique id; nil when there is none.
func (s *Service) userOf(ctx context.Context, id string) (*iamapi.User, error) {
	switch id {
	case "":
		return nil, nil
	case rootID:
		r, err := s.root(ctx)
		call := aws.CallOf(ctx)
		return &iamapi.User{UserId: string(call.Account), Arn: call.GlobalARN("iam", "root").String(), Path: "/", UserName: rootID, CreateDate: r.Created}, err
	}
	u, err := s.userByID(ctx, id)
	if err != nil || u == nil {
		return nil, err
	}
	shown := shownUser(ctx, u)
	shown.Tags = nil
	return shown, nil
}

func (s *Service) deleteVirtualMFADevice(ctx context.Context, in *iamapi.DeleteVirtualMFADeviceRequest) (*iamapi.DeleteVirtualMFADeviceResponse, error) {
	d, err := s.device(ctx, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	if d.User != "" {
		return nil, iamapi.DeleteConflictException.New("MFA VirtualDevice in use. Must deactivate first.")
	}
	if err := count(ctx, s.totals, devicesQuota, d.id(), -1); err != nil {
		return nil, err
	}
	return &iamapi.DeleteVirtualMFADeviceResponse{}, s.devices.Delete(ctx, d.id())
}

func (s *Service) tagMFADevice(ctx context.Context, in *iamapi.TagMFADeviceRequest) (*iamapi.TagMFADeviceResponse, error) {
	d, err := s.device(ctx, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	if d.Tags, err = retagged(d.Tags, in.Tags); err != nil {
		return nil, err
	}
	return &iamapi.TagMFADeviceResponse{}, s.devices.Put(ctx, d.id(), d)
}

func (s *Service) untagMFADevice(ctx context.Context, in *iamapi.UntagMFADeviceRequest) (*iamapi.UntagMFADeviceResponse, error) {
	d, err := s.device(ctx, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	d.Tags = untagged(d.Tags, in.TagKeys)
	return &iamapi.UntagMFADeviceResponse{}, s.devices.Put(ctx, d.id(), d)
}

func (s *Service) listMFADeviceTags(ctx context.Context, in *iamapi.ListMFADeviceTagsRequest) (*iamapi.ListMFADeviceTagsResponse, error) {
	d, err := s.device(ctx, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	tags, next, err := pageOfTags(ctx, s, "ListMFADeviceTags", d.id(), d.Tags, in.Marker, in.MaxItems)
	return &iamapi.ListMFADeviceTagsResponse{Tags: tags, Marker: next, IsTruncated: new(next != nil)}, err
}
