package access

import (
	"fmt"
	"net/url"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
)

// Balancer reads a line of a load balancer's access log: Elastic Load Balancing
// User Guides, "Access logs for your Application/Network/Classic Load Balancer".
func Balancer(line []byte) (*record.Record, error) {
	f, err := split(line)
	if err != nil {
		return nil, err
	}
	switch kindOf(f) {
	case "alb":
		return application(f)
	case "nlb":
		return network(f)
	case "elb":
		return classic(f)
	}
	return nil, errFields
}

// IsBalancer reports whether a line is of a load balancer's access log.
func IsBalancer(line []byte) bool {
	f, err := split(line)
	return err == nil && kindOf(f) != ""
}

func kindOf(f []string) string {
	is := func(i int) bool { _, err := moment(f[i]); return err == nil }
	switch {
	case len(f) >= 17 && strings.HasPrefix(f[2], "app/") && is(1):
		return "alb"
	case len(f) >= 16 && f[0] == "tls" && strings.HasPrefix(f[3], "net/") && is(2):
		return "nlb"
	case len(f) >= 12 && is(0) && strings.Contains(f[2], ":") && len(strings.Fields(f[11])) == 3:
		return "elb"
	}
	return ""
}

func application(f []string) (*record.Record, error) {
	r, h, err := begin("alb", f[1], f[2], f[3])
	if err != nil {
		return nil, err
	}
	h.Status, h.Target, h.Received, h.Sent, h.Agent = status(f[8]), status(f[9]), whole(f[10]), whole(f[11]), known(f[13])
	request(h, f[12])
	// arn:aws:elasticloadbalancing:REGION:ACCOUNT:targetgroup/…
	if arn := strings.SplitN(f[16], ":", 6); len(arn) == 6 && arn[2] == "elasticloadbalancing" {
		r.Region, r.Account = aws.Region(arn[3]), aws.Account(arn[4])
	}
	if len(f) > 18 && known(f[18]) != "" {
		h.Host = f[18]
	}
	if len(f) > 22 {
		h.Action = known(f[22])
	}
	if len(f) > 17 {
		r.ID = known(f[17])
	}
	return r, nil
}

func network(f []string) (*record.Record, error) {
	r, h, err := begin("nlb", f[2], f[3], f[5])
	if err != nil {
		return nil, err
	}
	h.Received, h.Sent = whole(f[9]), whole(f[10])
	if len(f) > 17 {
		h.Host = known(f[17])
	}
	return r, nil
}

func classic(f []string) (*record.Record, error) {
	r, h, err := begin("elb", f[0], f[1], f[2])
	if err != nil {
		return nil, err
	}
	h.Status, h.Target, h.Received, h.Sent = status(f[7]), status(f[8]), whole(f[9]), whole(f[10])
	request(h, f[11])
	if len(f) > 12 {
		h.Agent = known(f[12])
	}
	return r, nil
}

func begin(door, at, name, client string) (*record.Record, *record.HTTP, error) {
	t, err := moment(at)
	if err != nil {
		return nil, nil, fmt.Errorf("access log: %w", err)
	}
	h := &record.HTTP{Door: door, Resource: name}
	h.Client, h.ClientPort = hostPort(client)
	return &record.Record{Class: record.HTTPActivity, Time: t, HTTP: h}, h, nil
}

// request reads "GET https://host:443/path?query HTTP/1.1".
func request(h *record.HTTP, line string) {
	method, rest, _ := strings.Cut(line, " ")
	at, _, _ := strings.Cut(rest, " ")
	h.Method = known(method)
	if u, err := url.Parse(at); err == nil && u.Host != "" {
		h.Host = u.Hostname()
		_, after, _ := strings.Cut(at, "://")
		if i := strings.IndexAny(after, "/?"); i >= 0 {
			h.URL = after[i:]
		}
		return
	}
	h.URL = known(at)
}
