package saml

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"

	"sumun.dev/engine/saml/idp"
)

const (
	audience  = "https://signin.aws.amazon.com/saml"
	recipient = "https://signin.aws.amazon.com/saml"
	other     = "https://eu-central-1.signin.aws.amazon.com/saml"
)

var forUs = Expected{Audiences: []string{audience, "urn:amazon:webservices"}, Recipients: []string{recipient, other}}

func newIdP(t testing.TB) (*idp.IdP, *Provider) {
	signer, err := idp.New("https://idp.example.com/metadata")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse(signer.Metadata())
	if err != nil {
		t.Fatal(err)
	}
	return signer, p
}

func login(signer *idp.IdP) *saml.Assertion {
	return signer.Login("alice", audience, recipient, map[string][]string{"team": {"blue", "red"}})
}

func signed(t testing.TB, signer *idp.IdP, el *etree.Element) *etree.Element {
	t.Helper()
	out, err := signer.Sign(el)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func encode(t testing.TB, el *etree.Element) string {
	t.Helper()
	text, err := idp.Encode(el)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func plainText(t testing.TB, response string) string {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(response)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestResponsesAreAccepted(t *testing.T) {
	signer, p := newIdP(t)
	a := login(signer)
	whole := signer.Envelope(a.Element())
	whole.CreateAttr("Destination", recipient)
	elsewhere := login(signer)
	elsewhere.Subject.SubjectConfirmations[0].SubjectConfirmationData.Recipient = other
	answering := login(signer)
	answering.Subject.SubjectConfirmations[0].SubjectConfirmationData.InResponseTo = "id-1"
	for name, response := range map[string]string{
		"signed_assertion": encode(t, signer.Envelope(signed(t, signer, a.Element()))),
		"signed_response":  encode(t, signed(t, signer, whole)),
		"regional":         encode(t, signer.Envelope(signed(t, signer, elsewhere.Element()))),
		"to_a_request":     encode(t, signer.Envelope(signed(t, signer, answering.Element()))),
	} {
		got, err := p.Verify(response, forUs)
		if err != nil || got.Subject != "alice" || got.Issuer != p.EntityID() || got.Audience != audience || fmt.Sprint(got.Attributes) != "map[team:[blue red]]" || got.ID == "" ||
			!strings.HasSuffix(got.SubjectFormat, ":persistent") || !strings.HasSuffix(got.Recipient, "signin.aws.amazon.com/saml") || time.Until(got.Until) < 4*time.Minute {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestResponsesAreRefused(t *testing.T) {
	signer, p := newIdP(t)
	evil, _ := newIdP(t) // of the same name, with another key
	respond := func(change func(*saml.Assertion)) string {
		a := login(signer)
		change(a)
		return encode(t, signer.Envelope(signed(t, signer, a.Element())))
	}
	good := plainText(t, respond(func(*saml.Assertion) {}))
	confirmation := func(a *saml.Assertion) *saml.SubjectConfirmationData {
		return a.Subject.SubjectConfirmations[0].SubjectConfirmationData
	}
	failed := signer.Envelope(signed(t, signer, login(signer).Element()))
	failed.FindElement(".//StatusCode").CreateAttr("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
	ago := func(d time.Duration) time.Time { return time.Now().UTC().Add(-d) }
	for _, c := range []struct {
		name, response string
		want           error
	}{
		{"empty", "", ErrMalformed},
		{"no_base64", "<Response/>", ErrMalformed},
		{"no_xml", b64("hello"), ErrMalformed},
		{"too_long", strings.Repeat("A", MaxResponse+4), ErrMalformed},
		{"another_message", b64("<a/>"), ErrMalformed},
		{"deeply_nested", b64(strings.Repeat("<a>", 20_000) + strings.Repeat("</a>", 20_000)), ErrMalformed},
		{"external_entity", b64(`<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + good), ErrMalformed},
		{"entity_bomb", b64(`<!DOCTYPE r [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>` + good), ErrMalformed},
		{"undeclared_entity", b64(strings.Replace(good, ">alice<", ">&x;<", 1)), ErrMalformed},
		{"not_signed", encode(t, signer.Envelope(login(signer).Element())), ErrSignature},
		{"signed_with_another_key", encode(t, evil.Envelope(signed(t, evil, login(evil).Element()))), ErrSignature},
		{"changed_subject", b64(strings.Replace(good, ">alice<", ">admin<", 1)), ErrSignature},
		{"changed_attribute", b64(strings.Replace(good, ">blue<", ">gold<", 1)), ErrSignature},
		{"changed_attribute_name", b64(strings.Replace(good, `Name="team"`, `Name="role"`, 1)), ErrSignature},
		{"signature_taken_away", b64(cutOut(good, "<ds:Signature", "</ds:Signature>")), ErrSignature},
		{"signature_emptied", b64(cutOut(good, "<ds:SignatureValue>", "")), ErrSignature},
		{"another_audience", respond(func(a *saml.Assertion) {
			a.Conditions.AudienceRestrictions[0].Audience.Value = "https://sp.example.com"
		}), ErrAudience},
		{"no_audience", respond(func(a *saml.Assertion) { a.Conditions.AudienceRestrictions = nil }), ErrAudience},
		{"one_of_two_audience_restrictions", respond(func(a *saml.Assertion) {
			a.Conditions.AudienceRestrictions = append(a.Conditions.AudienceRestrictions, saml.AudienceRestriction{Audience: saml.Audience{Value: "https://sp.example.com"}})
		}), ErrAudience},
		{"another_recipient", respond(func(a *saml.Assertion) { confirmation(a).Recipient = "https://sp.example.com/acs" }), ErrRecipient},
		{"recipient_with_more", respond(func(a *saml.Assertion) { confirmation(a).Recipient = recipient + ".evil.example.com" }), ErrRecipient},
		{"no_recipient", respond(func(a *saml.Assertion) { confirmation(a).Recipient = "" }), ErrRecipient},
		{"another_issuer", respond(func(a *saml.Assertion) { a.Issuer.Value = "https://other.example.com" }), ErrIssuer},
		{"conditions_expired", respond(func(a *saml.Assertion) { a.Conditions.NotOnOrAfter = ago(saml.MaxClockSkew + time.Second) }), ErrExpired},
		{"confirmation_expired", respond(func(a *saml.Assertion) { confirmation(a).NotOnOrAfter = ago(saml.MaxClockSkew + time.Second) }), ErrExpired},
		{"confirmation_without_end", respond(func(a *saml.Assertion) { confirmation(a).NotOnOrAfter = time.Time{} }), ErrExpired},
		{"not_yet", respond(func(a *saml.Assertion) { a.Conditions.NotBefore = ago(-time.Hour) }), ErrNotYet},
		{"issued_in_the_future", respond(func(a *saml.Assertion) { a.IssueInstant = ago(-time.Hour) }), ErrNotYet},
		{"issued_too_long_ago", respond(func(a *saml.Assertion) { a.IssueInstant = ago(redeemTime + time.Minute) }), ErrExpired},
		{"no_subject", respond(func(a *saml.Assertion) { a.Subject = nil }), ErrIncomplete},
		{"no_name", respond(func(a *saml.Assertion) { a.Subject.NameID.Value = "" }), ErrIncomplete},
		{"no_conditions", respond(func(a *saml.Assertion) { a.Conditions = nil }), ErrIncomplete},
		{"no_login", respond(func(a *saml.Assertion) { a.AuthnStatements = nil }), ErrIncomplete},
		{"not_for_its_bearer", respond(func(a *saml.Assertion) {
			a.Subject.SubjectConfirmations[0].Method = "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
		}), ErrIncomplete},
		{"login_failed", encode(t, failed), ErrStatus},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Verify(c.response, forUs)
			if !errors.Is(err, c.want) || got != nil {
				t.Errorf("got %+v, %v; want %v", got, err, c.want)
			}
		})
	}
	answering := forUs
	answering.Requests = []string{"id-ours"}
	if _, err := p.Verify(b64(good), answering); !errors.Is(err, ErrRequest) {
		t.Errorf("a response to no request of ours: %v", err)
	}
}

// cutOut takes what stands from one mark to the end of the next out of s.
func cutOut(s, from, to string) string {
	i := strings.Index(s, from)
	if to == "" {
		j := i + len(from)
		return s[:j] + s[j+strings.Index(s[j:], "<"):]
	}
	return s[:i] + s[strings.Index(s, to)+len(to):]
}

// Signature wrapping: a signed assertion is there, and one that nobody has signed
// stands where a careless reader would look. Somorovsky and others, "On Breaking
// SAML: Be Whoever You Want to Be" (2012).
func TestWrappedAssertionsAreNotBelieved(t *testing.T) {
	signer, p := newIdP(t)
	forged := func(id string) *etree.Element {
		a := signer.Login("admin", audience, recipient, nil)
		if id != "" {
			a.ID = id
		}
		return a.Element()
	}
	for _, c := range []struct {
		name string
		wrap func(good *etree.Element) *etree.Element
	}{
		{"forged_beside_the_signed_first", func(good *etree.Element) *etree.Element {
			r := signer.Envelope(forged(""))
			r.AddChild(good)
			return r
		}},
		{"forged_beside_the_signed_last", func(good *etree.Element) *etree.Element {
			r := signer.Envelope(good)
			r.AddChild(forged(""))
			return r
		}},
		{"same_id_twice", func(good *etree.Element) *etree.Element {
			r := signer.Envelope(forged(good.SelectAttrValue("ID", "")))
			r.AddChild(good)
			return r
		}},
		{"signed_within_the_forged", func(good *etree.Element) *etree.Element {
			f := forged("")
			f.AddChild(good)
			return signer.Envelope(f)
		}},
		{"signature_moved_to_the_forged", func(good *etree.Element) *etree.Element {
			f, s := forged(""), good.FindElement("./Signature")
			good.RemoveChild(s)
			f.InsertChildAt(1, s)
			r := signer.Envelope(f)
			r.AddChild(good)
			return r
		}},
		{"signed_within_the_forged_one's_signature", func(good *etree.Element) *etree.Element {
			f, s := forged(""), good.FindElement("./Signature")
			good.RemoveChild(s)
			object := etree.NewElement("ds:Object")
			object.AddChild(good)
			s.AddChild(object)
			f.InsertChildAt(1, s)
			return signer.Envelope(f)
		}},
		{"signed_within_an_extension", func(good *etree.Element) *etree.Element {
			r := signer.Envelope(forged(""))
			x := etree.NewElement("samlp:Extensions")
			x.AddChild(good)
			r.InsertChildAt(1, x)
			return r
		}},
		{"forged_within_the_signed", func(good *etree.Element) *etree.Element {
			good.AddChild(forged(""))
			return signer.Envelope(good)
		}},
		{"forged_as_the_root", func(good *etree.Element) *etree.Element {
			f := forged("")
			f.AddChild(signer.Envelope(good))
			return f
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := p.Verify(encode(t, c.wrap(signed(t, signer, login(signer).Element()))), forUs)
			if err == nil {
				t.Errorf("believed: %+v", got)
			}
		})
	}
}

// A comment in a name does not end it: "alice@example.com<!---->.evil.com" is not alice.
func TestCommentsDoNotCutNames(t *testing.T) {
	signer, p := newIdP(t)
	a := signer.Login("alice@example.com.evil.com", audience, recipient, map[string][]string{"team": {"blueish"}})
	text := plainText(t, encode(t, signer.Envelope(signed(t, signer, a.Element()))))
	text = strings.Replace(text, "example.com.evil", "example.com<!---->.evil", 1)
	text = strings.Replace(text, ">blueish<", ">blue<!-- -->ish<", 1)
	got, err := p.Verify(b64(text), forUs)
	if err == nil && (got.Subject != "alice@example.com.evil.com" || got.Attributes["team"][0] != "blueish") {
		t.Errorf("read as %+v", got)
	}
}

// A response can be shown again for as long as Until says, by when who remembers
// its id may forget it.
func TestTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signer, p := newIdP(t)
		response, err := signer.Respond(login(signer))
		if err != nil {
			t.Fatal(err)
		}
		first, err := p.Verify(response, forUs)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Until(first.Until))
		if again, err := p.Verify(response, forUs); err != nil || again.ID != first.ID {
			t.Errorf("in the last instant: %+v, %v", again, err)
		}
		time.Sleep(time.Second)
		if _, err := p.Verify(response, forUs); !errors.Is(err, ErrExpired) {
			t.Errorf("afterwards: %v", err)
		}
	})
}

func TestMetadata(t *testing.T) {
	signer, _ := newIdP(t)
	good := signer.Metadata()
	for name, text := range map[string]string{
		"empty": "", "no_xml": "hello", "another_document": "<a/>",
		"external_entity":  `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + good,
		"no_certificate":   strings.Replace(good, `use="signing"`, `use="encryption"`, 1),
		"no_name":          strings.Replace(good, signer.EntityID, "", 1),
		"service_provider": strings.ReplaceAll(good, "IDPSSODescriptor", "SPSSODescriptor"),
		"too_long":         good + strings.Repeat(" ", MaxMetadata),
	} {
		if _, err := Parse(text); !errors.Is(err, ErrMetadata) {
			t.Errorf("%s: %v", name, err)
		}
	}
	expired, err := Parse(strings.Replace(good, "entityID", `validUntil="2001-01-01T00:00:00Z" entityID`, 1))
	if err != nil || expired.ValidUntil().Year() != 2001 {
		t.Fatal(err)
	}
	response, err := signer.Respond(login(signer))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := expired.Verify(response, forUs); err == nil {
		t.Error("metadata that has expired is believed")
	}
}

func FuzzResponse(f *testing.F) {
	signer, p := newIdP(f)
	good, err := signer.Respond(login(signer))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plainText(f, good))
	f.Add("<Response/>")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := p.Verify(b64(text), forUs)
		if err == nil && (got.Subject != "alice" || got.Attributes["team"][0] != "blue") {
			t.Errorf("%q is believed: %+v", text, got)
		}
	})
}

// The recipient that is told is the one that was checked, not one of another
// confirmation.
func TestRecipientIsTheOneThatWasChecked(t *testing.T) {
	signer, p := newIdP(t)
	a := login(signer)
	a.Subject.SubjectConfirmations = append([]saml.SubjectConfirmation{{
		Method: "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches", SubjectConfirmationData: &saml.SubjectConfirmationData{Recipient: "https://elsewhere.example.com/"},
	}}, a.Subject.SubjectConfirmations...)
	got, err := p.Verify(encode(t, signer.Envelope(signed(t, signer, a.Element()))), forUs)
	if err != nil || got.Recipient != recipient {
		t.Errorf("%+v, %v", got, err)
	}
}
