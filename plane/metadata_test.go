package plane

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sumun.dev/api/iamapi"
	"sumun.dev/plane/config"
)

// TestInstancesGetTheirRole asks as an instance, as another, and as a stranger.
func TestInstancesGetTheirRole(t *testing.T) {
	cfg := config.Default()
	cfg.Data = config.Memory
	cfg.Hosts = []config.Host{
		{Instance: "i-0123456789abcdef0", Address: "127.0.0.11", Profile: "Web"},
		{Instance: "i-0fedcba9876543210", Address: "127.0.0.12"},
	}
	p, err := New(t.Context(), cfg, Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true, NoNote: true})
	if err != nil {
		t.Fatal(err)
	}
	defer end(t, p)
	ask := func(from, method, path string, header ...string) (int, string) {
		r := httptest.NewRequest(method, "http://169.254.169.254"+path, nil)
		r.RemoteAddr = from + ":40000"
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		p.Metadata().ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	const first, second, ttl, with = "127.0.0.11", "127.0.0.12", "X-aws-ec2-metadata-token-ttl-seconds", "X-aws-ec2-metadata-token"
	for _, c := range []struct {
		name, from, method, path string
		header                   []string
		want                     int
	}{
		{"a_stranger_is_told_nothing", "127.0.0.1", "PUT", "/latest/api/token", []string{ttl, "60"}, 404},
		{"what_came_through_a_proxy_gets_no_token", first, "PUT", "/latest/api/token", []string{ttl, "60", "X-Forwarded-For", "203.0.113.7"}, 403},
		{"no_lifetime", first, "PUT", "/latest/api/token", nil, 400},
		{"no_time_at_all", first, "PUT", "/latest/api/token", []string{ttl, "0"}, 400},
		{"seven_hours", first, "PUT", "/latest/api/token", []string{ttl, "25200"}, 400},
		{"a_token_of_something_else", first, "PUT", "/latest/meta-data/", []string{ttl, "60"}, 404},
		{"version_1", first, "GET", "/latest/meta-data/", nil, 401},
		{"a_token_of_ones_own", first, "GET", "/latest/meta-data/", []string{with, "AAAA"}, 401},
		{"another_method", first, "POST", "/latest/meta-data/", nil, 405},
	} {
		if code, body := ask(c.from, c.method, c.path, c.header...); code != c.want {
			t.Errorf("%s: %d %s", c.name, code, body)
		}
	}
	code, token := ask(first, "PUT", "/latest/api/token", ttl, "60")
	if code != 200 {
		t.Fatal(code)
	}
	if code, _ := ask(second, "GET", "/latest/meta-data/", with, token); code != 401 {
		t.Errorf("another instance's token: %d", code)
	}
	get := func(path string) string {
		code, body := ask(first, "GET", "/latest/"+path, with, token)
		if code != http.StatusOK {
			return http.StatusText(code)
		}
		return body
	}
	const role = "meta-data/iam/security-credentials/"
	if got := get("meta-data/") + " " + get(role) + " " + get("meta-data/instance-id"); got != "instance-id\nlocal-ipv4\nplacement/ Not Found i-0123456789abcdef0" {
		t.Error(got)
	}
	trust := func(service string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `"},"Action":"sts:AssumeRole"}]}`
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err = byRoot(t, p, &iamapi.CreateRole, &iamapi.CreateRoleRequest{RoleName: "web", Path: new("/shop/"), AssumeRolePolicyDocument: trust("lambda.amazonaws.com")})
	must(err)
	_, err = byRoot(t, p, &iamapi.CreateInstanceProfile, &iamapi.CreateInstanceProfileRequest{InstanceProfileName: "web"})
	must(err)
	_, err = byRoot(t, p, &iamapi.AddRoleToInstanceProfile, &iamapi.AddRoleToInstanceProfileRequest{InstanceProfileName: "web", RoleName: "web"})
	must(err)
	if got := get("meta-data/") + " " + get(role); got != "iam/\ninstance-id\nlocal-ipv4\nplacement/ web" {
		t.Error(got)
	}
	if got := get("meta-data/iam/info"); !strings.Contains(got, `instance-profile/web"`) {
		t.Error(got)
	}
	if got := get(role + "web"); !strings.Contains(got, `"AssumeRoleUnauthorizedAccess"`) || strings.Contains(got, "Secret") {
		t.Errorf("a role that does not trust EC2: %s", got)
	}
	_, err = byRoot(t, p, &iamapi.UpdateAssumeRolePolicy, &iamapi.UpdateAssumeRolePolicyRequest{RoleName: "web", PolicyDocument: trust("ec2.amazonaws.com")})
	must(err)
	var c struct{ Code, AccessKeyId, Token string }
	must(json.Unmarshal([]byte(get(role+"web")), &c))
	who, err := p.current.Load().gate.Identities.Credential(t.Context(), c.AccessKeyId, c.Token)
	if err != nil || c.Code != "Success" || who.Principal.ARN.Resource != "assumed-role/web/i-0123456789abcdef0" || who.Principal.Session.InvokedBy != ec2 {
		t.Errorf("%+v, %v", who, err)
	}
	if again := get(role + "web"); !strings.Contains(again, c.AccessKeyId) {
		t.Error("credentials are made anew although the first are good for long")
	}
}
