package iam

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"

	"sumun.dev/api/iamapi"
)

// chainMost bounds the certificates of a chain.
const chainMost = 10

// certificates reads a text of certificates in PEM, one after the other.
func certificates(text string) ([]*x509.Certificate, error) {
	malformed := iamapi.MalformedCertificateException.New("Unable to parse certificate. Please ensure the certificate is in PEM format.")
	var all []*x509.Certificate
	rest := []byte(strings.TrimSpace(text))
	for len(rest) > 0 {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" || len(all) == chainMost {
			return nil, malformed
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, malformed
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, malformed
	}
	return all, nil
}

// oneCertificate reads a certificate in PEM, which stands alone.
func oneCertificate(text string) (*x509.Certificate, error) {
	all, err := certificates(text)
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return nil, iamapi.MalformedCertificateException.New("Certificate body contains more than one certificate.")
	}
	return all[0], nil
}

// paired checks that the private key is the certificate's.
func paired(certificate, key string) error {
	block, rest := pem.Decode([]byte(key))
	if block == nil || len(strings.TrimSpace(string(rest))) > 0 || !strings.HasSuffix(block.Type, "PRIVATE KEY") || block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return iamapi.MalformedCertificateException.New("Unable to parse private key. Please ensure the private key is in PEM format and not encrypted.")
	}
	if _, err := tls.X509KeyPair([]byte(certificate), []byte(key)); err != nil {
		return iamapi.KeyPairMismatchException.New("Key pair mismatch. The private key does not match the public key of the certificate.")
	}
	return nil
}

// chained checks that each certificate is signed by the next.
func chained(certificate *x509.Certificate, chain []*x509.Certificate) error {
	child := certificate
	for _, parent := range chain {
		if err := child.CheckSignatureFrom(parent); err != nil {
			return iamapi.MalformedCertificateException.New("Unable to validate certificate chain. The certificate chain must start with the immediate signing certificate, followed by any intermediaries in order. The index within the chain of the invalid certificate is: %d", indexOf(chain, parent))
		}
		child = parent
	}
	return nil
}

func indexOf(chain []*x509.Certificate, c *x509.Certificate) int {
	for i := range chain {
		if chain[i] == c {
			return i
		}
	}
	return -1
}
