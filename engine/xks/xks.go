// Package xks uses keys that an external key manager keeps, through its proxy.
//
// Read xks.go (the four operations), proxy.go (one signed request), failure.go (what
// can go wrong). AWS KMS External Key Store Proxy API Specification, version 1.
package xks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"net"
	"net/http"
	"slices"
	"time"

	"sumun.dev/engine/reach"
)

// A Proxy is where an external key store's proxy is and how it is signed to.
type Proxy struct {
	Endpoint      string // "https://xks.example.com"
	Path          string // "/prefix/kms/xks/v1"
	KeyID, Secret string
	Region        string // of the caller, which the signature's scope names
}

// A Request is what the proxy is told of the call on whose behalf it is asked.
type Request struct {
	Principal string `json:"awsPrincipalArn,omitempty"`
	Key       string `json:"kmsKeyArn,omitempty"`
	Operation string `json:"kmsOperation"`
	ID        string `json:"kmsRequestId"`
	Via       string `json:"kmsViaService,omitempty"` // "ebs"
}

// Options are a client's. The zero Options reach public addresses only, by the
// system's authorities.
type Options struct {
	Roots    *x509.CertPool // authorities of the proxies' certificates; nil: the system's
	Networks reach.Networks // addresses beyond the public ones where proxies may be
	Timeout  time.Duration  // of one request; 0: 250 ms, as in AWS

	// Dial, when set, makes the connections, and answers for where they lead.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Client asks proxies. It is safe for concurrent use and keeps connections open.
type Client struct {
	options Options
	http    *http.Client
}

// Bounds of what a proxy must take, and of what it may answer.
const (
	MaxPlaintext = 4300 // bytes
	maxAAD       = 8192
	maxMetadata  = 20
	maxAnswer    = 64 << 10
	maxManagers  = 10
	maxUsages    = 10
	tagSize      = 16
)

type envelope struct {
	Request Request `json:"requestMetadata"`
}

// Health is nil when the proxy answers as it should and at least one key manager
// behind it can serve. GetHealthStatus.
func (c *Client) Health(ctx context.Context, p Proxy, r Request) error {
	r.Principal, r.Key, r.Via = "", "", ""
	var answer struct {
		FleetSize   int    `json:"xksProxyFleetSize"`
		Vendor      string `json:"xksProxyVendor"`
		Model       string `json:"xksProxyModel"`
		ManagerMake string `json:"ekmVendor"`
		Managers    []struct {
			ID     string `json:"id"`
			Model  string `json:"model"`
			Status string `json:"healthStatus"`
		} `json:"ekmFleetDetails"`
	}
	if err := c.ask(ctx, p, "/health", envelope{r}, &answer); err != nil {
		return err
	}
	if answer.FleetSize < 1 || answer.Vendor == "" || answer.Model == "" || answer.ManagerMake == "" || len(answer.Managers) == 0 || len(answer.Managers) > maxManagers {
		return malformed("its health lacks what it must have")
	}
	serving := false
	for _, m := range answer.Managers {
		switch m.Status {
		case "ACTIVE", "DEGRADED":
			serving = true
		case "UNAVAILABLE":
		default:
			return malformed("no health is called so")
		}
	}
	if !serving {
		return &Failure{Kind: Unavailable}
	}
	return nil
}

// A Key is what a proxy says of an external key.
type Key struct {
	Spec   string   `json:"keySpec"`
	Usage  []string `json:"keyUsage"`
	Status string   `json:"keyStatus"`
}

// Usable reports whether a KMS key can stand on the external key: it is an enabled
// AES key of 256 bits that encrypts and decrypts.
func (k *Key) Usable() bool {
	return k.Spec == "AES_256" && k.Status == "ENABLED" && slices.Contains(k.Usage, "ENCRYPT") && slices.Contains(k.Usage, "DECRYPT")
}

// Metadata describes an external key. GetKeyMetadata.
func (c *Client) Metadata(ctx context.Context, p Proxy, id string, r Request) (*Key, error) {
	var k Key
	if err := c.ask(ctx, p, "/keys/"+id+"/metadata", envelope{r}, &k); err != nil {
		return nil, err
	}
	if k.Spec == "" || k.Status == "" || len(k.Usage) == 0 || len(k.Usage) > maxUsages {
		return nil, malformed("a key's metadata lacks what it must have")
	}
	return &k, nil
}

// Encrypt has plain, of at most MaxPlaintext bytes, encrypted under an external key
// and bound to aad. The proxy's answer must prove itself whole: what could not be
// decrypted again is not handed out.
func (c *Client) Encrypt(ctx context.Context, p Proxy, id string, r Request, plain, aad []byte) ([]byte, error) {
	aad = short(aad)
	ask := struct {
		envelope
		AAD       []byte `json:"additionalAuthenticatedData,omitempty"`
		Plain     []byte `json:"plaintext"`
		Algorithm string `json:"encryptionAlgorithm"`
		Integrity string `json:"ciphertextDataIntegrityValueAlgorithm"`
	}{envelope{r}, aad, plain, "AES_GCM", "SHA_256"}
	var answer struct {
		parts
		Integrity []byte `json:"ciphertextDataIntegrityValue"`
	}
	if err := c.ask(ctx, p, "/keys/"+id+"/encrypt", ask, &answer); err != nil {
		return nil, err
	}
	if len(answer.Ciphertext) != len(plain) || !answer.whole() {
		return nil, malformed("a ciphertext lacks what it must have")
	}
	sum := sha256.Sum256(slices.Concat(aad, answer.Metadata, answer.IV, answer.Ciphertext, answer.Tag))
	if subtle.ConstantTimeCompare(sum[:], answer.Integrity) != 1 {
		return nil, &Failure{Kind: Corrupt}
	}
	return answer.join(), nil
}

// Decrypt has what Encrypt returned decrypted. A Failure of the kind
// InvalidCiphertext says that sealed, or aad, is not what it was.
func (c *Client) Decrypt(ctx context.Context, p Proxy, id string, r Request, sealed, aad []byte) ([]byte, error) {
	taken, ok := split(sealed)
	if !ok {
		return nil, &Failure{Kind: InvalidCiphertext}
	}
	ask := struct {
		envelope
		AAD []byte `json:"additionalAuthenticatedData,omitempty"`
		parts
		Algorithm string `json:"encryptionAlgorithm"`
	}{envelope{r}, short(aad), taken, "AES_GCM"}
	var answer struct {
		Plain []byte `json:"plaintext"`
	}
	if err := c.ask(ctx, p, "/keys/"+id+"/decrypt", ask, &answer); err != nil {
		return nil, err
	}
	if len(answer.Plain) != len(taken.Ciphertext) {
		return nil, malformed("a plaintext is not as long as its ciphertext")
	}
	return answer.Plain, nil
}

// short is associated data that every proxy takes: what is longer goes as its hash.
func short(aad []byte) []byte {
	if len(aad) <= maxAAD {
		return aad
	}
	sum := sha256.Sum256(aad)
	return sum[:]
}

// parts is a ciphertext as a proxy takes it apart.
type parts struct {
	Ciphertext []byte `json:"ciphertext"`
	Metadata   []byte `json:"ciphertextMetadata,omitempty"`
	IV         []byte `json:"initializationVector"`
	Tag        []byte `json:"authenticationTag"`
}

func (x *parts) whole() bool {
	return (len(x.IV) == 12 || len(x.IV) == 16) && len(x.Tag) == tagSize && len(x.Metadata) <= maxMetadata
}

// join writes the parts as one: form (1) · length of the vector (1) · vector ·
// tag · length of the metadata (1) · metadata · ciphertext.
func (x *parts) join() []byte {
	return slices.Concat([]byte{1, byte(len(x.IV))}, x.IV, x.Tag, []byte{byte(len(x.Metadata))}, x.Metadata, x.Ciphertext)
}

// split reads what join wrote.
func split(b []byte) (x parts, ok bool) {
	if len(b) < 2 || b[0] != 1 {
		return parts{}, false
	}
	n := int(b[1])
	b = b[2:]
	if len(b) < n+tagSize+1 {
		return parts{}, false
	}
	x.IV, x.Tag, b = b[:n], b[n:n+tagSize], b[n+tagSize:]
	n = int(b[0])
	if b = b[1:]; len(b) < n {
		return parts{}, false
	}
	x.Metadata, x.Ciphertext = b[:n], bytes.Clone(b[n:])
	return x, x.whole() && len(x.Ciphertext) <= MaxPlaintext
}
