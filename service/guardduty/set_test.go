package guardduty

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/api/guarddutyapi"
	"sumun.dev/aws"
	"sumun.dev/detect/intel"
	"sumun.dev/detect/intel/format"
)

func (w *world) file(name, content string) {
	w.t.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(w.lists, name)), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.lists, name), []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func entitySet(d, name, location string) *guarddutyapi.CreateThreatEntitySetRequest {
	return &guarddutyapi.CreateThreatEntitySetRequest{DetectorId: d, Name: name, Format: "TXT", Location: location, Activate: true}
}

func intelSet(d, name, location string) *guarddutyapi.CreateThreatIntelSetRequest {
	return &guarddutyapi.CreateThreatIntelSetRequest{DetectorId: d, Name: name, Format: "TXT", Location: location, Activate: true}
}

// asked has the instance ask for a name and returns how many findings there are.
func (w *world) asked(d, name string) int {
	w.query(name)
	return len(w.findings(d))
}

func TestAThreatEntitySetCountsFromItsActivationOn(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("mine.txt", "evil.example\n*.bad.example\n192.0.2.1\n")
		d := w.detector()
		if w.asked(d, "evil.example") != 0 {
			t.Fatal("found without a list")
		}
		request := entitySet(d, "mine", "file://mine.txt")
		request.Activate = false
		id := must(w, &guarddutyapi.CreateThreatEntitySet, request).ThreatEntitySetId
		get := func() *guarddutyapi.GetThreatEntitySetResponse {
			return must(w, &guarddutyapi.GetThreatEntitySet, &guarddutyapi.GetThreatEntitySetRequest{DetectorId: d, ThreatEntitySetId: id})
		}
		if s := get(); s.Status != "INACTIVE" || w.asked(d, "evil.example") != 0 {
			t.Fatalf("%s", s.Status)
		}
		must(w, &guarddutyapi.UpdateThreatEntitySet, &guarddutyapi.UpdateThreatEntitySetRequest{DetectorId: d, ThreatEntitySetId: id, Activate: new(true)})
		if s := get(); s.Status != "ACTIVE" || w.asked(d, "evil.example") != 1 {
			t.Fatalf("%s", s.Status)
		}
		f := w.findings(d)[0]
		if f.Type != "Impact:EC2/MaliciousDomainRequest.Custom" || f.Severity != 5 || *f.Service.Evidence.ThreatIntelligenceDetails[0].ThreatListName != "mine" {
			t.Errorf("%+v", f)
		}

		// The file may change: the set says what it said.
		w.file("mine.txt", "other.example\n")
		w.begin()
		if w.asked(d, "other.example") != 1 || w.asked(d, "www.bad.example") != 2 {
			t.Error("after a restart the set is not what it was")
		}
		must(w, &guarddutyapi.UpdateThreatEntitySet, &guarddutyapi.UpdateThreatEntitySetRequest{DetectorId: d, ThreatEntitySetId: id, Activate: new(true)})
		if w.asked(d, "other.example") != 3 || w.asked(d, "evil2.example") != 3 {
			t.Error("activated again, the set does not say what the file says")
		}
		must(w, &guarddutyapi.DeleteThreatEntitySet, &guarddutyapi.DeleteThreatEntitySetRequest{DetectorId: d, ThreatEntitySetId: id})
		w.query("other.example")
		for _, f := range w.findings(d) {
			if *f.Service.Count > 1 && *f.Service.Action.DnsRequestAction.Domain == "other.example" {
				t.Error("a deleted set still counts")
			}
		}
	})
}

func TestTrustedEntitiesAreNoThreat(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("trusted.txt", "guarddutyc2activityb.com\n")
		d := w.detector()
		r := must(w, &guarddutyapi.CreateTrustedEntitySet, &guarddutyapi.CreateTrustedEntitySetRequest{DetectorId: d, Name: "t", Format: "TXT", Location: "file://trusted.txt", Activate: true})
		if w.asked(d, "guarddutyc2activityb.com") != 0 || w.asked(d, "www.guarddutyc2activityb.com") != 1 {
			t.Error("trust is not exact")
		}
		must(w, &guarddutyapi.DeleteTrustedEntitySet, &guarddutyapi.DeleteTrustedEntitySetRequest{DetectorId: d, TrustedEntitySetId: r.TrustedEntitySetId})
		w.query("guarddutyc2activityb.com")
		if n := *w.findings(d)[0].Service.Count; n != 2 {
			t.Errorf("count %d", n)
		}
	})
}

func TestListsBelongToOneAccount(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("mine.txt", "evil.example\n")
		d := w.detector()
		must(w, &guarddutyapi.CreateThreatIntelSet, intelSet(d, "mine", "file://mine.txt"))
		theirs, err := callAs(w, other, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true})
		if err != nil {
			t.Fatal(err)
		}
		w.queryAs(other, host, "evil.example")
		out, err := callAs(w, other, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: *theirs.DetectorId})
		if err != nil || len(out.FindingIds) != 0 || w.asked(d, "evil.example") != 1 {
			t.Errorf("%v %v", out, err)
		}
	})
}

func TestLocationsAreFilesOfTheFolderOfLists(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("good.txt", "a.example\n")
		w.file("sub/good.txt", "b.example\n")
		secret := filepath.Join(filepath.Dir(w.lists), "secret.txt")
		if err := os.WriteFile(secret, []byte("c.example\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		for from, to := range map[string]string{"link.txt": secret, "inside.txt": "good.txt", "away": filepath.Dir(w.lists), "dir": "sub"} {
			if err := os.Symlink(to, filepath.Join(w.lists, from)); err != nil {
				t.Fatal(err)
			}
		}
		d := w.detector()
		for i, good := range []string{"file://good.txt", "file://sub/good.txt", "file://" + filepath.ToSlash(w.lists) + "/good.txt", filepath.ToSlash(w.lists) + "/good.txt"} {
			must(w, &guarddutyapi.CreateThreatEntitySet, entitySet(d, fmt.Sprint(i), good))
		}
		const outside = "The request is rejected because the location is not a file in the folder of lists."
		for _, bad := range []string{
			"file://../secret.txt", "file:///etc/passwd", "/etc/passwd", filepath.ToSlash(secret), "good.txt", "//" + filepath.ToSlash(w.lists) + "/good.txt", filepath.ToSlash(w.lists) + "/sub/../good.txt", "file://" + filepath.ToSlash(secret), "file://" + filepath.ToSlash(w.lists) + "/../secret.txt", "file://sub/../good.txt",
			"file://link.txt", "file://inside.txt", "file://away/secret.txt", "file://dir/good.txt", "file://sub", "file:///", "file://" + filepath.ToSlash(w.lists), "file://%2e%2e/secret.txt", "file://sub//good.txt",
		} {
			request := entitySet(d, "x", bad)
			_, err := call(w, &guarddutyapi.CreateThreatEntitySet, request)
			if !guarddutyapi.BadRequestException.Is(err) {
				t.Errorf("%s: %v", bad, err)
			} else if e := err.(*aws.Error); e.Message != outside && !strings.Contains(e.Message, "location") {
				t.Errorf("%s: %s", bad, e.Message)
			}
		}
		refused(w, &guarddutyapi.CreateThreatEntitySet, entitySet(d, "x", "file://none.txt"), "The request is rejected because the file at the location does not exist.")
		refused(w, &guarddutyapi.CreateThreatEntitySet, entitySet(d, "x", "s3://bucket/list.txt"), "The request is rejected because the location is in Amazon S3, which is not served yet; file://NAME means a file in the folder 'lists' of the plane's data folder.")
		refused(w, &guarddutyapi.CreateThreatEntitySet, entitySet(d, "x", "ftp://x/y"), "The request is rejected because the parameter location has an invalid value.")
		w.lists = ""
		w.begin()
		refused(w, &guarddutyapi.CreateThreatEntitySet, entitySet(d, "x", "file://good.txt"), "The request is rejected because this plane has no data folder, where list files would be.")
	})
}

func TestContentThatIsWrongShowsAsStatus(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("bad.txt", "good.example\nno domain\n")
		w.file("many.txt", lines(1001))
		w.file("big.txt", strings.Repeat("#", format.MaxFile+1))
		d := w.detector()
		for name, problem := range map[string]string{"bad.txt": "line 2", "many.txt": "more than 1000 entries", "big.txt": "larger than 35 MB"} {
			id := must(w, &guarddutyapi.CreateThreatEntitySet, entitySet(d, name, "file://"+name)).ThreatEntitySetId
			s := must(w, &guarddutyapi.GetThreatEntitySet, &guarddutyapi.GetThreatEntitySetRequest{DetectorId: d, ThreatEntitySetId: id})
			if s.Status != "ERROR" || s.ErrorDetails == nil || !strings.Contains(*s.ErrorDetails, problem) {
				t.Errorf("%s: %s %v", name, s.Status, s.ErrorDetails)
			}
		}
		if w.asked(d, "good.example") != 0 {
			t.Error("a set with an error counts")
		}
	})
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "host%d.malware.example\n", i)
	}
	return b.String()
}

func TestSetsHoldAddresses(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("mine.txt", "198.51.100.7\n203.0.113.0/24\nevil.example\n")
		d := w.detector()
		must(w, &guarddutyapi.CreateThreatIntelSet, intelSet(d, "mine", "file://mine.txt"))
		for _, restarted := range []bool{false, true} {
			if restarted {
				w.begin()
			}
			lists, err := w.service.listsOf(home)
			if err != nil {
				t.Fatal(err)
			}
			for addr, want := range map[string]string{"198.51.100.7": "198.51.100.7", "203.0.113.9": "203.0.113.0/24", "198.51.100.8": ""} {
				if _, entry := lists.FindAddr(intel.Custom, netip.MustParseAddr(addr)); entry != want {
					t.Errorf("%s: %q, restarted %t", addr, entry, restarted)
				}
			}
		}
		if w.asked(d, "evil.example") != 1 {
			t.Error("the domain does not count")
		}
	})
}

func TestAnIPSetMakesItsAddressesTrusted(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("ours.txt", "198.51.100.7\n203.0.113.0/24\nguarddutyc2activityb.com\n")
		w.file("threats.txt", "198.51.100.7\n")
		w.file("names.txt", "guarddutyc2activityb.com\n")
		d := w.detector()
		must(w, &guarddutyapi.CreateThreatIntelSet, intelSet(d, "threats", "file://threats.txt"))
		request := &guarddutyapi.CreateIPSetRequest{DetectorId: d, Name: "ours", Format: "TXT", Location: "file://ours.txt", Activate: true, ClientToken: new("token"), Tags: map[string]string{"team": "red"}}
		id := must(w, &guarddutyapi.CreateIPSet, request).IpSetId
		if again := must(w, &guarddutyapi.CreateIPSet, request).IpSetId; again != id {
			t.Error("the same request made two sets")
		}
		trusts := func() bool {
			lists, err := w.service.listsOf(home)
			if err != nil {
				t.Fatal(err)
			}
			return lists.TrustsAddr(netip.MustParseAddr("198.51.100.7")) && lists.TrustsAddr(netip.MustParseAddr("203.0.113.9")) && !lists.TrustsAddr(netip.MustParseAddr("198.51.100.8"))
		}
		if !trusts() {
			t.Error("its addresses are not trusted")
		}
		if w.begin(); !trusts() {
			t.Error("its addresses are not trusted after a restart")
		}
		if w.asked(d, "guarddutyc2activityb.com") != 1 {
			t.Error("a set of addresses makes a domain trusted")
		}
		one := &guarddutyapi.CreateIPSetRequest{DetectorId: d, Name: "more", Format: "TXT", Location: "file://ours.txt"}
		refused(w, &guarddutyapi.CreateIPSet, one, "The request is rejected because the current account cannot have more than 1 IPSets.")
		must(w, &guarddutyapi.UpdateIPSet, &guarddutyapi.UpdateIPSetRequest{DetectorId: d, IpSetId: id, Location: new("file://names.txt"), Activate: new(true)})
		if s := must(w, &guarddutyapi.GetIPSet, &guarddutyapi.GetIPSetRequest{DetectorId: d, IpSetId: id}); s.Status != "ERROR" || s.Tags["team"] != "red" || trusts() {
			t.Errorf("%+v", s)
		}
		must(w, &guarddutyapi.DeleteIPSet, &guarddutyapi.DeleteIPSetRequest{DetectorId: d, IpSetId: id})
		if all := must(w, &guarddutyapi.ListIPSets, &guarddutyapi.ListIPSetsRequest{DetectorId: d}).IpSetIds; len(all) != 0 {
			t.Errorf("%q", all)
		}
		refused(w, &guarddutyapi.GetIPSet, &guarddutyapi.GetIPSetRequest{DetectorId: d, IpSetId: id}, "The request is rejected since no such resource found.")
	})
}

func TestThreatIntelSetsHoldAQuarterOfAMillion(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("full.txt", lines(250_000))
		w.file("over.txt", lines(250_001))
		d := w.detector()
		id := must(w, &guarddutyapi.CreateThreatIntelSet, intelSet(d, "full", "file://full.txt")).ThreatIntelSetId
		s := must(w, &guarddutyapi.GetThreatIntelSet, &guarddutyapi.GetThreatIntelSetRequest{DetectorId: d, ThreatIntelSetId: id})
		if s.Status != "ACTIVE" || w.asked(d, "host249999.malware.example") != 1 {
			t.Errorf("%s", s.Status)
		}
		over := must(w, &guarddutyapi.CreateThreatIntelSet, intelSet(d, "over", "file://over.txt")).ThreatIntelSetId
		if s := must(w, &guarddutyapi.GetThreatIntelSet, &guarddutyapi.GetThreatIntelSetRequest{DetectorId: d, ThreatIntelSetId: over}); s.Status != "ERROR" {
			t.Errorf("%s", s.Status)
		}
	})
}

func TestSetsAreLimitedAndListed(t *testing.T) {
	inWorld(t, func(w *world) {
		w.file("a.txt", "a.example\n")
		d := w.detector()
		first := intelSet(d, "0", "file://a.txt")
		first.ClientToken = new("token")
		id := must(w, &guarddutyapi.CreateThreatIntelSet, first).ThreatIntelSetId
		if again := must(w, &guarddutyapi.CreateThreatIntelSet, first).ThreatIntelSetId; again != id {
			t.Error("the same request made two sets")
		}
		refused(w, &guarddutyapi.CreateThreatIntelSet, intelSet(d, "0", "file://a.txt"), "The request failed because another ThreatIntelSet with the same name already exists.")
		for i := 1; i < 6; i++ {
			must(w, &guarddutyapi.CreateThreatIntelSet, intelSet(d, fmt.Sprint(i), "file://a.txt"))
		}
		refused(w, &guarddutyapi.CreateThreatIntelSet, intelSet(d, "6", "file://a.txt"), "The request is rejected because the current account cannot have more than 6 ThreatIntelSets.")
		must(w, &guarddutyapi.CreateThreatEntitySet, entitySet(d, "0", "file://a.txt")) // counts apart
		var all []string
		list := &guarddutyapi.ListThreatIntelSetsRequest{DetectorId: d, MaxResults: new(int32(4))}
		for {
			out := must(w, &guarddutyapi.ListThreatIntelSets, list)
			all = append(all, out.ThreatIntelSetIds...)
			if list.NextToken = out.NextToken; out.NextToken == nil {
				break
			}
		}
		if len(distinct(all)) != 6 {
			t.Errorf("%q", all)
		}
		must(w, &guarddutyapi.DeleteDetector, &guarddutyapi.DeleteDetectorRequest{DetectorId: d})
		d = w.detector()
		if out := must(w, &guarddutyapi.ListThreatIntelSets, &guarddutyapi.ListThreatIntelSetsRequest{DetectorId: d}); len(out.ThreatIntelSetIds) != 0 || w.asked(d, "a.example") != 0 {
			t.Error("sets outlive their detector")
		}
	})
}
