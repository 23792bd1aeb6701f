package guardduty

import (
	"context"
	"errors"
	"maps"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// Actions, resources and condition keys are those of the Service Authorization
// Reference, "Actions, resources, and condition keys for Amazon GuardDuty". What
// belongs to a detector is asked for on the detector where the reference names no
// resource, so that policies can be narrower than "*".

// touchAll is for operations that IAM does not restrict to resources.
func touchAll[In any](action string) func(context.Context, In) ([]wire.Touch, error) {
	return func(context.Context, In) ([]wire.Touch, error) { return []wire.Touch{{Action: action}}, nil }
}

const tagging = "guardduty:TagResource"

// touchNewDetector is for CreateDetector, whose resource does not exist yet.
func touchNewDetector(_ context.Context, in *guarddutyapi.CreateDetectorRequest) ([]wire.Touch, error) {
	return service.WithTagging(tagging, wire.Touch{Action: "guardduty:CreateDetector", Conditions: service.RequestTags(nil, maps.All(in.Tags))}), nil
}

func touchDetector[In any](s *Service, action string, id func(In) string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		t := wire.Touch{Action: action, Resource: detectorARN(aws.CallOf(ctx), id(in))}
		d, err := s.detectors.Get(ctx, id(in))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			t.Tags = d.Tags
		}
		return []wire.Touch{t}, nil
	}
}

func detectorARN(call *aws.Call, id string) aws.ARN { return call.ARN("guardduty", "detector/"+id) }

// touchNew is for what is made in a detector.
func touchNew[In any](action string, of func(In) (detector string, tags map[string]string)) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		detector, tags := of(in)
		t := wire.Touch{Action: action, Resource: detectorARN(aws.CallOf(ctx), detector), Conditions: service.RequestTags(nil, maps.All(tags))}
		return service.WithTagging(tagging, t), nil
	}
}

func touchSet[In any](s *Service, action string, k setKind, of func(In) (detector, id string)) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		detector, id := of(in)
		t := wire.Touch{Action: action, Resource: setARN(aws.CallOf(ctx), detector, k, id)}
		x, err := s.sets.Get(ctx, k.key(id))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			t.Tags = x.Tags
		}
		return []wire.Touch{t}, nil
	}
}

func filterARN(call *aws.Call, detector, name string) aws.ARN {
	return call.ARN("guardduty", "detector/"+detector+"/filter/"+name)
}

func touchNewFilter(ctx context.Context, in *guarddutyapi.CreateFilterRequest) ([]wire.Touch, error) {
	t := wire.Touch{Action: "guardduty:CreateFilter", Resource: filterARN(aws.CallOf(ctx), in.DetectorId, in.Name), Conditions: service.RequestTags(nil, maps.All(in.Tags))}
	return service.WithTagging(tagging, t), nil
}

func touchFilter[In any](s *Service, action string, of func(In) (detector, name string)) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		detector, name := of(in)
		t := wire.Touch{Action: action, Resource: filterARN(aws.CallOf(ctx), detector, name)}
		f, err := s.filters.Get(ctx, name)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			t.Tags = f.Tags
		}
		return []wire.Touch{t}, nil
	}
}

func touchTagged[In any](s *Service, action string, of func(In) (string, map[string]string, []string)) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, in In) ([]wire.Touch, error) {
		resource, tags, keys := of(in)
		arn, err := aws.ParseARN(resource)
		if err != nil {
			return nil, invalid("resourceArn")
		}
		t := wire.Touch{Action: action, Resource: arn, Conditions: service.RequestTags(nil, maps.All(tags), keys...)}
		has, _, err := s.tagsOf(ctx, resource)
		switch {
		case err == nil:
			t.Tags = *has
		case !guarddutyapi.BadRequestException.Is(err):
			return nil, err
		}
		return []wire.Touch{t}, nil
	}
}
