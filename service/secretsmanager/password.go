package secretsmanager

import (
	"context"
	"crypto/rand"
	"math/big"
	"strings"

	api "sumun.dev/api/secretsmanagerapi"
)

// The types of characters. API Reference, "GetRandomPassword".
const (
	lower       = "abcdefghijklmnopqrstuvwxyz"
	upper       = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits      = "0123456789"
	punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
)

const (
	defaultLength = 32
	maxLength     = 4096
)

func getRandomPassword(_ context.Context, in *api.GetRandomPasswordRequest) (*api.GetRandomPasswordResponse, error) {
	length := defaultLength
	if in.PasswordLength != nil {
		length = int(*in.PasswordLength)
	}
	if length < 1 || length > maxLength {
		return nil, api.InvalidParameterException.New("PasswordLength must be between 1 and %d.", maxLength)
	}
	types := typesOf(in)
	if len(types) == 0 {
		return nil, api.InvalidParameterException.New("No characters are left to make a password of.")
	}
	each := in.RequireEachIncludedType == nil || *in.RequireEachIncludedType
	if each && length < len(types) {
		return nil, api.InvalidParameterException.New("Password length is too short based on the required types.")
	}
	made, err := password(length, types, each)
	if err != nil {
		return nil, err
	}
	return &api.GetRandomPasswordResponse{RandomPassword: &made}, nil
}

// typesOf returns the characters of each type that a request leaves in; types of
// which nothing is left are not among them.
func typesOf(in *api.GetRandomPasswordRequest) []string {
	var types []string
	for _, t := range []struct {
		without bool
		letters string
	}{
		{isTrue(in.ExcludeLowercase), lower}, {isTrue(in.ExcludeUppercase), upper}, {isTrue(in.ExcludeNumbers), digits},
		{isTrue(in.ExcludePunctuation), punctuation}, {!isTrue(in.IncludeSpace), " "},
	} {
		left := strings.Map(func(r rune) rune {
			if strings.ContainsRune(text(in.ExcludeCharacters), r) {
				return -1
			}
			return r
		}, t.letters)
		if !t.without && left != "" {
			types = append(types, left)
		}
	}
	return types
}

// password draws characters of the types, each as likely as any other; first one of
// each when all are required. Then it shuffles them.
func password(length int, types []string, each bool) (string, error) {
	all, made := strings.Join(types, ""), make([]byte, length)
	for i := range made {
		from := all
		if each && i < len(types) {
			from = types[i]
		}
		n, err := below(len(from))
		if err != nil {
			return "", err
		}
		made[i] = from[n]
	}
	for i := length - 1; i > 0; i-- {
		n, err := below(i + 1)
		if err != nil {
			return "", err
		}
		made[i], made[n] = made[n], made[i]
	}
	return string(made), nil
}

// below returns a random number from 0 to n-1, all alike.
func below(n int) (int, error) {
	r, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		return 0, err
	}
	return int(r.Int64()), nil
}
