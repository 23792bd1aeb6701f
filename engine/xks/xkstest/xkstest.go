// Package xkstest is a small external key store proxy that really encrypts, for tests.
package xkstest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A Proxy speaks version 1 of the External Key Store Proxy API. It keeps its keys in
// memory, and is safe for concurrent use.
type Proxy struct {
	Path string // "/kms/xks/v1"

	// Authentic checks the signature of a request and its body.
	Authentic func(r *http.Request, body []byte) bool

	Delay time.Duration // before each answer; set before the proxy serves

	mu     sync.Mutex
	keys   map[string]*Key
	seen   []Seen
	refuse func(operation string) string
	wrong  bool
}

// A Key is one of the proxy's.
type Key struct {
	Spec   string
	Usage  []string
	Status string
	secret [32]byte
}

// Seen is one request that was authentic.
type Seen struct {
	Operation string // "health", "metadata", "encrypt", "decrypt"
	Key       string
	Request   map[string]string // requestMetadata
	Plain     []byte            // of encrypt: what the key manager gets to see
}

// Add makes a key under an id.
func (p *Proxy) Add(id string) *Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.keys == nil {
		p.keys = map[string]*Key{}
	}
	k := &Key{Spec: "AES_256", Usage: []string{"ENCRYPT", "DECRYPT"}, Status: "ENABLED"}
	rand.Read(k.secret[:]) // never fails
	p.keys[id] = k
	return k
}

// Set changes a key's status.
func (p *Proxy) Set(id, status string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys[id].Status = status
}

// Refuse has operations answered by the errors that f names.
func (p *Proxy) Refuse(f func(operation string) string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse = f
}

// Break has the proxy answer with wrong integrity values, or not.
func (p *Proxy) Break(broken bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wrong = broken
}

// Seen returns the authentic requests so far.
func (p *Proxy) Seen() []Seen {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

var statuses = map[string]int{
	"AuthenticationFailedException": 401, "AccessDeniedException": 403, "KeyNotFoundException": 404, "InvalidUriPathException": 404,
	"ThrottlingException": 429, "UnsupportedOperationException": 501, "DependencyTimeoutException": 503, "InternalException": 500,
}

func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(p.Delay)
	if r.Method != http.MethodPost {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	out, refusal := p.serve(r)
	w.Header().Set("Content-Type", "application/json")
	if refusal != "" {
		status := statuses[refusal]
		if status == 0 {
			status = http.StatusBadRequest
		}
		w.WriteHeader(status)
		out = map[string]string{"errorName": refusal}
	}
	json.NewEncoder(w).Encode(out) // whoever asked may be gone
}

type request struct {
	Meta       map[string]string `json:"requestMetadata"`
	AAD        []byte            `json:"additionalAuthenticatedData"`
	Plain      []byte            `json:"plaintext"`
	Algorithm  string            `json:"encryptionAlgorithm"`
	Integrity  string            `json:"ciphertextDataIntegrityValueAlgorithm"`
	Ciphertext []byte            `json:"ciphertext"`
	Metadata   []byte            `json:"ciphertextMetadata"`
	IV         []byte            `json:"initializationVector"`
	Tag        []byte            `json:"authenticationTag"`
}

func (p *Proxy) serve(r *http.Request) (out any, refusal string) {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, 64<<10))
	if err != nil {
		return nil, "ValidationException"
	}
	rest, under := strings.CutPrefix(r.URL.Path, p.Path)
	if !under {
		return nil, "InvalidUriPathException"
	}
	if p.Authentic != nil && !p.Authentic(r, body) {
		return nil, "AuthenticationFailedException"
	}
	var in request
	if json.Unmarshal(body, &in) != nil || in.Meta["kmsOperation"] == "" || in.Meta["kmsRequestId"] == "" {
		return nil, "ValidationException"
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	operation, id := strings.TrimPrefix(rest, "/"), ""
	if path := strings.Split(rest, "/"); len(path) == 4 && path[1] == "keys" {
		id, operation = path[2], path[3]
	}
	p.seen = append(p.seen, Seen{operation, id, in.Meta, in.Plain})
	if p.refuse != nil {
		if name := p.refuse(operation); name != "" {
			return nil, name
		}
	}
	if operation == "health" {
		return map[string]any{
			"xksProxyFleetSize": 1, "xksProxyVendor": "Sumun", "xksProxyModel": "xkstest", "ekmVendor": "Sumun",
			"ekmFleetDetails": []map[string]string{{"id": "memory", "model": "xkstest", "healthStatus": "ACTIVE"}},
		}, ""
	}
	k := p.keys[id]
	switch {
	case k == nil:
		return nil, "KeyNotFoundException"
	case operation == "metadata":
		return map[string]any{"keySpec": k.Spec, "keyUsage": k.Usage, "keyStatus": k.Status}, ""
	case k.Status != "ENABLED":
		return nil, "InvalidStateException"
	case in.Algorithm != "AES_GCM" || in.Meta["kmsKeyArn"] == "" || in.Meta["awsPrincipalArn"] == "":
		return nil, "ValidationException"
	case operation == "encrypt":
		return p.encrypt(k, &in)
	case operation == "decrypt":
		return k.decrypt(&in)
	}
	return nil, "InvalidUriPathException"
}

func (p *Proxy) encrypt(k *Key, in *request) (any, string) {
	in.Metadata = []byte("version=1")
	gcm, err := k.gcm()
	if err != nil {
		return nil, "InternalException"
	}
	iv := make([]byte, gcm.NonceSize())
	rand.Read(iv) // never fails
	sealed := gcm.Seal(nil, iv, in.Plain, in.bound())
	text, tag := sealed[:len(in.Plain)], sealed[len(in.Plain):]
	sum := sha256.Sum256(slices.Concat(in.AAD, in.Metadata, iv, text, tag))
	if p.wrong {
		sum[0] ^= 1
	}
	return map[string][]byte{"ciphertext": text, "ciphertextMetadata": in.Metadata, "initializationVector": iv, "authenticationTag": tag, "ciphertextDataIntegrityValue": sum[:]}, ""
}

func (k *Key) decrypt(in *request) (any, string) {
	gcm, err := k.gcm()
	if err != nil || len(in.IV) != gcm.NonceSize() {
		return nil, "InvalidCiphertextException"
	}
	plain, err := gcm.Open(nil, in.IV, slices.Concat(in.Ciphertext, in.Tag), in.bound())
	if err != nil {
		return nil, "InvalidCiphertextException"
	}
	return map[string][]byte{"plaintext": plain}, ""
}

func (k *Key) gcm() (cipher.AEAD, error) {
	block, err := aes.NewCipher(k.secret[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// bound is what a ciphertext is authenticated with, lengths and all: specification,
// "Encrypt", ciphertextMetadata.
func (in *request) bound() []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(in.AAD)))
	b = append(b, in.AAD...)
	return append(append(b, byte(len(in.Metadata))), in.Metadata...)
}
