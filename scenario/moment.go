package scenario

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"sumun.dev/aws"
	"sumun.dev/plane"
)

// A Moment is one thing that happened in a rehearsal.
type Moment struct {
	At   time.Time
	Kind string // "say", "more" of it, "call", "dns", "finding", "event", "evidence" or "login"
	Who  string
	What string
	Then string // what became of it: "allowed by identity: …", "NXDOMAIN"
	Bad  bool   // refused or blocked
}

// watch tells of what a plane writes on its spine.
func watch(p *plane.Plane, tell func(Moment)) error {
	for stream, read := range map[string]func(*aws.Event) (Moment, bool){
		aws.TrailStream: callMoment, aws.DNSStream: dnsMoment, aws.FindingsStream: findingMoment, aws.BusStream: eventMoment,
	} {
		_, err := p.Watch(stream, "timeline-"+stream, func(e aws.Event) {
			if m, ok := read(&e); ok {
				tell(m)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func callMoment(e *aws.Event) (Moment, bool) {
	d := deedOf(e)
	source, _, _ := strings.Cut(d.Source, ".")
	m := Moment{At: d.Time, Kind: "call", Who: d.User, What: source + ":" + d.Event, Then: d.Why, Bad: d.Error != ""}
	if m.Who == "" {
		m.Who = service(e.Data)
	}
	if d.Error != "" {
		m.Then = strings.TrimPrefix(d.Error+", "+d.Why, ", ")
	}
	return m, true
}

// service names the service that makes a call of its own accord.
func service(record []byte) string {
	var r struct {
		UserIdentity struct{ InvokedBy string }
	}
	if json.Unmarshal(record, &r) != nil {
		return ""
	}
	return r.UserIdentity.InvokedBy
}

func dnsMoment(e *aws.Event) (Moment, bool) {
	var r struct {
		Name    string `json:"query_name"`
		Type    string `json:"query_type"`
		Rcode   string `json:"rcode"`
		Source  string `json:"srcaddr"`
		Action  string `json:"firewall_rule_action"`
		Answers []struct {
			Rdata string `json:"Rdata"`
		} `json:"answers"`
		IDs struct {
			Instance string `json:"instance"`
		} `json:"srcids"`
	}
	if json.Unmarshal(e.Data, &r) != nil {
		return Moment{}, false
	}
	m := Moment{At: e.Time, Kind: "dns", Who: strings.TrimSpace(r.IDs.Instance + " " + r.Source), What: r.Name + " " + r.Type, Then: r.Rcode, Bad: r.Action == "BLOCK"}
	for _, a := range r.Answers {
		m.Then += " " + a.Rdata
	}
	if r.Action != "" {
		m.Then += ", firewall: " + r.Action
	}
	return m, true
}

func findingMoment(e *aws.Event) (Moment, bool) {
	var f struct {
		Type, Title string
		Severity    float64
	}
	if json.Unmarshal(e.Data, &f) != nil {
		return Moment{}, false
	}
	return Moment{At: e.Time, Kind: "finding", Who: e.Type, What: f.Type, Then: fmt.Sprintf("%s, severity %g: %s", e.Attrs["action"], f.Severity, f.Title), Bad: true}, true
}

func eventMoment(e *aws.Event) (Moment, bool) {
	bus := e.Attrs["bus"]
	if bus == "" {
		bus = "default"
	}
	return Moment{At: e.Time, Kind: "event", Who: e.Attrs["source"], What: e.Attrs["detail-type"], Then: "on bus " + bus}, true
}
