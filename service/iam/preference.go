package iam

import (
	"context"
	"errors"

	"sumun.dev/api/iamapi"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// preferences are what an account has chosen for itself.
type preferences struct {
	TokenVersion int32 // of the session tokens of STS's global endpoint: 1 or 2
}

const preferencesID = "preferences"

func (s *Service) preferenceRoutes() []wire.Route {
	return []wire.Route{
		iamapi.SetSecurityTokenServicePreferences.To(s.setSecurityTokenServicePreferences, touchAll[iamapi.SetSecurityTokenServicePreferencesRequest]("iam:SetSecurityTokenServicePreferences")),
	}
}

// setSecurityTokenServicePreferences keeps the version for GetAccountSummary. Session
// tokens here are valid in all regions, which is what version 2 is about.
func (s *Service) setSecurityTokenServicePreferences(ctx context.Context, in *iamapi.SetSecurityTokenServicePreferencesRequest) (*iamapi.SetSecurityTokenServicePreferencesResponse, error) {
	p := &preferences{TokenVersion: 1}
	if in.GlobalEndpointTokenVersion == iamapi.GlobalEndpointTokenVersionV2Token {
		p.TokenVersion = 2
	}
	return &iamapi.SetSecurityTokenServicePreferencesResponse{}, s.preferences.Put(ctx, preferencesID, p)
}

// summariseCredentials adds what GetAccountSummary says of credentials and providers.
func (s *Service) summariseCredentials(ctx context.Context, m map[string]int32) error {
	outside := store.Outside(ctx)
	root, err := s.owned(outside, rootID, "")
	if err != nil {
		return err
	}
	m["AccountMFAEnabled"], m["AccountPasswordPresent"], m["AccountSigningCertificatesPresent"] = oneIf(len(root.MFA) > 0), oneIf(root.Login != nil), oneIf(len(root.Signing) > 0)
	for e, err := range s.devices.All(outside, "") {
		if err != nil {
			return err
		}
		m["MFADevices"]++
		m["MFADevicesInUse"] += oneIf(e.Value.User != "")
	}
	for _, q := range []quota{oidcQuota, samlQuota} {
		n, err := others(ctx, s.totals, q, "")
		if err != nil {
			return err
		}
		m["Providers"] += int32(n) //nolint:gosec // quotas are smaller
	}
	p, err := s.preferences.Get(ctx, preferencesID)
	if errors.Is(err, store.ErrNotFound) {
		p, err = &preferences{TokenVersion: 1}, nil
	}
	if err == nil {
		m["GlobalEndpointTokenVersion"] = p.TokenVersion
	}
	for _, key := range []string{"MFADevices", "MFADevicesInUse", "Providers"} {
		m[key] += 0 // also what there is none of is said
	}
	return err
}
