package iam

import (
	"context"
	"encoding/base32"
	"errors"
	"slices"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/engine/totp"
	"sumun.dev/store"
)

// mfaPerUser is how many MFA devices a user, or root, can have. IAM User Guide,
// "IAM and AWS STS quotas".
const mfaPerUser = 8

// mfaDevice is a virtual MFA device; its id in the table is path and name.
type mfaDevice struct {
	Name, Path string
	Seed       []byte
	Tags       []tag      `json:",omitempty"`
	User       string     `json:",omitempty"` // unique id of who it is assigned to; "root" for root
	Enabled    *time.Time `json:",omitempty"`
	Drift      int64      `json:",omitempty"` // steps that the device's clock is ahead
	Step       int64      `json:",omitempty"` // of the last code that was taken
}

// assigned is a user's MFA device.
type assigned struct {
	Device  string // path and name
	Enabled time.Time
}

func (d *mfaDevice) id() string { return d.Path + d.Name }

func (d *mfaDevice) arn(partition string, account aws.Account) aws.ARN {
	return aws.ARN{Partition: partition, Service: "iam", Account: account, Resource: "mfa" + d.id()}
}

func (d *mfaDevice) serial(ctx context.Context) string {
	call := aws.CallOf(ctx)
	return d.arn(call.Partition, call.Account).String()
}

// take takes the code that a device shows now, once.
func (d *mfaDevice) take(code string, at time.Time) bool {
	step, ok := totp.Check(d.Seed, code, totp.Step(at)+d.Drift, d.Step)
	if ok {
		d.Step = step
	}
	return ok
}

// set takes two codes that follow each other, and the drift of the device's clock
// from them.
func (d *mfaDevice) set(first, second string, at time.Time) error {
	now := totp.Step(at)
	step, ok := totp.Pair(d.Seed, first, second, now)
	if !ok || step <= d.Step {
		return iamapi.InvalidAuthenticationCodeException.New("Authentication code for device is not valid.")
	}
	d.Step = step
	// A code that is late by one step says nothing of the clock: it is typing.
	if d.Drift = step - now; d.Drift >= -totp.Window && d.Drift <= totp.Window {
		d.Drift = 0
	}
	return nil
}

// device returns the virtual device with this serial number.
func (s *Service) device(ctx context.Context, serial string) (*mfaDevice, error) {
	missing := iamapi.NoSuchEntityException.New("VirtualMFADevice with serial number %s doesn't exist.", serial)
	id, own := s.mfaKind().id(ctx, serial)
	if !own {
		return nil, missing
	}
	d, err := s.devices.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, missing
	}
	return d, err
}

// deviceOf returns the device with this serial number if it is o's.
func (s *Service) deviceOf(ctx context.Context, o *owner, serial string) (*mfaDevice, error) {
	d, err := s.device(ctx, serial)
	if iamapi.NoSuchEntityException.Is(err) || err == nil && d.User != o.id {
		return nil, iamapi.NoSuchEntityException.New("MFA Device invalid for user.")
	}
	return d, err
}

func (s *Service) enableMFADevice(ctx context.Context, in *iamapi.EnableMFADeviceRequest) (*iamapi.EnableMFADeviceResponse, error) {
	o, err := s.enrols(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	d, err := s.device(ctx, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	if d.User != "" {
		return nil, iamapi.EntityAlreadyExistsException.New("MFA Device is already in use.")
	}
	if len(o.MFA) >= mfaPerUser {
		return nil, iamapi.LimitExceededException.New("Cannot exceed quota for MFADevicesPerUser: %d", mfaPerUser)
	}
	if err := d.set(in.AuthenticationCode1, in.AuthenticationCode2, time.Now()); err != nil {
		return nil, err
	}
	at := now()
	d.User, d.Enabled = o.id, &at
	o.MFA = append(o.MFA, assigned{d.id(), at})
	if err := s.devices.Put(ctx, d.id(), d); err != nil {
		return nil, err
	}
	return &iamapi.EnableMFADeviceResponse{}, s.putCredentials(ctx, o)
}

// enrols returns who is to use a device. Root has no user name; while no user is
// called "root", root itself is meant when it says so.
func (s *Service) enrols(ctx context.Context, name string) (*owner, error) {
	if o, err := s.owner(ctx, &name); !asksForRoot(ctx, name) || !iamapi.NoSuchEntityException.Is(err) {
		return o, err
	}
	return s.owned(ctx, rootID, "")
}

func asksForRoot(ctx context.Context, name string) bool {
	return name == rootID && aws.CallOf(ctx).Principal.Kind == aws.Root
}

func (s *Service) resyncMFADevice(ctx context.Context, in *iamapi.ResyncMFADeviceRequest) (*iamapi.ResyncMFADeviceResponse, error) {
	o, err := s.enrols(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	d, err := s.deviceOf(ctx, o, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	if err := d.set(in.AuthenticationCode1, in.AuthenticationCode2, time.Now()); err != nil {
		return nil, err
	}
	return &iamapi.ResyncMFADeviceResponse{}, s.devices.Put(ctx, d.id(), d)
}

func (s *Service) deactivateMFADevice(ctx context.Context, in *iamapi.DeactivateMFADeviceRequest) (*iamapi.DeactivateMFADeviceResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if in.UserName != nil {
		o, err = s.enrols(ctx, *in.UserName)
	}
	if err != nil {
		return nil, err
	}
	d, err := s.deviceOf(ctx, o, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	d.User, d.Enabled, d.Drift = "", nil, 0
	o.MFA = slices.DeleteFunc(o.MFA, func(a assigned) bool { return a.Device == d.id() })
	if err := s.devices.Put(ctx, d.id(), d); err != nil {
		return nil, err
	}
	return &iamapi.DeactivateMFADeviceResponse{}, s.putCredentials(ctx, o)
}

func (s *Service) getMFADevice(ctx context.Context, in *iamapi.GetMFADeviceRequest) (*iamapi.GetMFADeviceResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	d, err := s.deviceOf(ctx, o, in.SerialNumber)
	if err != nil {
		return nil, err
	}
	return &iamapi.GetMFADeviceResponse{UserName: new(o.shown()), SerialNumber: d.serial(ctx), EnableDate: d.Enabled}, nil
}

func (s *Service) listMFADevices(ctx context.Context, in *iamapi.ListMFADevicesRequest) (*iamapi.ListMFADevicesResponse, error) {
	o, err := s.owner(ctx, in.UserName)
	if err != nil {
		return nil, err
	}
	page, next, err := named(ctx, s, "ListMFADevices", o.id, o.MFA, func(a assigned) string { return a.Device }, in.Marker, in.MaxItems)
	if err != nil {
		return nil, err
	}
	out := &iamapi.ListMFADevicesResponse{MFADevices: []iamapi.MFADevice{}, Marker: next, IsTruncated: new(next != nil)}
	for _, a := range page {
		out.MFADevices = append(out.MFADevices, iamapi.MFADevice{UserName: o.shown(), SerialNumber: aws.CallOf(ctx).GlobalARN("iam", "mfa"+a.Device).String(), EnableDate: a.Enabled})
	}
	return out, nil
}

// seedText is a seed as authenticator apps take it.
func seedText(seed []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
}
