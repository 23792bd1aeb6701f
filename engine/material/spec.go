package material

import "slices"

// A Spec is a kind of key, in the words of KMS's KeySpec: "SYMMETRIC_DEFAULT",
// "RSA_2048", "ECC_NIST_P256", "HMAC_256", "ML_DSA_44" …
type Spec string

// The specs. SM2 is missing.
const (
	Symmetric Spec = "SYMMETRIC_DEFAULT"
	RSA2048   Spec = "RSA_2048"
	RSA3072   Spec = "RSA_3072"
	RSA4096   Spec = "RSA_4096"
	P256      Spec = "ECC_NIST_P256"
	P384      Spec = "ECC_NIST_P384"
	P521      Spec = "ECC_NIST_P521"
	Secp256k1 Spec = "ECC_SECG_P256K1"
	Ed25519   Spec = "ECC_NIST_EDWARDS25519"
	HMAC224   Spec = "HMAC_224"
	HMAC256   Spec = "HMAC_256"
	HMAC384   Spec = "HMAC_384"
	HMAC512   Spec = "HMAC_512"
	MLDSA44   Spec = "ML_DSA_44"
	MLDSA65   Spec = "ML_DSA_65"
	MLDSA87   Spec = "ML_DSA_87"
)

// A family is how the keys of a spec are made and read.
type family struct {
	generate func(Spec) ([]byte, error)
	parse    func(Spec, []byte) (form, error)
	pairs    bool // GenerateDataKeyPair makes them
	usages   []use
}

// A use is a KeyUsage, and the algorithms that keys have for it in the order in which
// DescribeKey lists them.
type use struct {
	usage      string
	algorithms []string
}

// KMS Developer Guide, "Key spec reference".
var (
	families = map[Spec]family{
		Symmetric: {generateSymmetric, parseSymmetric, false, []use{{encryptDecrypt, []string{"SYMMETRIC_DEFAULT"}}}},
		RSA2048:   {generateRSA, parseRSA, true, rsaUses},
		RSA3072:   {generateRSA, parseRSA, true, rsaUses},
		RSA4096:   {generateRSA, parseRSA, true, rsaUses},
		P256:      {generateNIST, parseNIST, true, nistUses("ECDSA_SHA_256")},
		P384:      {generateNIST, parseNIST, true, nistUses("ECDSA_SHA_384")},
		P521:      {generateNIST, parseNIST, true, nistUses("ECDSA_SHA_512")},
		Secp256k1: {generateSecp256k1, parseSecp256k1, true, []use{{signVerify, []string{"ECDSA_SHA_256"}}}},
		Ed25519:   {generateEd25519, parseEd25519, true, []use{{signVerify, []string{ed25519Pure, ed25519Prehashed}}}},
		HMAC224:   {generateHMAC, parseHMAC, false, []use{{generateVerifyMAC, []string{"HMAC_SHA_224"}}}},
		HMAC256:   {generateHMAC, parseHMAC, false, []use{{generateVerifyMAC, []string{"HMAC_SHA_256"}}}},
		HMAC384:   {generateHMAC, parseHMAC, false, []use{{generateVerifyMAC, []string{"HMAC_SHA_384"}}}},
		HMAC512:   {generateHMAC, parseHMAC, false, []use{{generateVerifyMAC, []string{"HMAC_SHA_512"}}}},
		MLDSA44:   {generateMLDSA, parseMLDSA, false, []use{{signVerify, []string{mldsaAlgorithm}}}},
		MLDSA65:   {generateMLDSA, parseMLDSA, false, []use{{signVerify, []string{mldsaAlgorithm}}}},
		MLDSA87:   {generateMLDSA, parseMLDSA, false, []use{{signVerify, []string{mldsaAlgorithm}}}},
	}
	rsaUses = []use{
		{encryptDecrypt, []string{"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"}},
		{signVerify, []string{
			"RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PKCS1_V1_5_SHA_384", "RSASSA_PKCS1_V1_5_SHA_512",
			"RSASSA_PSS_SHA_256", "RSASSA_PSS_SHA_384", "RSASSA_PSS_SHA_512",
		}},
	}
)

func nistUses(ecdsa string) []use {
	return []use{{signVerify, []string{ecdsa}}, {keyAgreement, []string{"ECDH"}}}
}

// The KeyUsages.
const (
	encryptDecrypt    = "ENCRYPT_DECRYPT"
	signVerify        = "SIGN_VERIFY"
	generateVerifyMAC = "GENERATE_VERIFY_MAC"
	keyAgreement      = "KEY_AGREEMENT"
)

// Usages returns the KeyUsages that keys of a spec may have, none when there is no
// such spec here.
func Usages(spec Spec) []string {
	var all []string
	for _, u := range families[spec].usages {
		all = append(all, u.usage)
	}
	return all
}

// Algorithms returns the algorithms of a spec for a KeyUsage, in DescribeKey's order;
// none when keys of the spec cannot have the usage.
func Algorithms(spec Spec, usage string) []string {
	for _, u := range families[spec].usages {
		if u.usage == usage {
			return slices.Clone(u.algorithms)
		}
	}
	return nil
}

// MaxPlaintext returns how many bytes Encrypt takes with a key of that spec and
// algorithm, 0 when they do not encrypt.
func MaxPlaintext(spec Spec, alg string) int {
	if !slices.Contains(Algorithms(spec, encryptDecrypt), alg) {
		return 0
	}
	if spec == Symmetric {
		return 4096
	}
	// RFC 8017, section 7.1.1.
	return rsaBits[spec]/8 - 2*oaepHash[alg].Size() - 2
}
