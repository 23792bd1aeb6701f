package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"

	"sumun.dev/aws"
)

// RootKey says where the root keys come from.
type RootKey struct {
	KMS    RootKMS `yaml:"kms" doc:"A key of another KMS, of AWS's or of another plane's, under which the root keys are kept (docs/root-key.md). Without it they are given in SUMUN_ROOT_KEY, else kept in root.key in the data folder."`
	PKCS11 RootHSM `yaml:"pkcs11" doc:"A key of an HSM, under which the root keys are kept. Only for a program that was built with CGO_ENABLED=1 and -tags pkcs11, since PKCS #11 modules are C libraries."`
}

// RootHSM is a secret key of an HSM.
type RootHSM struct {
	Module  string `yaml:"module" doc:"Path of the PKCS #11 library."`
	Token   string `yaml:"token" doc:"Label of the token."`
	Key     string `yaml:"key" doc:"Label of an AES key that can encrypt and decrypt with GCM."`
	PINFile string `yaml:"pin-file" doc:"File, mode 0600, that holds the PIN of the token's user." default:"SUMUN_HSM_PIN"`
}

// RootKMS is a key of another KMS.
type RootKMS struct {
	Key          string   `yaml:"key" doc:"ARN, id or alias of a symmetric KMS key. Whoever starts the plane needs kms:Decrypt for it, and kms:GenerateDataKey when a root key is made."`
	Earlier      []string `yaml:"earlier-keys" doc:"KMS keys that root keys were kept under before; nothing new is."`
	Plane        string   `yaml:"plane" doc:"Name of this plane in the encryption context, {'sumun:plane': NAME}, by which key policies can tell planes apart. All nodes have the same, for ever." default:"sumun"`
	Region       string   `yaml:"region" doc:"Region of the key." default:"that of its ARN"`
	Endpoint     string   `yaml:"endpoint" doc:"URL of the KMS." default:"AWS's in the region"`
	CA           string   `yaml:"ca" doc:"PEM file of the authorities that may vouch for the endpoint." default:"the system's"`
	InsecureHTTP bool     `yaml:"insecure-http" doc:"Use an http endpoint beyond loopback. Everybody on the way can read the root keys." default:"false"`
	Profile      string   `yaml:"profile" doc:"Profile of AWS's credentials file that has the access key." default:"AWS_ACCESS_KEY_ID, else the profile AWS_PROFILE, else default"`
}

var planeName = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,128}$`)

func (c *Config) checkRootKey() error {
	k := &c.RootKey.KMS
	switch {
	case c.RootKey.PKCS11 != RootHSM{}:
		h := c.RootKey.PKCS11
		switch {
		case k.Key != "":
			return errors.New("root-key: kms and pkcs11 are both set; root keys come from one place")
		case c.InMemory():
			return errors.New("data: ':memory:' keeps nothing, so root-key.pkcs11 cannot be used with it")
		case h.Module == "" || h.Token == "" || h.Key == "":
			return errors.New("root-key.pkcs11: module, token and key are needed")
		}
		return nil
	case k.Key == "" && (k.Plane != "" || k.Region != "" || k.Endpoint != "" || k.CA != "" || k.Profile != "" || k.InsecureHTTP || len(k.Earlier) > 0):
		return errors.New("root-key.kms.key: is missing")
	case k.Key == "":
		return nil
	case c.InMemory():
		return errors.New("data: ':memory:' keeps nothing, so root-key.kms cannot be used with it")
	case k.Plane != "" && !planeName.MatchString(k.Plane):
		return fmt.Errorf("root-key.kms.plane: %q is not 1 to 128 letters, digits and . _ : / -", k.Plane)
	case len(k.Earlier) > 10:
		return fmt.Errorf("root-key.kms.earlier-keys: %d are listed, at most 10 are allowed", len(k.Earlier))
	case k.KeyRegion() == "":
		return errors.New("root-key.kms.region: is needed when the key is not named by its ARN")
	case !aws.KnownRegion(aws.Region(k.KeyRegion())):
		return fmt.Errorf("root-key.kms.region: %q is not a region of the aws partition", k.KeyRegion())
	}
	u, err := url.Parse(k.URL())
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "":
		return errors.New("root-key.kms.endpoint: not an http or https URL")
	case u.Scheme == "https" || k.InsecureHTTP:
		return nil
	}
	if loop, err := loopback(net.JoinHostPort(u.Hostname(), "0")); err != nil || !loop {
		return fmt.Errorf("root-key.kms.endpoint: %s is not a loopback address, and root keys would cross the network in clear text: use https, or say insecure-http", u.Host)
	}
	return nil
}

// KeyRegion is the region of the key, which its ARN may tell.
func (k *RootKMS) KeyRegion() string {
	if k.Region != "" {
		return k.Region
	}
	arn, err := aws.ParseARN(k.Key)
	if err != nil {
		return ""
	}
	return string(arn.Region)
}

// URL is the endpoint, AWS's in the region by default.
func (k *RootKMS) URL() string {
	if k.Endpoint != "" {
		return k.Endpoint
	}
	return "https://kms." + k.KeyRegion() + ".amazonaws.com"
}
