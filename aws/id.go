package aws

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

const base32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

// UniqueID returns an id such as AIDAJQABLZS4A3QDU576Q: a prefix for its kind and
// 17 characters. IAM User Guide, "IAM identifiers", "Unique identifiers".
func UniqueID(prefix string) string { return prefix + letters(17) }

// letters returns n random characters of base 32.
func letters(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the program first
	for i := range b {
		b[i] = base32[b[i]&31]
	}
	return string(b)
}

// AccessKeyID returns the id of an access key. Like AWS's, it tells the account to
// tools that decode it: the first 48 bits of its base 32 are a one and the
// account number; the rest is random.
func AccessKeyID(prefix string, account Account) string {
	n, err := strconv.ParseUint(string(account), 10, 40)
	if err != nil {
		return prefix + letters(16)
	}
	bits := (1<<47|n<<7)<<2 | randomBits(9) // ten characters carry fifty bits
	text := make([]byte, 0, 10)
	for shift := 45; shift >= 0; shift -= 5 {
		text = append(text, base32[bits>>shift&31])
	}
	return prefix + string(text) + letters(6)
}

// AccountOf returns the account that an access key's id tells.
func AccountOf(accessKeyID string) (Account, bool) {
	if len(accessKeyID) != 20 {
		return "", false
	}
	var bits uint64
	for _, c := range accessKeyID[4:14] {
		i := strings.IndexRune(base32, c)
		if i < 0 {
			return "", false
		}
		bits = bits<<5 | uint64(i)
	}
	if bits>>49 != 1 {
		return "", false
	}
	n := bits >> 9 & (1<<40 - 1)
	return Account(fmt.Sprintf("%012d", n)), n < 1e12
}

// randomBits returns a random number below 2 to the n, n at most 16.
func randomBits(n int) uint64 {
	var b [2]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program first
	return (uint64(b[0])<<8 | uint64(b[1])) & (1<<n - 1)
}

// SecretKey returns a secret access key: 40 characters of base 64, 240 random bits.
func SecretKey() string {
	b := make([]byte, 30)
	_, _ = rand.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}
