package identitycenter

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"sumun.dev/api/identitystoreapi"
	"sumun.dev/aws"
	"sumun.dev/engine/oidc"
	"sumun.dev/engine/saml"
	"sumun.dev/engine/saml/idp"
	"sumun.dev/store"
)

// A trip is somebody on the way to an identity provider and back. It goes along as
// the provider's state, sealed to the browser that set out, so that nobody else can
// end it.
type trip struct {
	Source  string    `json:"s"`
	Nonce   string    `json:"n"` // of the token, or the id of the SAML request
	Next    string    `json:"x"`
	Expires time.Time `json:"e"`
}

const tripLife = 10 * time.Minute

// setOut sends a person to a provider.
func (s *Service) setOut(v *visit) error {
	source := s.source(v.place.Account, v.r.PostForm.Get("source"))
	if source == nil || source.LDAP != nil || s.url == "" {
		refuse(v, http.StatusBadRequest, "There is no such identity provider.")
		return nil
	}
	t := trip{Source: source.Name, Nonce: idp.NewID(), Next: v.next(v.r.PostForm.Get("next")), Expires: now().Add(tripLife)}
	text, err := json.Marshal(t)
	if err != nil {
		return err
	}
	state := s.env.Store.NextToken([]string{"sso.trip", v.cookie}, string(text))
	to, err := s.target(source, v.store, t.Nonce, state)
	if err != nil {
		return err
	}
	allowRedirect(v, to)
	http.Redirect(v, v.r, to, http.StatusSeeOther)
	return nil
}

// answers is where the provider's answer for an identity store is posted.
func (s *Service) answers(storeID string) string {
	return strings.TrimSuffix(s.url, "/") + pages + storeID + "/answer"
}

// target is where a person is sent. OpenID Connect Core 1.0, section 3.2; SAML 2.0
// Bindings, section 3.4.
func (s *Service) target(source *Source, storeID, nonce, state string) (string, error) {
	q := url.Values{}
	if o := source.OIDC; o != nil {
		q.Set("response_type", "id_token")
		q.Set("response_mode", "form_post")
		q.Set("scope", "openid profile email")
		q.Set("client_id", o.ClientID)
		q.Set("redirect_uri", s.answers(storeID))
		q.Set("nonce", nonce)
		q.Set("state", state)
		return withQuery(o.AuthorizeURL, q)
	}
	request, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:protocol AuthnRequest"`
		ID      string   `xml:"ID,attr"`
		Version string   `xml:"Version,attr"`
		Issued  string   `xml:"IssueInstant,attr"`
		ACS     string   `xml:"AssertionConsumerServiceURL,attr"`
		Binding string   `xml:"ProtocolBinding,attr"`
		Issuer  struct {
			XMLName xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
			Value   string   `xml:",chardata"`
		}
	}{ID: nonce, Version: "2.0", Issued: now().Format(time.RFC3339), ACS: s.answers(storeID), Binding: "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
		Issuer: struct {
			XMLName xml.Name `xml:"urn:oasis:names:tc:SAML:2.0:assertion Issuer"`
			Value   string   `xml:",chardata"`
		}{Value: s.answers(storeID)}})
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return "", err
	}
	if _, err := w.Write(request); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	q.Set("SAMLRequest", base64.StdEncoding.EncodeToString(packed.Bytes()))
	q.Set("RelayState", state)
	return withQuery(source.SAML.URL, q)
}

func withQuery(base string, more url.Values) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	q := u.Query()
	for k := range more {
		q.Set(k, more.Get(k))
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// comeBack takes what a provider has the browser post. Browsers send no cookie
// along with it, since it comes from elsewhere; so the person sends it once more,
// from a page of ours, and the cookie shows that it is the browser that set out.
func (s *Service) comeBack(v *visit) error {
	if err := v.r.ParseForm(); err != nil {
		refuse(v, http.StatusBadRequest, "The provider's answer cannot be read.")
		return nil
	}
	f := v.r.PostForm
	if f.Get("error") != "" {
		refuse(v, http.StatusForbidden, "The identity provider has refused.")
		return nil
	}
	return s.show(v, returnPage, view{Answer: f.Get("id_token") + f.Get("SAMLResponse"), State: f.Get("state") + f.Get("RelayState")})
}

var errNotYou = aws.ErrorKind{Code: "InvalidRequestException", Status: http.StatusBadRequest}

// arrive verifies a provider's answer and signs the person in.
func (s *Service) arrive(v *visit) error {
	var t trip
	text, err := s.env.Store.OpenToken([]string{"sso.trip", v.cookie}, v.r.PostForm.Get("state"))
	if err != nil || json.Unmarshal([]byte(text), &t) != nil || !time.Now().Before(t.Expires) {
		return errNotYou.New("This sign-in did not begin in this browser, or took too long. Try again.")
	}
	source := s.source(v.place.Account, t.Source)
	if source == nil {
		return errNotYou.New("There is no such identity provider any more.")
	}
	who, err := s.verified(v, source, t.Nonce, v.r.PostForm.Get("answer"))
	if err != nil {
		s.env.Log.WarnContext(v.ctx, "an identity provider's answer was refused", "source", source.Name, "error", err)
		return errNotYou.New("The identity provider's answer was not accepted.")
	}
	u, err := s.arrived(v, source, who)
	if err != nil {
		return err
	}
	if err := s.enter(v, u, byProvider, false, who.tags); err != nil {
		return err
	}
	http.Redirect(v, v.r, v.next(t.Next), http.StatusSeeOther)
	return nil
}

// vouched is whom a provider vouches for.
type vouched struct {
	name, id    string // the user's name here, and the provider's id of them
	email, full string
	once        string // accepted once, until then
	until       time.Time
	tags        map[string]string
}

// accessControl begins the names of SAML attributes that become session tags.
// IAM Identity Center User Guide, "Attributes for access control".
const accessControl = "https://aws.amazon.com/SAML/Attributes/AccessControl:"

func (s *Service) verified(v *visit, source *Source, nonce, answer string) (*vouched, error) {
	if o := source.OIDC; o != nil {
		c, err := s.options.Tokens.Verify(v.ctx, &oidc.Provider{URL: o.Issuer, ClientIDs: []string{o.ClientID}}, answer)
		if err != nil {
			return nil, err
		}
		if claim(c, "nonce") != nonce {
			return nil, errors.New("the token has another nonce")
		}
		w := &vouched{name: claim(c, o.UserClaim), id: c.Subject, email: claim(c, "email"), full: claim(c, "name"), once: nonce, until: c.Expires, tags: map[string]string{}}
		var tags struct {
			Principal map[string][]string `json:"principal_tags"`
		}
		if raw, ok := c.All["https://aws.amazon.com/tags"]; ok && json.Unmarshal(raw, &tags) == nil {
			for key, values := range tags.Principal {
				if len(values) == 1 {
					w.tags[key] = values[0]
				}
			}
		}
		return w, nil
	}
	here := s.answers(v.store)
	a, err := source.SAML.Provider.Verify(answer, saml.Expected{Audiences: []string{here}, Recipients: []string{here}, Requests: []string{nonce}})
	if err != nil {
		return nil, err
	}
	w := &vouched{name: a.Subject, id: a.Subject, once: a.ID, until: a.Until, tags: map[string]string{}}
	for name, values := range a.Attributes {
		if key, ok := strings.CutPrefix(name, accessControl); ok && len(values) == 1 {
			w.tags[key] = values[0]
		}
	}
	return w, nil
}

// claim returns a claim that is a text.
func claim(c *oidc.Claims, name string) (text string) {
	if json.Unmarshal(c.All[name], &text) != nil {
		return ""
	}
	return text
}

// arrived returns the user for whom a provider vouches: whom it has made, or the one
// of that name. An answer is accepted once.
func (s *Service) arrived(v *visit, source *Source, w *vouched) (u *user, err error) {
	if w.name == "" {
		return nil, errNotYou.New("The identity provider's answer names no user.")
	}
	err = s.env.Store.Update(v.ctx, func(ctx context.Context) error {
		used := v.store + "/" + digest("answer", source.Name, w.once)
		err := s.codes.Insert(ctx, used, &authorization{Store: v.store, Expires: w.until})
		if errors.Is(err, store.ErrExists) {
			return errNotYou.New("The identity provider's answer was used before.")
		}
		if err != nil {
			return err
		}
		end(ctx, v.place, "code", used, w.until)
		row, err := one(ctx, s.users, "by", byExternal(v.store, identitystoreapi.ExternalId{Issuer: source.Name, Id: w.id}))
		if err == nil && row == nil {
			row, err = one(ctx, s.users, "by", byName(v.store, w.name))
		}
		if err != nil {
			return err
		}
		if row == nil && source.Create {
			u = newcomer(v.store, source, w)
			u.stamps = stamped(ctx)
			return s.addUser(ctx, u)
		}
		if row == nil || row.Value.Disabled || !row.Value.vouchedBy(source, w.id) {
			return errNotYou.New("The identity provider knows you as %s, whom this identity store does not let in.", w.name)
		}
		u = row.Value
		return nil
	})
	return u, err
}

// vouchedBy reports whether a provider may vouch for the user. One whom a provider
// has made is whom it knows by that id: names can be changed there, and taken by
// somebody else. OpenID Connect Core 1.0, section 5.7.
func (u *user) vouchedBy(source *Source, id string) bool {
	if u.Source == "" || u.DN != "" {
		return true
	}
	return slices.Contains(u.External, identitystoreapi.ExternalId{Issuer: source.Name, Id: id})
}

// newcomer makes a user of whom a provider vouches for.
func newcomer(storeID string, source *Source, w *vouched) *user {
	full := w.full
	if full == "" {
		full = w.name
	}
	given, family, ok := strings.Cut(full, " ")
	if !ok {
		family = given
	}
	u := &user{Store: storeID, ID: aws.UUID(), Source: source.Name, External: []identitystoreapi.ExternalId{{Issuer: source.Name, Id: w.id}}}
	u.Profile = identitystoreapi.CreateUserRequest{
		IdentityStoreId: storeID, UserName: &w.name, DisplayName: &full, Name: &identitystoreapi.Name{GivenName: &given, FamilyName: &family},
	}
	if w.email != "" {
		u.Profile.Emails = []identitystoreapi.Email{{Value: &w.email, Primary: new(true)}}
	}
	return u
}
