package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Credentials are what a client signs with.
type Credentials struct {
	KeyID, Secret string
	Token         string // of a session; empty for a long-term key
}

// Format keeps secrets out of logs, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.KeyID) }

// A Scope is where a signature holds.
type Scope struct {
	Region  string
	Service string // the signing name
}

// Sign signs r with an Authorization header, for a body that the caller has set.
// payload is the body, whose hash is signed; under DeclaredPayload a caller may
// set x-amz-content-sha256 itself. It replaces a signature that r carries.
func Sign(r *http.Request, payload []byte, c Credentials, in Scope, rules Rules, at time.Time) {
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Date", at.UTC().Format(basicFormat))
	if c.Token != "" {
		r.Header.Set("X-Amz-Security-Token", c.Token)
	}
	sum := sha256.Sum256(payload)
	hash := hex.EncodeToString(sum[:])
	if rules&DeclaredPayload != 0 {
		if declared := r.Header.Get("X-Amz-Content-Sha256"); declared != "" {
			hash = declared
		}
		r.Header.Set("X-Amz-Content-Sha256", hash)
	}
	s := outgoing(r, c, in, rules, at)
	signature, _ := s.compute(c.Secret, hash)
	r.Header.Set("Authorization", Algorithm+" Credential="+c.KeyID+"/"+string(s.appendScope(nil))+
		", SignedHeaders="+s.signed+", Signature="+signature)
}

// Presign signs r in its query, to hold for expires. The headers that r has must
// be sent with it; outside DeclaredPayload, so must the payload.
func Presign(r *http.Request, payload []byte, c Credentials, in Scope, rules Rules, at time.Time, expires time.Duration) error {
	if expires < 0 || expires > longest*time.Second {
		return errors.New("sigv4: a presigned request holds for at most seven days")
	}
	s := outgoing(r, c, in, rules, at)
	s.presigned = true
	q := r.URL.RawQuery
	add := func(name, value string) {
		if q != "" {
			q += "&"
		}
		q += name + "=" + strings.ReplaceAll(url.QueryEscape(value), "+", "%20")
	}
	add(queryAlgorithm, Algorithm)
	add(queryCredential, c.KeyID+"/"+string(s.appendScope(nil)))
	add(queryDate, s.stamp)
	add(queryExpires, fmt.Sprint(int(expires/time.Second)))
	if c.Token != "" {
		add(queryToken, c.Token)
	}
	add(queryHeaders, s.signed)
	s.request.Query = q
	hash := UnsignedPayload
	if rules&DeclaredPayload == 0 {
		sum := sha256.Sum256(payload)
		hash = hex.EncodeToString(sum[:])
	}
	signature, _ := s.compute(c.Secret, hash)
	add(querySignature, signature)
	r.URL.RawQuery = q
	return nil
}

// notSigned are the headers that clients and proxies may change on the way.
var notSigned = [...]string{"authorization", "connection", "expect", "transfer-encoding", "user-agent", "x-amzn-trace-id"}

// outgoing prepares the signature of a request that a client is about to send.
func outgoing(r *http.Request, c Credentials, in Scope, rules Rules, at time.Time) *Signature {
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	names := []string{"host"}
	for name := range r.Header {
		if name = strings.ToLower(name); !slices.Contains(notSigned[:], name) && name != "host" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	at = at.UTC()
	return &Signature{
		KeyID: c.KeyID, Date: at.Format("20060102"), Region: in.Region, Service: in.Service, Token: c.Token,
		Time: at, stamp: at.Format(basicFormat), rules: rules, signed: strings.Join(names, ";"),
		request: &Request{Method: r.Method, Path: path, Query: r.URL.RawQuery, Host: host, Header: r.Header},
	}
}

// compute returns the signature; it reports false when a signed header is missing.
func (s *Signature) compute(secret, payload string) (string, bool) {
	var room scratch
	if !room.canonical(s, payload) {
		return "", false
	}
	sum := sha256.Sum256(room.text)
	var digits [2 * sha256.Size]byte
	derive(keyName{secret, s.Date, s.Region, s.Service}).sign(digits[:], s.appendStringToSign(nil, sum))
	return string(digits[:]), true
}
