package signin

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"sumun.dev/aws"
	"sumun.dev/store"
)

// tokenLife is how long a sign-in token can be redeemed. IAM User Guide, "Enable custom
// identity broker access to the AWS console".
const tokenLife = 15 * time.Minute

// A token is what a sign-in token stands for until it is redeemed: a session to be.
type token struct {
	Principal aws.Principal
	Until     time.Time     // the token
	Lasts     time.Duration // the session, from when it begins; 0: as long as the credentials
}

var badRequest = aws.ErrorKind{Code: "BadRequest", Status: http.StatusBadRequest}

// federate is the federation endpoint. IAM User Guide, "Enable custom identity broker
// access to the AWS console".
func (s *Service) federate(v *visit) error {
	q, err := parameters(v.r.URL.RawQuery)
	if err != nil {
		return err
	}
	if q["Action"] == "login" {
		return s.redeem(v, q)
	}
	text, err := s.issue(v, q)
	if err != nil {
		return err
	}
	v.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(v).Encode(struct{ SigninToken string }{text})
}

// parameters are those that an action has, each once.
var actions = map[string][]string{
	"getSigninToken": {"Action", "Session", "SessionType", "SessionDuration", "DurationSeconds"},
	"login":          {"Action", "Issuer", "Destination", "SigninToken"},
}

// parameters reads the query.
func parameters(raw string) (map[string]string, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, badRequest.New("The query cannot be read.")
	}
	known := actions[values.Get("Action")]
	if known == nil {
		return nil, badRequest.New("Action is getSigninToken or login.")
	}
	q := map[string]string{}
	for name, all := range values {
		if len(all) != 1 || !slices.Contains(known, name) {
			return nil, badRequest.New("The action %s takes no parameter of this name, or not as often: %.64q.", values.Get("Action"), name)
		}
		q[name] = all[0]
	}
	return q, nil
}

// credentials are temporary ones as an identity broker sends them.
type credentials struct {
	ID    string `json:"sessionId"`
	Key   string `json:"sessionKey"`
	Token string `json:"sessionToken"`
}

// What a Session may hold, in characters: a session token takes most of it.
const maxSession = 32 << 10

func readCredentials(text string) (*credentials, error) {
	c := &credentials{}
	if len(text) > maxSession || jsonv2.Unmarshal([]byte(text), c, jsonv2.RejectUnknownMembers(true)) != nil || c.ID == "" || c.Key == "" || c.Token == "" {
		return nil, badRequest.New("Session is a JSON object with sessionId, sessionKey and sessionToken.")
	}
	return c, nil
}

// issue hands out a sign-in token for temporary credentials.
func (s *Service) issue(v *visit, q map[string]string) (string, error) {
	if kind, given := q["SessionType"]; given && kind != "json" {
		return "", badRequest.New("SessionType is json.")
	}
	c, err := readCredentials(q["Session"])
	if err != nil {
		return "", err
	}
	invalid := badRequest.New("The credentials in Session are not valid.")
	p, secret, err := s.options.Credential(v.r.Context(), c.ID, c.Token)
	var refused *aws.Error
	if errors.As(err, &refused) {
		return "", invalid
	}
	if err != nil {
		return "", err
	}
	if subtle.ConstantTimeCompare(secret, []byte(c.Key)) != 1 {
		return "", invalid
	}
	// From here on it is known who asks, and the trail hears of refusals as well.
	lasts, why := sessionLength(p, q)
	t := &token{Principal: *p, Until: now().Add(tokenLife), Lasts: lasts}
	t.Principal.Tags = nil // nobody asks for them any more
	id := aws.UUID()
	err = s.env.Store.Update(s.enter(v.r.Context(), p.Account), func(ctx context.Context) error {
		e := s.about(p, aws.SignInEvent{Name: "GetSigninToken", Region: v.at.in(""), Failure: why, Additional: v.additional(p.Session.MFA)})
		if err := s.tell(ctx, v, e); err != nil || why != "" {
			return err
		}
		schedule(ctx, "token", id, t.Until)
		return s.tokens.Insert(ctx, id, t)
	})
	if err != nil {
		return "", err
	}
	if why != "" {
		return "", badRequest.New("%s", why)
	}
	return s.env.Store.NextToken([]string{"signin.token"}, string(p.Account)+"/"+id), nil
}

// Bounds of console sessions, in seconds.
const (
	shortest         = 900
	longestOfRole    = 43_200
	longestFederated = 129_600
)

// sessionLength returns how long the console session is to be, or why there is none.
func sessionLength(p *aws.Principal, q map[string]string) (lasts time.Duration, why string) {
	ofRole, hasRole := q["SessionDuration"]
	federated, hasFederated := q["DurationSeconds"]
	switch {
	case p.Kind == aws.AssumedRole && hasFederated:
		return 0, "DurationSeconds goes with the credentials of GetFederationToken only."
	case p.Kind == aws.AssumedRole && hasRole && p.Session.Chained:
		return 0, "SessionDuration does not go with the credentials of a role that another role has assumed."
	case p.Kind == aws.AssumedRole && hasRole:
		return seconds("SessionDuration", ofRole, longestOfRole)
	case p.Kind == aws.FederatedUser && hasRole:
		return 0, "SessionDuration does not go with the credentials of GetFederationToken."
	case p.Kind == aws.FederatedUser && hasFederated:
		return seconds("DurationSeconds", federated, longestFederated)
	case p.Kind != aws.AssumedRole && p.Kind != aws.FederatedUser:
		return 0, "The credentials must be those of AssumeRole or GetFederationToken."
	}
	return 0, ""
}

func seconds(name, text string, most int) (time.Duration, string) {
	n, err := strconv.Atoi(text)
	if err != nil || n < shortest || n > most {
		return 0, name + " is a number of seconds from " + strconv.Itoa(shortest) + " to " + strconv.Itoa(most) + "."
	}
	return time.Duration(n) * time.Second, ""
}

// maxIssuer bounds, in bytes, what is shown of where somebody comes from.
const maxIssuer = 1024

// redeem signs in with a sign-in token, once.
func (s *Service) redeem(v *visit, q map[string]string) error {
	if !toConsole(q["Destination"]) {
		return badRequest.New("Destination is the URL of a page of AWS's console: https://console.aws.amazon.com/.")
	}
	if len(q["Issuer"]) > maxIssuer {
		return badRequest.New("Issuer is too long.")
	}
	used := badRequest.New("The sign-in token is not valid, was used before, or is older than 15 minutes.")
	text, err := s.env.Store.OpenToken([]string{"signin.token"}, q["SigninToken"])
	account, id, ok := strings.Cut(text, "/")
	if err != nil || !ok {
		return used
	}
	var x *session
	newID := aws.UUID()
	err = s.env.Store.Update(s.enter(v.r.Context(), aws.Account(account)), func(ctx context.Context) error {
		t, err := s.tokens.Get(ctx, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && !t.good() {
			return used
		}
		if err != nil {
			return err
		}
		if err := s.options.Stands(store.Outside(ctx), &t.Principal); err != nil {
			return err
		}
		if err := s.tokens.Delete(ctx, id); err != nil {
			return err
		}
		x = &session{Principal: t.Principal, Until: t.until(), Region: v.at.in("")}
		e := s.about(&x.Principal, aws.SignInEvent{Name: "ConsoleLogin", Region: x.Region, Additional: v.additional(x.Principal.Session.MFA)})
		if err := s.tell(ctx, v, e); err != nil {
			return err
		}
		return s.begin(ctx, v, newID, x)
	})
	if err != nil {
		return err
	}
	s.setCookie(v, aws.Account(account), newID)
	return s.showSession(v, x, q["Destination"])
}

// good reports whether a token can still be redeemed: it and the credentials behind it
// have not run out.
func (t *token) good() bool {
	return time.Now().Before(t.Until) && time.Now().Before(t.Principal.Session.Expires)
}

// until is when a session that begins now is over. One of a role may outlast the
// credentials, one of a federated user not.
func (t *token) until() time.Time {
	end := now().Add(t.Lasts)
	if t.Lasts == 0 || t.Principal.Kind == aws.FederatedUser && end.After(t.Principal.Session.Expires) {
		return t.Principal.Session.Expires
	}
	return end
}

// toConsole reports whether a URL is one of AWS's console. It is shown, and nobody is
// sent there.
func toConsole(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxIssuer && u.Scheme == "https" && u.User == nil && u.Opaque == "" &&
		(u.Host == "aws.amazon.com" || strings.HasSuffix(u.Host, ".aws.amazon.com"))
}
