// Package wycheproof reads Project Wycheproof's test vectors, for tests of what does cryptography.
package wycheproof

import (
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"
)

// vectors is where they lie, seen from the packages two folders deep whose tests read them.
const vectors = "../../../shared/data/wycheproof/"

// A Group is what those tests want of any of Wycheproof's test groups.
type Group struct {
	KeySize, TagSize int
	SLen             int    `json:"sLen"`
	Private          Octets `json:"privateKeyPkcs8"`
	PublicKeyDer     Octets
	PublicKey        json.RawMessage
	Tests            []Vector
}

// A Vector is one test.
type Vector struct {
	ID      int `json:"tcId"`
	Comment string
	Flags   []string
	Result  string // "valid", "acceptable" or "invalid"

	Key, Msg, Ct, Tag, Sig, Label, Ctx Octets
	Public, Private, Shared            Octets
}

// Octets are written in hexadecimal digits.
type Octets []byte

// UnmarshalText reads the digits.
func (o *Octets) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	*o = b
	return err
}

// Read returns the groups of a file, "hmac_sha256" for one, and skips the test when
// it is not there.
func Read(t testing.TB, name string) []Group {
	t.Helper()
	f, err := os.Open(vectors + name + "_test.json.gz")
	if err != nil {
		t.Skip("the vectors of Wycheproof are not there: " + err.Error())
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var suite struct{ TestGroups []Group }
	if err := json.NewDecoder(z).Decode(&suite); err != nil {
		t.Fatal(err)
	}
	return suite.TestGroups
}
