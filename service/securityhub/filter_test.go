package securityhub

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/api/securityhubapi"
)

type filters = securityhubapi.AwsSecurityFindingFilters

func is(comparison string, values ...string) (all []securityhubapi.StringFilter) {
	for _, v := range values {
		all = append(all, securityhubapi.StringFilter{Value: &v, Comparison: new(securityhubapi.StringFilterComparison(comparison))})
	}
	return all
}

func entry(comparison, key, value string) securityhubapi.MapFilter {
	return securityhubapi.MapFilter{Key: &key, Value: &value, Comparison: new(securityhubapi.MapFilterComparison(comparison))}
}

// The findings that filters are tried on: a is 10 days old, b 5 days, c new.
func (w *world) three() {
	a, b, c := own("a"), own("b"), own("c")
	a.UpdatedAt, b.UpdatedAt = stamp(time.Now().AddDate(0, 0, -10)), stamp(time.Now().AddDate(0, 0, -5))
	a.Title, b.Title, c.Title = "CloudFront open", "CloudWatch silent", "Lambda public"
	a.Confidence, b.Confidence = new(int32(10)), new(int32(90))
	a.Types = []string{"Effects/Data Exposure", "TTPs/Discovery"}
	a.Network = &securityhubapi.Network{SourceIpV4: new("10.0.0.7")}
	b.Network = &securityhubapi.Network{SourceIpV4: new("192.0.2.1")}
	a.ProductFields = map[string]string{"team": "red", "tier": "1"}
	b.ProductFields = map[string]string{"team": "blue"}
	b.Sample = new(true)
	c.Severity.Label = new(securityhubapi.SeverityLabelCritical)
	c.Resources = append(c.Resources, securityhubapi.Resource{Type: "AwsIamUser", Id: "arn:aws:iam::111122223333:user/eve", Tags: map[string]string{"env": "prod"}})
	c.RecordState = new(securityhubapi.RecordStateArchived)
	if out := w.send(a, b, c); out.FailedCount > 0 {
		w.t.Fatalf("%+v", out.FailedFindings)
	}
}

func ids(all []securityhubapi.AwsSecurityFinding) string {
	var out []string
	for _, f := range all {
		out = append(out, f.Id)
	}
	return strings.Join(out, "")
}

func TestFilters(t *testing.T) {
	n := func(f float64) *float64 { return &f }
	day := func(days int) *string { return new(stamp(time.Date(2026, 1, 1+days, 0, 0, 0, 0, time.UTC))) }
	within := func(days int32, how string) []securityhubapi.DateFilter {
		return []securityhubapi.DateFilter{{DateRange: &securityhubapi.DateRange{Value: &days, Unit: new(securityhubapi.DateRangeUnitDays), Comparison: new(securityhubapi.DateRangeComparison(how))}}}
	}
	cases := []struct {
		name string
		f    filters
		want string // newest first
	}{
		{"none", filters{}, "cba"},
		{"equals", filters{Title: is("EQUALS", "Lambda public")}, "c"},
		{"equals_any_of", filters{Title: is("EQUALS", "Lambda public", "CloudFront open")}, "ca"},
		{"case_counts", filters{Title: is("EQUALS", "lambda public")}, ""},
		{"prefix", filters{Title: is("PREFIX", "Cloud")}, "ba"},
		{"contains", filters{Title: is("CONTAINS", "open", "public")}, "ca"},
		{"not_equals_all_of", filters{Title: is("NOT_EQUALS", "Lambda public", "CloudFront open")}, "b"},
		{"prefix_not_equals", filters{Title: is("PREFIX_NOT_EQUALS", "Cloud")}, "c"},
		{"not_contains", filters{Title: is("NOT_CONTAINS", "Watch", "public")}, "a"},
		{"equals_or_prefix", filters{Title: append(is("PREFIX", "CloudF"), is("EQUALS", "Lambda public")...)}, "ca"},
		{"prefix_and_not", filters{Title: append(is("PREFIX", "Cloud"), is("NOT_EQUALS", "CloudWatch silent")...)}, "a"},
		{"attributes_are_joined_by_and", filters{Title: is("PREFIX", "Cloud"), Sample: []securityhubapi.BooleanFilter{{Value: new(true)}}}, "b"},
		{"one_of_several_types", filters{Type: is("EQUALS", "TTPs/Discovery")}, "a"},
		{"none_of_several_types", filters{Type: is("NOT_EQUALS", "TTPs/Discovery")}, "cb"},
		{"absent_is_not_equal", filters{NetworkSourceDomain: is("NOT_EQUALS", "x")}, "cba"},
		{"absent_is_not_there", filters{NetworkSourceDomain: is("PREFIX", "x")}, ""},
		{"id", filters{Id: is("EQUALS", "a", "b", "zz")}, "ba"},
		{"id_and_more", filters{Id: is("EQUALS", "a", "b"), Title: is("PREFIX", "CloudW")}, "b"},
		{"resource", filters{ResourceId: is("EQUALS", "arn:aws:iam::111122223333:user/eve", "arn:aws:ec2:us-east-1:111122223333:instance/i-1")}, "cba"},
		{"resource_type", filters{ResourceType: is("EQUALS", "AwsIamUser")}, "c"},
		{"state", filters{RecordState: is("EQUALS", "ACTIVE"), WorkflowStatus: is("EQUALS", "NEW")}, "ba"},
		{"states", filters{RecordState: is("EQUALS", "ACTIVE", "ARCHIVED"), WorkflowStatus: is("EQUALS", "NEW")}, "cba"},
		{"severity", filters{SeverityLabel: is("EQUALS", "CRITICAL", "HIGH")}, "c"},
		{"number_at_least", filters{Confidence: []securityhubapi.NumberFilter{{Gte: n(90)}}}, "b"},
		{"number_between", filters{SeverityNormalized: []securityhubapi.NumberFilter{{Gt: n(39), Lt: n(41)}}}, "ba"},
		{"number_any_of", filters{Confidence: []securityhubapi.NumberFilter{{Eq: n(10)}, {Lte: n(90), Gte: n(90)}}}, "ba"},
		{"from", filters{UpdatedAt: []securityhubapi.DateFilter{{Start: day(-6)}}}, "cb"},
		{"from_to", filters{UpdatedAt: []securityhubapi.DateFilter{{Start: day(-11), End: day(-5)}}}, "ba"},
		{"from_to_of_several", filters{UpdatedAt: []securityhubapi.DateFilter{{Start: day(-11), End: day(-9)}, {Start: day(-1)}}}, "ca"},
		{"to_of_several", filters{UpdatedAt: []securityhubapi.DateFilter{{End: day(-9)}, {End: day(-5)}}}, "ba"},
		{"within_or_older", filters{UpdatedAt: append(within(1, "WITHIN"), within(9, "OLDER_THAN")...)}, "ca"},
		{"at_an_instant", filters{UpdatedAt: []securityhubapi.DateFilter{{Start: day(-5), End: day(-5)}}}, "b"},
		{"within_days", filters{UpdatedAt: within(7, "WITHIN")}, "cb"},
		{"older_than_days", filters{UpdatedAt: within(7, "OLDER_THAN")}, "a"},
		{"map", filters{ProductFields: []securityhubapi.MapFilter{entry("EQUALS", "team", "red"), entry("EQUALS", "team", "green")}}, "a"},
		{"map_not", filters{ProductFields: []securityhubapi.MapFilter{entry("NOT_EQUALS", "team", "red")}}, "cb"},
		{"map_contains", filters{ProductFields: []securityhubapi.MapFilter{entry("CONTAINS", "team", "lu")}}, "b"},
		{"tags_of_a_resource", filters{ResourceTags: []securityhubapi.MapFilter{entry("EQUALS", "env", "prod")}}, "c"},
		{"address", filters{NetworkSourceIpV4: []securityhubapi.IpFilter{{Cidr: new("10.0.0.0/8")}}}, "a"},
		{"one_address", filters{NetworkSourceIpV4: []securityhubapi.IpFilter{{Cidr: new("192.0.2.1")}}}, "b"},
		{"keyword", filters{Keyword: []securityhubapi.KeywordFilter{{Value: new("LAMBDA")}}}, "c"},
	}
	inHub(t, func(w *world) {
		w.three()
		for _, c := range cases {
			t.Log(c.name)
			if got := ids(w.all(&c.f)); got != c.want {
				t.Errorf("%s: got %q, want %q", c.name, got, c.want)
			}
		}
	})
}

func TestFiltersThatCannotBe(t *testing.T) {
	mixed := func(a, b string) filters { return filters{Title: append(is(a, "x"), is(b, "y")...)} }
	for _, c := range []struct {
		name string
		f    filters
	}{
		{"too_many", filters{Title: is("EQUALS", strings.Split(strings.Repeat("x,", 20), ",")...)}},
		{"equals_and_not_equals", mixed("EQUALS", "NOT_EQUALS")},
		{"contains_and_not_contains", mixed("CONTAINS", "NOT_CONTAINS")},
		{"contains_and_prefix", mixed("CONTAINS", "PREFIX")},
		{"not_contains_and_not_equals", mixed("NOT_CONTAINS", "NOT_EQUALS")},
		{"equals_and_prefix_not_equals", mixed("EQUALS", "PREFIX_NOT_EQUALS")},
		{"contains_word", filters{Title: is("CONTAINS_WORD", "x")}},
		{"no_comparison", filters{Title: []securityhubapi.StringFilter{{Value: new("x")}}}},
		{"no_value", filters{Id: []securityhubapi.StringFilter{{Comparison: new(securityhubapi.StringFilterComparisonEquals)}}}},
		{"map_without_key", filters{ProductFields: []securityhubapi.MapFilter{{Value: new("x")}}}},
		{"no_number", filters{Confidence: []securityhubapi.NumberFilter{{}}}},
		{"no_boolean", filters{Sample: []securityhubapi.BooleanFilter{{}}}},
		{"no_keyword", filters{Keyword: []securityhubapi.KeywordFilter{{}}}},
		{"no_block", filters{NetworkSourceIpV4: []securityhubapi.IpFilter{{Cidr: new("10.0.0.0/33")}}}},
		{"no_date", filters{UpdatedAt: []securityhubapi.DateFilter{{}}}},
		{"bad_date", filters{UpdatedAt: []securityhubapi.DateFilter{{Start: new("today")}}}},
		{"half_a_range", filters{UpdatedAt: []securityhubapi.DateFilter{{DateRange: &securityhubapi.DateRange{}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(w *world) {
				_, err := call(w, &securityhubapi.GetFindings, &securityhubapi.GetFindingsRequest{Filters: &c.f})
				if !securityhubapi.InvalidInputException.Is(err) {
					t.Errorf("got %v, want InvalidInputException", err)
				}
			})
		})
	}
}

func TestEveryFilterOfAWSIsAnAttribute(t *testing.T) {
	all := reflect.TypeFor[filters]()
	if all.NumField() != len(attributes) {
		t.Errorf("%d attributes, AWS has %d", len(attributes), all.NumField())
	}
	for i := range all.NumField() {
		name := all.Field(i).Name
		at := slices.IndexFunc(attributes[:], func(a attribute) bool { return a.name == name })
		if at < 0 {
			t.Errorf("%s is missing", name)
			continue
		}
		f := reflect.New(all).Elem()
		f.Field(i).Set(reflect.MakeSlice(all.Field(i).Type, 1, 1))
		if c := attributes[at].of(f.Addr().Interface().(*filters)); c.n != 1 {
			t.Errorf("%s does not read its filters", name)
		}
		if path := split(attributes[at].path); path != nil && !leads(reflect.TypeFor[securityhubapi.AwsSecurityFinding](), path) {
			t.Errorf("%s: %s leads nowhere", name, attributes[at].path)
		}
	}
}

// leads reports whether a path leads to a member.
func leads(at reflect.Type, path []string) bool {
	for at.Kind() == reflect.Pointer || at.Kind() == reflect.Slice {
		at = at.Elem()
	}
	if len(path) == 0 {
		return true
	}
	if at.Kind() != reflect.Struct {
		return false
	}
	f, ok := at.FieldByName(path[0])
	return ok && leads(f.Type, path[1:])
}

func TestPagesAndOrders(t *testing.T) {
	for _, c := range []struct {
		name string
		sort []securityhubapi.SortCriterion
		f    *filters
		want string
	}{
		{"newest_first", nil, nil, "gfedcba"},
		{"newest_first_asked_for", by("UpdatedAt", "desc"), nil, "gfedcba"},
		{"oldest_first", by("UpdatedAt", "asc"), nil, "abcdefg"},
		{"by_text", by("Title", "asc"), nil, "gfedcba"},
		{"by_number", by("Confidence", "desc"), nil, "fcebdag"},
		{"by_number_then_text", append(by("Confidence", "asc"), by("Title", "desc")...), nil, "gadbecf"},
		{"of_names", nil, &filters{Id: is("EQUALS", "a", "b", "c", "d", "e")}, "edcba"},
		{"of_a_state", nil, &filters{RecordState: is("EQUALS", "ACTIVE"), WorkflowStatus: is("EQUALS", "NEW")}, "gfedcba"},
		{"of_some", nil, &filters{SeverityLabel: is("EQUALS", "HIGH")}, "fdb"},
	} {
		t.Run(c.name, func(t *testing.T) {
			inHub(t, func(w *world) {
				for i, id := range []string{"a", "b", "c", "d", "e", "f", "g"} {
					f := own(id)
					f.Title = fmt.Sprint("title ", 9-i)
					if i < 6 {
						f.Confidence = new(int32(i%3)*10 + 1)
					}
					if i%2 == 1 {
						f.Severity.Label = new(securityhubapi.SeverityLabelHigh)
					}
					w.send(f)
					time.Sleep(time.Second)
				}
				for size := int32(1); size <= 8; size++ {
					got := ""
					request := &securityhubapi.GetFindingsRequest{SortCriteria: c.sort, Filters: c.f, MaxResults: &size}
					for {
						out := must(w, &securityhubapi.GetFindings, request)
						if len(out.Findings) > int(size) {
							t.Fatalf("%d findings in a page of %d", len(out.Findings), size)
						}
						got += ids(out.Findings)
						if out.NextToken == nil {
							break
						}
						request.NextToken = out.NextToken
					}
					if got != c.want {
						t.Errorf("pages of %d: got %s, want %s", size, got, c.want)
					}
				}
			})
		})
	}
}

func by(field, order string) []securityhubapi.SortCriterion {
	return []securityhubapi.SortCriterion{{Field: &field, SortOrder: new(securityhubapi.SortOrder(order))}}
}

func TestTokenIsOfItsRequestOnly(t *testing.T) {
	inHub(t, func(w *world) {
		w.three()
		token := must(w, &securityhubapi.GetFindings, &securityhubapi.GetFindingsRequest{MaxResults: new(int32(1))}).NextToken
		for _, request := range []*securityhubapi.GetFindingsRequest{
			{NextToken: token, Filters: &filters{Title: is("PREFIX", "C")}},
			{NextToken: token, SortCriteria: by("Title", "asc")},
			{NextToken: new("x")},
		} {
			if _, err := call(w, &securityhubapi.GetFindings, request); !securityhubapi.InvalidInputException.Is(err) {
				t.Errorf("got %v, want InvalidInputException", err)
			}
		}
		if _, err := call(w, &securityhubapi.GetFindings, &securityhubapi.GetFindingsRequest{SortCriteria: by("Colour", "asc")}); !securityhubapi.InvalidInputException.Is(err) {
			t.Errorf("unknown field: got %v", err)
		}
	})
}

func TestAccountsDoNotSeeEachOther(t *testing.T) {
	inHub(t, func(w *world) {
		w.three()
		if _, err := callAs(w, other, &securityhubapi.EnableSecurityHub, &securityhubapi.EnableSecurityHubRequest{}); err != nil {
			t.Fatal(err)
		}
		out, err := callAs(w, other, &securityhubapi.GetFindings, &securityhubapi.GetFindingsRequest{})
		if err != nil || len(out.Findings) != 0 {
			t.Errorf("got %s, %v", ids(out.Findings), err)
		}
		updated, err := callAs(w, other, &securityhubapi.BatchUpdateFindings, &securityhubapi.BatchUpdateFindingsRequest{
			FindingIdentifiers: identifiers("a"), Confidence: new(int32(1)),
		})
		if err != nil || len(updated.UnprocessedFindings) != 1 {
			t.Errorf("got %+v, %v", updated, err)
		}
		if slices.Contains([]string{""}, ids(w.all(nil))) {
			t.Error("findings are gone")
		}
	})
}
