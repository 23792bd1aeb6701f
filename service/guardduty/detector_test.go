package guardduty

import (
	"context"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/finding"
	"sumun.dev/store"
	"sumun.dev/wire"
)

func TestOneDetectorInAnAccountAndRegion(t *testing.T) {
	inWorld(t, func(w *world) {
		request := &guarddutyapi.CreateDetectorRequest{Enable: true, ClientToken: new("token"), Tags: map[string]string{"team": "red"}}
		id := *must(w, &guarddutyapi.CreateDetector, request).DetectorId
		if again := *must(w, &guarddutyapi.CreateDetector, request).DetectorId; again != id || len(id) != 32 {
			t.Errorf("%s, then %s", id, again)
		}
		refused(w, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true}, "The request is rejected because a detector already exists for the current account.")
		if got := must(w, &guarddutyapi.ListDetectors, &guarddutyapi.ListDetectorsRequest{}).DetectorIds; !slices.Equal(got, []string{id}) {
			t.Errorf("%q", got)
		}
		d := must(w, &guarddutyapi.GetDetector, &guarddutyapi.GetDetectorRequest{DetectorId: id})
		if d.Status != "ENABLED" || *d.FindingPublishingFrequency != "SIX_HOURS" || *d.CreatedAt != "2026-01-01T00:00:00.000Z" || d.Tags["team"] != "red" || len(d.Features) != 10 || d.DataSources.DNSLogs.Status != "ENABLED" ||
			d.ServiceRole != "arn:aws:iam::111122223333:role/aws-service-role/guardduty.amazonaws.com/AWSServiceRoleForAmazonGuardDuty" {
			t.Errorf("%+v", d)
		}
		must(w, &guarddutyapi.DeleteDetector, &guarddutyapi.DeleteDetectorRequest{DetectorId: id})
		refused(w, &guarddutyapi.GetDetector, &guarddutyapi.GetDetectorRequest{DetectorId: id}, notOwned)
	})
}

func TestFeatures(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.detector()
		w.advance(time.Hour)
		feature := func(name string, status guarddutyapi.FeatureStatus, more ...guarddutyapi.DetectorAdditionalConfiguration) []guarddutyapi.DetectorFeatureConfiguration {
			return []guarddutyapi.DetectorFeatureConfiguration{{Name: new(guarddutyapi.DetectorFeature(name)), Status: &status, AdditionalConfiguration: more}}
		}
		agent := guarddutyapi.DetectorAdditionalConfiguration{Name: new(guarddutyapi.FeatureAdditionalConfiguration("EC2_AGENT_MANAGEMENT")), Status: new(guarddutyapi.FeatureStatusEnabled)}
		must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: id, Features: feature("RUNTIME_MONITORING", "ENABLED", agent)})
		must(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: id, DataSources: &guarddutyapi.DataSourceConfigurations{S3Logs: &guarddutyapi.S3LogsConfiguration{Enable: true}}})
		d := must(w, &guarddutyapi.GetDetector, &guarddutyapi.GetDetectorRequest{DetectorId: id})
		on := map[string]bool{}
		for _, f := range d.Features {
			if *f.Status == "ENABLED" {
				on[string(*f.Name)] = true
			}
			for _, a := range f.AdditionalConfiguration {
				if *a.Status == "ENABLED" {
					on[string(*a.Name)] = true
				}
			}
		}
		want := []string{"CLOUD_TRAIL", "DNS_LOGS", "EBS_MALWARE_PROTECTION", "EC2_AGENT_MANAGEMENT", "EKS_AUDIT_LOGS", "FLOW_LOGS", "LAMBDA_NETWORK_LOGS", "RDS_LOGIN_EVENTS", "RUNTIME_MONITORING", "S3_DATA_EVENTS"}
		if got := slices.Sorted(maps.Keys(on)); !slices.Equal(got, want) || d.DataSources.S3Logs.Status != "ENABLED" || *d.UpdatedAt != "2026-01-01T01:00:00.000Z" {
			t.Errorf("%q %+v", got, d.DataSources.S3Logs)
		}
		refused(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: id, Features: feature("EKS_RUNTIME_MONITORING", "ENABLED")}, "The request is rejected because EKS_RUNTIME_MONITORING and RUNTIME_MONITORING cannot both be enabled.")
		refused(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: id, Features: feature("S3_DATA_EVENTS", "ENABLED", agent)}, "The request is rejected because the parameter features has an invalid value.")
		refused(w, &guarddutyapi.UpdateDetector, &guarddutyapi.UpdateDetectorRequest{DetectorId: id, Features: feature("S3_DATA_EVENTS", "ENABLED"), DataSources: &guarddutyapi.DataSourceConfigurations{}}, "The request is rejected because both dataSources and features are specified.")
	})
}

// Whatever a caller of another account asks about a detector, it gets the answer
// of a detector that does not exist.
func TestOtherAccountsSeeNothing(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.detector()
		asked := 0
		for _, route := range w.service.Routes() {
			in := reflect.New(route.Operation.InType())
			field := in.Elem().FieldByName("DetectorId")
			if !field.IsValid() {
				continue
			}
			asked++
			serve := func(detector string) error {
				field.SetString(detector)
				return w.store.Update(as(w, other, route), func(ctx context.Context) error {
					if _, err := route.Touches(ctx, in.Interface()); err != nil {
						return err
					}
					_, err := route.Serve(ctx, in.Interface())
					return err
				})
			}
			var theirs, none *aws.Error
			if !errors.As(serve(id), &theirs) || !errors.As(serve("00000000000000000000000000000000"), &none) || !reflect.DeepEqual(theirs, none) || theirs.Message != notOwned || theirs.Fields["__type"] != "NoSuchEntityException" {
				t.Errorf("%s: %v, %v", route.Meta().Name, theirs, none)
			}
		}
		if asked < 25 {
			t.Errorf("only %d operations were asked", asked)
		}
	})
}

func as(w *world, who aws.Account, route wire.Route) context.Context {
	return in(w.t.Context(), who, route.Meta().Name)
}

func TestTags(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("a.txt", "a.example\n")
		id := w.detector()
		request := entitySet(id, "set", "file://a.txt")
		request.Tags = map[string]string{"a": "1"}
		set := must(w, &guarddutyapi.CreateThreatEntitySet, request).ThreatEntitySetId
		must(w, &guarddutyapi.CreateFilter, &guarddutyapi.CreateFilterRequest{DetectorId: id, Name: "filter", FindingCriteria: &guarddutyapi.FindingCriteria{Criterion: map[string]guarddutyapi.Condition{"type": {Eq: []string{"x"}}}}})
		detector := "arn:aws:guardduty:us-east-1:111122223333:detector/" + id
		for _, arn := range []string{detector, detector + "/filter/filter", detector + "/threatentityset/" + set} {
			must(w, &guarddutyapi.TagResource, &guarddutyapi.TagResourceRequest{ResourceArn: arn, Tags: map[string]string{"b": "2", "c": "3"}})
			must(w, &guarddutyapi.UntagResource, &guarddutyapi.UntagResourceRequest{ResourceArn: arn, TagKeys: []string{"a", "c"}})
			if got := must(w, &guarddutyapi.ListTagsForResource, &guarddutyapi.ListTagsForResourceRequest{ResourceArn: arn}).Tags; !maps.Equal(got, map[string]string{"b": "2"}) {
				t.Errorf("%s: %v", arn, got)
			}
			// Another spelling would slip past policies that name the resource.
			alias := strings.Replace(arn, "arn:aws:", "arn:aws-x:", 1)
			if _, err := call(w, &guarddutyapi.ListTagsForResource, &guarddutyapi.ListTagsForResourceRequest{ResourceArn: alias}); !guarddutyapi.BadRequestException.Is(err) {
				t.Errorf("%s: %v", alias, err)
			}
			if _, err := callAs(w, other, &guarddutyapi.ListTagsForResource, &guarddutyapi.ListTagsForResourceRequest{ResourceArn: arn}); !guarddutyapi.BadRequestException.Is(err) {
				t.Errorf("%s: %v", arn, err)
			}
		}
		for _, arn := range []string{detector + "/filter/none", detector + "/ipset/x", detector + "/filter/filter/x", "arn:aws:guardduty:us-east-1:111122223333:detector/00000000000000000000000000000000", "arn:aws:iam::111122223333:user/x"} {
			refused(w, &guarddutyapi.TagResource, &guarddutyapi.TagResourceRequest{ResourceArn: arn, Tags: map[string]string{"b": "2"}}, "The request is rejected since no such resource found.")
		}
		refused(w, &guarddutyapi.TagResource, &guarddutyapi.TagResourceRequest{ResourceArn: detector, Tags: map[string]string{"aws:x": "2"}}, "The request is rejected because a tag key begins with the reserved prefix aws:.")
	})
}

func TestTouches(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.detector()
		must(w, &guarddutyapi.TagResource, &guarddutyapi.TagResourceRequest{ResourceArn: "arn:aws:guardduty:us-east-1:111122223333:detector/" + id, Tags: map[string]string{"team": "red"}})
		touches := func(op wire.AnyOperation, request any) []wire.Touch {
			routes := w.service.Routes()
			at := slices.IndexFunc(routes, func(r wire.Route) bool { return r.Operation == op })
			all, err := routes[at].Touches(in(t.Context(), account, op.About().Name), request)
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		got := touches(&guarddutyapi.GetDetector, &guarddutyapi.GetDetectorRequest{DetectorId: id})
		if len(got) != 1 || got[0].Action != "guardduty:GetDetector" || got[0].Resource.String() != "arn:aws:guardduty:us-east-1:111122223333:detector/"+id || got[0].Tags["team"] != "red" {
			t.Errorf("%+v", got)
		}
		got = touches(&guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Tags: map[string]string{"a": "1"}})
		if len(got) != 2 || got[1].Action != "guardduty:TagResource" || !slices.Equal(got[0].Conditions["aws:TagKeys"], []string{"a"}) || !slices.Equal(got[0].Conditions["aws:RequestTag/a"], []string{"1"}) {
			t.Errorf("%+v", got)
		}
		got = touches(&guarddutyapi.GetThreatIntelSet, &guarddutyapi.GetThreatIntelSetRequest{DetectorId: id, ThreatIntelSetId: "x"})
		if len(got) != 1 || got[0].Resource.Resource != "detector/"+id+"/threatintelset/x" {
			t.Errorf("%+v", got)
		}
		for _, r := range w.service.Routes() {
			all, err := r.Touches(in(t.Context(), account, r.Meta().Name), reflect.New(r.Operation.InType()).Interface())
			if guarddutyapi.BadRequestException.Is(err) {
				continue // an ARN that is none
			}
			if err != nil || len(all) == 0 || all[0].Action != r.Meta().String() {
				t.Errorf("%s: %+v, %v", r.Meta(), all, err)
			}
		}
	})
}

// A detector can have more findings than one unit of work holds; they go bit by
// bit and are not seen meanwhile.
func TestDeletedDetectorLosesItsFindings(t *testing.T) {
	inWorld(t, func(w *world) {
		old := w.detector()
		must(w, &guarddutyapi.CreateSampleFindings, &guarddutyapi.CreateSampleFindingsRequest{DetectorId: old})
		ids := must(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: old}).FindingIds
		must(w, &guarddutyapi.DeleteDetector, &guarddutyapi.DeleteDetectorRequest{DetectorId: old})
		id := w.detector()
		if got := must(w, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: id}).FindingIds; len(ids) == 0 || len(got) != 0 {
			t.Errorf("%d findings before, %v after", len(ids), got)
		}
		if got := must(w, &guarddutyapi.GetFindings, &guarddutyapi.GetFindingsRequest{DetectorId: id, FindingIds: ids}).Findings; len(got) != 0 {
			t.Errorf("%+v", got)
		}
		must(w, &guarddutyapi.CreateSampleFindings, &guarddutyapi.CreateSampleFindingsRequest{DetectorId: id})
		w.advance(time.Second)
		n := 0
		for e, err := range w.service.findings.In(home).All(t.Context(), "") {
			if n++; err != nil || e.Value.Detector != id {
				t.Errorf("%+v, %v", e.Value, err)
			}
		}
		if want := len(finding.Kinds()); n != want {
			t.Errorf("%d findings are kept, want %d", n, want)
		}
	})
}

func TestOnlyOneDetectorAtOnce(t *testing.T) {
	inWorld(t, func(w *world) {
		create := func() (*store.Unit, context.Context, error) {
			ctx, u := w.store.Begin(in(t.Context(), account, "CreateDetector"))
			_, err := w.service.createDetector(ctx, &guarddutyapi.CreateDetectorRequest{Enable: true})
			return u, ctx, err
		}
		a, actx, err1 := create()
		b, bctx, err2 := create()
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if err := a.Commit(actx); err != nil {
			t.Fatal(err)
		}
		if err := b.Commit(bctx); !errors.Is(err, store.ErrConflict) {
			t.Errorf("a second detector: %v", err)
		}
	})
}
