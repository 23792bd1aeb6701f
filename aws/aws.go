// Package aws is the vocabulary every other package speaks: accounts, regions,
// ARNs, who is calling, and what went wrong. It imports only the standard library.
package aws

import (
	"fmt"
	"strings"
)

// An Account is a twelve-digit account number.
type Account string

// ParseAccount reads a twelve-digit account number.
func ParseAccount(s string) (Account, error) {
	if len(s) != 12 || strings.Trim(s, "0123456789") != "" {
		return "", fmt.Errorf("%q is not an account number: twelve digits are", s)
	}
	return Account(s), nil
}

// A Region is a place such as eu-central-1.
type Region string

// An ARN names one resource. Its parts are comparable, so an ARN can be a map key.
type ARN struct {
	Partition, Service string
	Region             Region
	Account            Account
	Resource           string
}

// ParseARN reads "arn:aws:kms:eu-central-1:111122223333:key/1234".
func ParseARN(s string) (ARN, error) {
	var p [6]string // a call reads several: nothing is allocated
	rest, whole := s, true
	for i := range p[:5] {
		var found bool
		p[i], rest, found = strings.Cut(rest, ":")
		whole = whole && found
	}
	p[5] = rest
	if !whole || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, fmt.Errorf("%q is not an ARN", s)
	}
	return ARN{p[1], p[2], Region(p[3]), Account(p[4]), p[5]}, nil
}

func (a ARN) String() string {
	if a == (ARN{}) {
		return ""
	}
	return "arn:" + a.Partition + ":" + a.Service + ":" + string(a.Region) + ":" + string(a.Account) + ":" + a.Resource
}

// IsZero reports whether a names nothing.
func (a ARN) IsZero() bool { return a == ARN{} }
