package iam

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"testing"
	"testing/synctest"
	"time"

	"sumun.dev/api/iamapi"
	"sumun.dev/aws"
	"sumun.dev/engine/totp"
)

// seedOf returns the seed that a device was made with.
func (w *world) seedOf(name string) []byte {
	w.t.Helper()
	d, err := w.service.devices.Get(w.ctx(), "/"+name)
	if err != nil {
		w.t.Fatal(err)
	}
	return d.Seed
}

func (w *world) device(name string) string {
	w.t.Helper()
	return must(w, &iamapi.CreateVirtualMFADevice, &iamapi.CreateVirtualMFADeviceRequest{VirtualMFADeviceName: name}).VirtualMFADevice.SerialNumber
}

// enrol gives user a new device, with the codes of the steps before.
func (w *world) enrol(user, name string) string {
	w.t.Helper()
	serial := w.device(name)
	seed, now := w.seedOf(name), totp.Step(time.Now())
	must(w, &iamapi.EnableMFADevice, &iamapi.EnableMFADeviceRequest{UserName: user, SerialNumber: serial, AuthenticationCode1: totp.Code(seed, now-1), AuthenticationCode2: totp.Code(seed, now)})
	return serial
}

// verify asks as STS does, in a unit of work.
func (w *world) verify(p *aws.Principal, serial, code string) error {
	return w.store.Update(w.ctx(), func(ctx context.Context) error { return w.service.VerifyMFA(ctx, p, serial, code) })
}

func userOf(a aws.Account, u *iamapi.User) *aws.Principal {
	return &aws.Principal{Kind: aws.User, Account: a, ID: u.UserId, Name: u.UserName, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: a, Resource: "user/" + u.UserName}}
}

func TestVirtualDeviceShowsItsSeedOnce(t *testing.T) {
	w := newWorld(t)
	made := must(w, &iamapi.CreateVirtualMFADevice, &iamapi.CreateVirtualMFADeviceRequest{VirtualMFADeviceName: "phone", Path: new("/team/")}).VirtualMFADevice
	if made.SerialNumber != "arn:aws:iam::111122223333:mfa/team/phone" || len(made.Base32StringSeed) != 64 {
		t.Errorf("made %s with a seed of %d characters", made.SerialNumber, len(made.Base32StringSeed))
	}
	if _, err := png.Decode(bytes.NewReader(made.QRCodePNG)); err != nil {
		t.Errorf("the picture: %v", err)
	}
	for _, d := range must(w, &iamapi.ListVirtualMFADevices, &iamapi.ListVirtualMFADevicesRequest{}).VirtualMFADevices {
		if d.Base32StringSeed != nil || d.QRCodePNG != nil {
			t.Errorf("the list shows the seed of %s", d.SerialNumber)
		}
	}
}

func TestMFACodeIsTakenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice, bob := userOf(account, w.user("alice")), userOf(account, w.user("bob"))
		serial := w.enrol("alice", "phone")
		seed := w.seedOf("phone")
		time.Sleep(totp.Period)
		code := func(by int64) string { return totp.Code(seed, totp.Step(time.Now())+by) }
		const unknown, wrong = "AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.",
			"AccessDenied: MultiFactorAuthentication failed with invalid MFA one time pass code. "
		for _, c := range []struct {
			name   string
			who    *aws.Principal
			serial string
			code   string
			want   string
		}{
			{"another_user", bob, serial, code(0), unknown},
			{"root", rootOf(account), serial, code(0), unknown},
			{"another_account", &aws.Principal{Kind: aws.User, Account: other, ID: alice.ID, ARN: aws.ARN{Partition: "aws"}}, serial, code(0), unknown},
			{"a_session", &aws.Principal{Kind: aws.AssumedRole, Account: account, ID: alice.ID, ARN: alice.ARN}, serial, code(0), unknown},
			{"no_such_device", alice, serial + "x", code(0), unknown},
			{"no_serial", alice, "x", code(0), unknown},
			{"of_its_enrolment", alice, serial, code(-1), wrong},
			{"right", alice, serial, code(0), "<nil>"},
			{"again", alice, serial, code(0), wrong},
			{"next", alice, serial, code(1), "<nil>"},
			{"after_next", alice, serial, code(2), wrong},
		} {
			if got := fmt.Sprint(w.verify(c.who, c.serial, c.code)); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
		}
	})
}

func TestMFACodesCannotBeGuessed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice := userOf(account, w.user("alice"))
		serial := w.enrol("alice", "phone")
		time.Sleep(totp.Period)
		for range guessesMost {
			if w.verify(alice, serial, "x") == nil {
				t.Fatal("a wrong code is taken")
			}
		}
		right := func() string { return totp.Code(w.seedOf("phone"), totp.Step(time.Now())) }
		if w.verify(alice, serial, right()) == nil {
			t.Error("after five wrong codes there is a sixth guess")
		}
		time.Sleep(totp.Period)
		if err := w.verify(alice, serial, right()); err != nil {
			t.Errorf("in the next step: %v", err)
		}
	})
}

func TestDeviceWithAWrongClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		alice := userOf(account, w.user("alice"))
		serial := w.device("phone")
		seed := w.seedOf("phone")
		code := func(by int64) string { return totp.Code(seed, totp.Step(time.Now())+by) }
		must(w, &iamapi.EnableMFADevice, &iamapi.EnableMFADeviceRequest{UserName: "alice", SerialNumber: serial, AuthenticationCode1: code(-6), AuthenticationCode2: code(-5)})
		time.Sleep(10 * totp.Period)
		if err := w.verify(alice, serial, code(-5)); err != nil {
			t.Errorf("the clock that the two codes told: %v", err)
		}
		must(w, &iamapi.ResyncMFADevice, &iamapi.ResyncMFADeviceRequest{UserName: "alice", SerialNumber: serial, AuthenticationCode1: code(-1), AuthenticationCode2: code(0)})
		time.Sleep(2 * totp.Period)
		if err := w.verify(alice, serial, code(0)); err != nil {
			t.Errorf("after the clock was put right: %v", err)
		}
		refused(w, &iamapi.ResyncMFADevice, &iamapi.ResyncMFADeviceRequest{UserName: "alice", SerialNumber: serial, AuthenticationCode1: code(-1), AuthenticationCode2: code(0)},
			"InvalidAuthenticationCode", "Authentication code for device is not valid.")
	})
}

func TestEightDevicesPerUser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user("alice")
		for i := range mfaPerUser {
			w.enrol("alice", fmt.Sprint("phone", i))
		}
		page := must(w, &iamapi.ListMFADevices, &iamapi.ListMFADevicesRequest{UserName: new("alice"), MaxItems: new(int32(5))})
		rest := must(w, &iamapi.ListMFADevices, &iamapi.ListMFADevicesRequest{UserName: new("alice"), Marker: page.Marker})
		if len(page.MFADevices) != 5 || len(rest.MFADevices) != 3 || rest.Marker != nil {
			t.Errorf("pages of %d and %d", len(page.MFADevices), len(rest.MFADevices))
		}
		serial := w.device("phone8")
		seed, now := w.seedOf("phone8"), totp.Step(time.Now())
		refused(w, &iamapi.EnableMFADevice, &iamapi.EnableMFADeviceRequest{UserName: "alice", SerialNumber: serial, AuthenticationCode1: totp.Code(seed, now-1), AuthenticationCode2: totp.Code(seed, now)},
			"LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: 8")
	})
}

func TestRootEnrolsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		serial := w.enrol("root", "root-account-mfa-device")
		if got := w.touched(&iamapi.DeactivateMFADevice, &iamapi.DeactivateMFADeviceRequest{UserName: new("root"), SerialNumber: serial}); got[0].Resource.Resource != "root" {
			t.Errorf("root touches %v", got)
		}
		time.Sleep(totp.Period)
		if err := w.verify(rootOf(account), serial, totp.Code(w.seedOf("root-account-mfa-device"), totp.Step(time.Now()))); err != nil {
			t.Error(err)
		}
		w.user("root") // from now on the name is a user's
		refused(w, &iamapi.DeactivateMFADevice, &iamapi.DeactivateMFADeviceRequest{UserName: new("root"), SerialNumber: serial}, "NoSuchEntity", "MFA Device invalid for user.")
		must(w, &iamapi.DeactivateMFADevice, &iamapi.DeactivateMFADeviceRequest{SerialNumber: serial})
	})
}

func TestStrangersDoNotFindDevices(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.user("alice")
		serial := w.enrol("alice", "phone")
		stranger := w.as(rootOf(other))
		stranger.user("alice")
		missing := "VirtualMFADevice with serial number " + serial + " doesn't exist."
		refused(stranger, &iamapi.DeleteVirtualMFADevice, &iamapi.DeleteVirtualMFADeviceRequest{SerialNumber: serial}, "NoSuchEntity", missing)
		refused(stranger, &iamapi.TagMFADevice, &iamapi.TagMFADeviceRequest{SerialNumber: serial}, "NoSuchEntity", missing)
		refused(stranger, &iamapi.UntagMFADevice, &iamapi.UntagMFADeviceRequest{SerialNumber: serial}, "NoSuchEntity", missing)
		refused(stranger, &iamapi.ListMFADeviceTags, &iamapi.ListMFADeviceTagsRequest{SerialNumber: serial}, "NoSuchEntity", missing)
		refused(stranger, &iamapi.EnableMFADevice, &iamapi.EnableMFADeviceRequest{UserName: "alice", SerialNumber: serial}, "NoSuchEntity", missing)
		const invalid = "MFA Device invalid for user."
		refused(stranger, &iamapi.ResyncMFADevice, &iamapi.ResyncMFADeviceRequest{UserName: "alice", SerialNumber: serial}, "NoSuchEntity", invalid)
		refused(stranger, &iamapi.DeactivateMFADevice, &iamapi.DeactivateMFADeviceRequest{UserName: new("alice"), SerialNumber: serial}, "NoSuchEntity", invalid)
		refused(stranger, &iamapi.GetMFADevice, &iamapi.GetMFADeviceRequest{UserName: new("alice"), SerialNumber: serial}, "NoSuchEntity", invalid)
		if out := must(stranger, &iamapi.ListVirtualMFADevices, &iamapi.ListVirtualMFADevicesRequest{}); len(out.VirtualMFADevices) != 0 {
			t.Errorf("a stranger sees %v", out.VirtualMFADevices)
		}
	})
}

func TestTagsOfDevices(t *testing.T) {
	w := newWorld(t)
	serial := w.device("phone")
	must(w, &iamapi.TagMFADevice, &iamapi.TagMFADeviceRequest{SerialNumber: serial, Tags: []iamapi.Tag{{Key: "Team", Value: "blue"}, {Key: "cost", Value: "1"}}})
	must(w, &iamapi.TagMFADevice, &iamapi.TagMFADeviceRequest{SerialNumber: serial, Tags: []iamapi.Tag{{Key: "team", Value: "red"}}})
	must(w, &iamapi.UntagMFADevice, &iamapi.UntagMFADeviceRequest{SerialNumber: serial, TagKeys: []string{"COST", "absent"}})
	if got := fmt.Sprint(must(w, &iamapi.ListMFADeviceTags, &iamapi.ListMFADeviceTagsRequest{SerialNumber: serial}).Tags); got != "[{team red}]" {
		t.Errorf("tags are %s", got)
	}
	touch := w.touched(&iamapi.TagMFADevice, &iamapi.TagMFADeviceRequest{SerialNumber: serial, Tags: []iamapi.Tag{{Key: "a", Value: "b"}}})[0]
	if touch.Tags["team"] != "red" || touch.Conditions["aws:RequestTag/a"][0] != "b" {
		t.Errorf("touches %v", touch)
	}
	var many []iamapi.Tag
	for i := range 50 {
		many = append(many, iamapi.Tag{Key: fmt.Sprint(i)})
	}
	_, err := call(w, &iamapi.TagMFADevice, &iamapi.TagMFADeviceRequest{SerialNumber: serial, Tags: many})
	var e *aws.Error
	if !errors.As(err, &e) || e.Code != "LimitExceeded" {
		t.Errorf("the 51st tag: %v", err)
	}
}
