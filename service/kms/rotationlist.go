package kms

import (
	"context"
	"errors"
	"strconv"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
)

const defaultRotations = 100 // of a page

// listKeyRotations lists the versions of a key, oldest first. Markers say how many
// have been seen: versions are only ever added at the end.
func (s *Service) listKeyRotations(ctx context.Context, in *kmsapi.ListKeyRotationsRequest) (*kmsapi.ListKeyRotationsResponse, error) {
	k, arn, err := s.look(ctx, in.KeyId)
	if err == nil {
		err = k.rotates(arn, false)
	}
	if err != nil {
		return nil, err
	}
	all := in.IncludeKeyMaterial != nil && *in.IncludeKeyMaterial == kmsapi.IncludeKeyMaterialAllKeyMaterial
	limit, from, bind := defaultRotations, 0, []string{"kms:ListKeyRotations", arn.String(), strconv.FormatBool(all)}
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	if in.Marker != nil {
		text, err := s.env.Store.OpenToken(bind, *in.Marker)
		n, wrong := strconv.Atoi(text)
		if errors.Join(err, wrong) != nil || n < 0 {
			return nil, kmsapi.InvalidMarkerException.New("The marker is not valid.")
		}
		from = n
	}
	out := &kmsapi.ListKeyRotationsResponse{Rotations: []kmsapi.RotationsListEntry{}, Truncated: new(false)}
	for i := range k.Materials {
		m := &k.Materials[i]
		if i < from || !all && m.RotatedAt.IsZero() {
			continue
		}
		if len(out.Rotations) == limit {
			out.Truncated, out.NextMarker = new(true), new(s.env.Store.NextToken(bind, strconv.Itoa(i)))
			break
		}
		entry, err := s.shownMaterial(ctx, k, m, arn)
		if err != nil {
			return nil, err
		}
		out.Rotations = append(out.Rotations, *entry)
	}
	return out, nil
}

func (s *Service) shownMaterial(ctx context.Context, k *key, m *material, arn aws.ARN) (*kmsapi.RotationsListEntry, error) {
	e := &kmsapi.RotationsListEntry{KeyId: new(arn.String()), KeyMaterialId: &m.ID}
	if !m.RotatedAt.IsZero() {
		e.RotationDate, e.RotationType = &m.RotatedAt, new(kmsapi.RotationType(m.RotatedBy))
	}
	state := kmsapi.KeyMaterialStateNonCurrent
	switch {
	case m.ID == k.Current:
		state = kmsapi.KeyMaterialStateCurrent
	case m.Pending:
		state = kmsapi.KeyMaterialStatePendingRotation
		all, err := s.everywhere(ctx, k, m.ID)
		if err != nil {
			return nil, err
		}
		if k.Regions != nil && !all {
			state = kmsapi.KeyMaterialStatePendingMultiRegionImportAndRotation
		}
	}
	e.KeyMaterialState = &state
	if k.Origin != string(kmsapi.OriginTypeExternal) {
		return e, nil
	}
	if m.Description != "" {
		e.KeyMaterialDescription = &m.Description
	}
	if m.Bytes == nil || m.over(time.Now()) {
		e.ImportState = new(kmsapi.ImportStatePendingImport)
		return e, nil
	}
	e.ImportState, e.ExpirationModel = new(kmsapi.ImportStateImported), new(kmsapi.ExpirationModelTypeKeyMaterialDoesNotExpire)
	if m.ValidTo != nil {
		e.ExpirationModel, e.ValidTo = new(kmsapi.ExpirationModelTypeKeyMaterialExpires), m.ValidTo
	}
	return e, nil
}
