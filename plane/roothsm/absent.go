//go:build !pkcs11 || !cgo

package roothsm

// Open fails: PKCS #11 is not part of this build.
func Open(Settings) (*HSM, error) { return nil, ErrAbsent }
