package parameters

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/aws"
	"sumun.dev/store"
)

// jobImage validates a value of data type aws:ec2:image after PutParameter has
// answered, as AWS does. User Guide, "Using native parameter support for Amazon
// Machine Image IDs".
const jobImage = "ssm.parameterImage"

// pending is a version that waits for its image to be validated.
type pending struct {
	Name    string
	New     bool // there was no such parameter
	Version version
	Tags    map[string]string `json:",omitempty"`
}

func postpone(ctx context.Context, w *pending) error {
	payload, err := json.Marshal(w)
	if err != nil {
		return err
	}
	store.Schedule(ctx, store.Due{Kind: jobImage, ID: w.Name + ":" + aws.UUID(), At: time.Now(), Payload: payload})
	return nil
}

// validateImage makes the version when the image is one that this plane knows:
// those that public parameters name. Others are not made, and the event says why.
func (s *Service) validateImage(ctx context.Context, due store.Due) error {
	var w pending
	if err := json.Unmarshal(due.Payload, &w); err != nil {
		return nil // written by nobody; to try again is of no use
	}
	old, err := s.parameters.Get(ctx, w.Name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	operation, refusal := "Create", ""
	if old != nil {
		operation = "Update"
		w.Version.Number, w.Version.Advanced = old.Number+1, w.Version.Advanced || old.Advanced
	}
	switch {
	case !s.public.hasImage(w.Version.Value):
		refusal = "Unable to Describe Resource"
	case old != nil && w.New:
		refusal = ssmapi.ParameterAlreadyExists.Code // somebody was faster
	case old != nil && old.Type != w.Version.Type:
		refusal = ssmapi.HierarchyTypeMismatchException.Code
	default:
		err := s.put(ctx, w.Name, old, &w.Version, w.Tags)
		if !ssmapi.ParameterMaxVersionLimitExceeded.Is(err) {
			return err
		}
		refusal = ssmapi.ParameterMaxVersionLimitExceeded.Code
	}
	return tell(ctx, changed, w.Name, changeDetail{
		Exception: refusal, DataType: imageType, Operation: operation, Name: w.Name,
		Type: string(w.Version.Type), Description: w.Version.Description,
	})
}

// looksLikeImage reports whether a value has the form of an image's id.
func looksLikeImage(value string) bool {
	hex, ok := strings.CutPrefix(value, "ami-")
	return ok && (len(hex) == 8 || len(hex) == 17) && strings.Trim(hex, "0123456789abcdef") == ""
}
