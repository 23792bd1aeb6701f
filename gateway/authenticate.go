package gateway

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"strings"

	"sumun.dev/aws"
	"sumun.dev/gateway/sigv4"
)

// authenticate proves who signed the request. Its errors do not tell whether a
// key exists.
func (g *Gateway) authenticate(v *visit) error {
	if err := g.inTouch(); err != nil {
		return err
	}
	if v.signature == nil {
		return g.anonymous(v)
	}
	s, about := v.signature, v.match.Operation.About()
	if err := s.CheckScope(about.Service.SigningName, regionOfHost(v, about.Service.Global)); err != nil {
		return err
	}
	if !aws.KnownRegion(aws.Region(s.Region)) {
		return &sigv4.Error{Reason: sigv4.WrongScope, InQuery: s.Presigned(), Message: "Credential should be scoped to a valid region, not '" + s.Region + "'."}
	}
	credential, err := g.Identities.Credential(v.ctx, s.KeyID, s.Token)
	if err != nil {
		return wrongCredential(err)
	}
	var hash *[sha256.Size]byte
	if departures(s.Service)&sigv4.DeclaredPayload == 0 {
		sum := sha256.Sum256(v.request.Body)
		hash = &sum
	}
	if err := g.verifier.Verify(s, string(credential.Secret), hash, v.began); err != nil {
		return err
	}
	if hash == nil {
		body, err := s.Body(bytes.NewReader(v.request.Body))
		if err != nil {
			return err
		}
		if v.request.Body, err = io.ReadAll(body); err != nil {
			return err
		}
	}
	v.call = &aws.Call{Principal: credential.Principal}
	return nil
}

// inTouch refuses calls while this node may not have heard that a key, a user or a
// policy is no longer what it remembers.
func (g *Gateway) inTouch() error {
	if g.Store.InTouch() != nil {
		return unavailable("This node has lost touch with the others. Please try again.")
	}
	return nil
}

// anonymous lets in who has not signed, where the model says that nobody has to.
func (g *Gateway) anonymous(v *visit) error {
	if !isUnsigned(v.unsigned) || !v.match.Operation.About().NoAuth {
		return v.unsigned
	}
	v.call = &aws.Call{Principal: &aws.Principal{}}
	return nil
}

// wrongCredential says in the protocol's words what Identities has found.
func wrongCredential(err error) error {
	var e *aws.Error
	switch {
	case !errors.As(err, &e):
		return err // our fault, not the caller's
	case strings.HasPrefix(e.Code, "ExpiredToken"):
		return sigv4.Refuse(sigv4.ExpiredToken)
	}
	return sigv4.Refuse(sigv4.UnknownKey)
}

// regionOfHost returns the region that the host names (kms.eu-central-1.…), which
// the signature must then name too. Services without regions are signed for any.
func regionOfHost(v *visit, global bool) string {
	if global {
		return ""
	}
	host, _, _ := strings.Cut(v.request.Host, ":")
	for label := range strings.SplitSeq(host, ".") {
		if strings.IndexByte(label, '-') > 0 && aws.KnownRegion(aws.Region(label)) {
			return label
		}
	}
	return ""
}

// verified reports whether the caller has proven who it is: only then is the
// call recorded, as in AWS.
func (v *visit) verified() bool {
	return v.call != nil && (v.signature != nil || v.deed.call != nil && !v.deed.call.Principal.IsZero())
}
