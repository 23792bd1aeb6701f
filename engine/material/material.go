// Package material makes, reads and uses the key material of every kind of KMS key.
package material

import "errors"

// A Spec is a kind of key, in the words of KMS's KeySpec: "SYMMETRIC_DEFAULT",
// "RSA_2048", "ECC_NIST_P256", "HMAC_256", "ML_DSA_44" …
type Spec string

// ErrSpec says that there are no keys of a spec here, such as SM2.
var ErrSpec = errors.New("material: keys of this spec cannot be made here")
