package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"sumun.dev/api/cloudtrailapi"
	"sumun.dev/api/eventsapi"
	"sumun.dev/api/iamapi"
	"sumun.dev/api/kmsapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/ssmapi"
	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/certtest"
	mat "sumun.dev/engine/material"
	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/runtime"
	"sumun.dev/wire"
)

// use sends and receives secrets through every call that takes or returns some. Alice
// may do nothing, and what she sends is as secret.
func (v *victim) use() {
	alice := v.identities()
	v.keys(alice)
	v.values(alice)
	v.parameters(alice)
	v.rotate()
	v.badRequests(alice)
}

// deny makes a call that Alice may not make, and keeps why.
func deny[In, Out any](v *victim, alice *program, op *wire.Operation[In, Out], in In) {
	v.t.Helper()
	refuse(alice, op, in)
	v.ask("/explain?id=") // the newest refusal
}

// refuse makes a call that must be refused.
func refuse[In, Out any](p *program, op *wire.Operation[In, Out], in In) {
	p.t.Helper()
	_, err := call(p, op, in)
	if answer := (*aws.Error)(nil); !errors.As(err, &answer) {
		p.t.Fatalf("%s: %v", op, err)
	}
}

func (v *victim) identities() (alice *program) {
	p := v.program
	must(p, &iamapi.CreateUser, &iamapi.CreateUserRequest{UserName: "alice"})
	key := must(p, &iamapi.CreateAccessKey, &iamapi.CreateAccessKeyRequest{UserName: new("alice")}).AccessKey
	v.keep("an access key", []byte(key.SecretAccessKey))
	must(p, &iamapi.CreateLoginProfile, &iamapi.CreateLoginProfileRequest{UserName: new("alice"), Password: new("aA1!" + v.plain("a password"))})
	device := must(p, &iamapi.CreateVirtualMFADevice, &iamapi.CreateVirtualMFADeviceRequest{VirtualMFADeviceName: "phone"}).VirtualMFADevice
	v.keep("an MFA device's seed", device.Base32StringSeed)
	cert := certtest.New(v.t, "app")
	must(p, &iamapi.UploadServerCertificate, &iamapi.UploadServerCertificateRequest{ServerCertificateName: "app", CertificateBody: string(cert.Cert), PrivateKey: string(cert.Key)})
	block, _ := pem.Decode(cert.Key)
	v.keepKey("a certificate's private key", block.Bytes)
	text := strings.Split(string(cert.Key), "\n")
	v.keep("a certificate's private key, in PEM", []byte(text[1][48:]+"\n"+text[2])) // what comes before says which kind of key it is
	session := must(p, &stsapi.GetSessionToken, &stsapi.GetSessionTokenRequest{}).Credentials
	v.keep("a session's secret", []byte(session.SecretAccessKey))

	a := *p
	a.key = runtime.Key{AccessKeyID: key.AccessKeyId, SecretAccessKey: key.SecretAccessKey}
	return &a
}

func (v *victim) keys(alice *program) {
	p := v.program
	create := func(spec kmsapi.KeySpec, usage kmsapi.KeyUsageType, origin kmsapi.OriginType) string {
		return must(p, &kmsapi.CreateKey, &kmsapi.CreateKeyRequest{KeySpec: &spec, KeyUsage: &usage, Origin: &origin}).KeyMetadata.KeyId
	}
	made := func(spec kmsapi.KeySpec, usage kmsapi.KeyUsageType) string {
		return create(spec, usage, kmsapi.OriginTypeAwsKms)
	}
	key := made("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
	context := map[string]string{"app": "web"}
	blob := must(p, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: key, Plaintext: []byte(v.secret("plaintext of Encrypt")), EncryptionContext: context}).CiphertextBlob
	must(p, &kmsapi.Decrypt, &kmsapi.DecryptRequest{CiphertextBlob: blob, EncryptionContext: context})
	must(p, &kmsapi.ReEncrypt, &kmsapi.ReEncryptRequest{CiphertextBlob: blob, SourceEncryptionContext: context, DestinationKeyId: key})
	refuse(p, &kmsapi.Decrypt, &kmsapi.DecryptRequest{CiphertextBlob: blob})
	refuse(p, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: key, Plaintext: []byte(v.secret("plaintext that is too long") + strings.Repeat("x", 4096))})
	deny(v, alice, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: key, Plaintext: []byte(v.secret("plaintext of Encrypt, denied"))})
	refuse(p, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: "alias/none", Plaintext: []byte(v.secret("plaintext for a key that is not there"))})
	v.keep("a data key", must(p, &kmsapi.GenerateDataKey, &kmsapi.GenerateDataKeyRequest{KeyId: key, KeySpec: new(kmsapi.DataKeySpecAes256)}).Plaintext)
	v.keep("random bytes", must(p, &kmsapi.GenerateRandom, &kmsapi.GenerateRandomRequest{NumberOfBytes: new(int32(32))}).Plaintext)
	for _, spec := range []kmsapi.DataKeyPairSpec{"RSA_2048", "ECC_NIST_P256"} {
		v.keepKey("a data key pair "+string(spec), must(p, &kmsapi.GenerateDataKeyPair, &kmsapi.GenerateDataKeyPairRequest{KeyId: key, KeyPairSpec: spec}).PrivateKeyPlaintext)
	}
	must(p, &kmsapi.RotateKeyOnDemand, &kmsapi.RotateKeyOnDemandRequest{KeyId: key})

	hmac := made("HMAC_256", "GENERATE_VERIFY_MAC")
	must(p, &kmsapi.GenerateMac, &kmsapi.GenerateMacRequest{KeyId: hmac, MacAlgorithm: "HMAC_SHA_256", Message: []byte(v.secret("message of GenerateMac"))})
	refuse(p, &kmsapi.VerifyMac, &kmsapi.VerifyMacRequest{KeyId: hmac, MacAlgorithm: "HMAC_SHA_256", Message: []byte(v.secret("message of VerifyMac")), Mac: make([]byte, 32)})
	must(p, &kmsapi.Sign, &kmsapi.SignRequest{KeyId: made("ECC_NIST_P256", "SIGN_VERIFY"), SigningAlgorithm: "ECDSA_SHA_256", Message: []byte(v.secret("message of Sign"))})
	must(p, &kmsapi.Sign, &kmsapi.SignRequest{KeyId: made("ECC_NIST_EDWARDS25519", "SIGN_VERIFY"), SigningAlgorithm: "ED25519_SHA_512", Message: []byte(v.secret("message of Sign, Ed25519"))})
	made("ML_DSA_44", "SIGN_VERIFY")
	must(p, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: made("RSA_2048", "ENCRYPT_DECRYPT"), EncryptionAlgorithm: new(kmsapi.EncryptionAlgorithmSpecRsaesOaepSha256),
		Plaintext: []byte(v.secret("plaintext of Encrypt, RSA"))})
	other, err := ecdh.P256().GenerateKey(rand.Reader)
	ok(v.t, err)
	public, err := x509.MarshalPKIXPublicKey(other.Public())
	ok(v.t, err)
	v.keep("a shared secret", must(p, &kmsapi.DeriveSharedSecret, &kmsapi.DeriveSharedSecretRequest{KeyId: made("ECC_NIST_P256", "KEY_AGREEMENT"), KeyAgreementAlgorithm: "ECDH", PublicKey: public}).SharedSecret)

	for _, x := range []struct {
		spec  kmsapi.KeySpec
		usage kmsapi.KeyUsageType
	}{{"SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"}, {"HMAC_256", "GENERATE_VERIFY_MAC"}, {"ECC_NIST_P256", "SIGN_VERIFY"}, {"RSA_2048", "SIGN_VERIFY"}} {
		material, err := mat.Generate(mat.Spec(x.spec))
		ok(v.t, err)
		v.keepKey("imported material "+string(x.spec), material)
		v.importInto(create(x.spec, x.usage, kmsapi.OriginTypeExternal), material)
	}
}

// importInto wraps material as somebody outside would.
func (v *victim) importInto(key string, material []byte) {
	t, p := v.t, v.program
	way := must(p, &kmsapi.GetParametersForImport, &kmsapi.GetParametersForImportRequest{KeyId: key, WrappingAlgorithm: "RSA_AES_KEY_WRAP_SHA_256", WrappingKeySpec: "RSA_2048"})
	public, err := x509.ParsePKIXPublicKey(way.PublicKey)
	ok(t, err)
	kek := make([]byte, 32)
	rand.Read(kek) // never fails
	v.keep("the key that wraps imported material", kek)
	wrapped, err := rsa.EncryptOAEP(sha256.New(), rand.Reader, public.(*rsa.PublicKey), kek, nil)
	ok(t, err)
	inner, err := mat.WrapKWP(kek, material)
	ok(t, err)
	must(p, &kmsapi.ImportKeyMaterial, &kmsapi.ImportKeyMaterialRequest{KeyId: key, ImportToken: way.ImportToken, EncryptedKeyMaterial: append(wrapped, inner...),
		ExpirationModel: new(kmsapi.ExpirationModelTypeKeyMaterialDoesNotExpire)})
}

// keepKey keeps the private parts of a key: others of its PKCS #8 may be told to
// everybody.
func (v *victim) keepKey(name string, material []byte) {
	v.t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(material)
	if err != nil { // AES, HMAC, ML-DSA
		v.keep(name, material)
		return
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		v.keep(name, key.D.Bytes())
		for _, prime := range key.Primes {
			v.keep(name, prime.Bytes())
		}
	case *ecdsa.PrivateKey:
		private, err := key.Bytes()
		ok(v.t, err)
		v.keep(name, private)
	case ed25519.PrivateKey:
		v.keep(name, key.Seed())
	default:
		v.t.Fatalf("%s is a %T", name, key)
	}
}

func (v *victim) values(alice *program) {
	p := v.program
	must(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: clearName, SecretString: new(v.secret("SecretString"))})
	binary := make([]byte, 1<<10)
	rand.Read(binary) // never fails
	v.keep("SecretBinary", binary)
	must(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: "binary", SecretBinary: binary,
		AddReplicaRegions: []secretsmanagerapi.ReplicaRegionType{{Region: new("eu-west-1")}}})
	put := func(text string) *secretsmanagerapi.PutSecretValueRequest {
		return &secretsmanagerapi.PutSecretValueRequest{SecretId: clearName, SecretString: &text, ClientRequestToken: new(strings.Repeat("t", 32))}
	}
	must(p, &secretsmanagerapi.PutSecretValue, put(v.secret("value of PutSecretValue")))
	refuse(p, &secretsmanagerapi.PutSecretValue, put(v.secret("value of PutSecretValue, other with the same token")))
	deny(v, alice, &secretsmanagerapi.PutSecretValue, put(v.secret("value of PutSecretValue, denied")))
	must(p, &secretsmanagerapi.UpdateSecret, &secretsmanagerapi.UpdateSecretRequest{SecretId: clearName, SecretString: new(v.secret("value of UpdateSecret"))})
	refuse(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: clearName, SecretString: new(v.secret("value of CreateSecret, whose name is taken"))})
	refuse(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: "long", SecretString: new(v.secret("value that is too long") + strings.Repeat("x", 64<<10))})
	must(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: "gone", SecretString: new(v.secret("value of a secret that is deleted"))})
	must(p, &secretsmanagerapi.DeleteSecret, &secretsmanagerapi.DeleteSecretRequest{SecretId: "gone", ForceDeleteWithoutRecovery: new(true)})
	must(p, &secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetSecretValueRequest{SecretId: clearName})
	deny(v, alice, &secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetSecretValueRequest{SecretId: clearName})
	must(p, &secretsmanagerapi.BatchGetSecretValue, &secretsmanagerapi.BatchGetSecretValueRequest{SecretIdList: []string{clearName, "binary"}})
	v.keep("a random password", []byte(*must(p, &secretsmanagerapi.GetRandomPassword, &secretsmanagerapi.GetRandomPasswordRequest{}).RandomPassword))
	must(p, &eventsapi.PutEvents, &eventsapi.PutEventsRequest{Entries: []eventsapi.PutEventsRequestEntry{{Source: new("app"), DetailType: new("Told"), Detail: new(`{"card":"` + v.plain(eventDetail) + `"}`)}}})
}

func (v *victim) parameters(alice *program) {
	p := v.program
	put := func(name, kind, value string) *ssmapi.PutParameterRequest {
		return &ssmapi.PutParameterRequest{Name: "/app/" + name, Type: new(ssmapi.ParameterType(kind)), Value: value, Overwrite: new(true)}
	}
	for _, kind := range []string{"String", "StringList", "SecureString"} {
		must(p, &ssmapi.PutParameter, put(kind, kind, v.secret(kind)))
		must(p, &ssmapi.PutParameter, put(kind, kind, v.secret(kind+", the second version")))
		deny(v, alice, &ssmapi.PutParameter, put(kind, kind, v.secret(kind+", denied")))
		deny(v, alice, &ssmapi.GetParameter, &ssmapi.GetParameterRequest{Name: "/app/" + kind, WithDecryption: new(true)})
		unlike := put(kind+"2", kind, v.secret(kind+", not as the pattern wants"))
		unlike.AllowedPattern = new("^[0-9]+$")
		refuse(p, &ssmapi.PutParameter, unlike)
		taken := put(kind, kind, v.secret(kind+", whose name is taken"))
		taken.Overwrite = nil
		refuse(p, &ssmapi.PutParameter, taken)
	}
	advanced := put("advanced", "SecureString", v.secret("advanced SecureString"))
	advanced.Tier = new(ssmapi.ParameterTierAdvanced)
	advanced.Policies = new(`[{"Type":"NoChangeNotification","Version":"1.0","Attributes":{"After":"20","Unit":"Days"}}]`)
	must(p, &ssmapi.PutParameter, advanced)
	must(p, &ssmapi.GetParametersByPath, &ssmapi.GetParametersByPathRequest{Path: "/app", WithDecryption: new(true)})
	must(p, &ssmapi.GetParameter, &ssmapi.GetParameterRequest{Name: "/aws/reference/secretsmanager/" + clearName, WithDecryption: new(true)})
}

// rotate has a database's password rotated. The first password is the test's own choice.
func (v *victim) rotate() {
	const function = "SecretsManagerRDSPostgreSQLRotationSingleUser"
	p, first := v.program, v.plain(firstPass)
	v.server.Exec(v.t, "CREATE ROLE app LOGIN PASSWORD '"+first+"'")
	p.role(function, "lambda.amazonaws.com", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"secretsmanager:*","Resource":"*"}]}`)
	must(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{Name: "database",
		SecretString: new(fmt.Sprintf(`{"engine":"postgres","host":"127.0.0.1","port":%d,"username":"app","password":%q}`, v.server.Port, first))})
	must(p, &secretsmanagerapi.RotateSecret, &secretsmanagerapi.RotateSecretRequest{SecretId: "database", RotationLambdaARN: new("arn:aws:lambda:us-east-1:111122223333:function:" + function),
		RotationRules: &secretsmanagerapi.RotationRulesType{AutomaticallyAfterDays: new(int64(30))}})
	v.until("the password is another", func() bool {
		out := must(p, &secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetSecretValueRequest{SecretId: "database"})
		var now struct{ Password string }
		ok(v.t, json.Unmarshal([]byte(*out.SecretString), &now))
		if now.Password == first {
			return false
		}
		v.keep("the database's second password", []byte(now.Password))
		return true
	})
}

// until waits for what comes by itself.
func (v *victim) until(what string, done func() bool) {
	v.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			v.t.Fatalf("it does not come that %s", what)
		}
	}
}

// badRequests sends secrets in what is no request, or nobody's.
func (v *victim) badRequests(alice *program) {
	post := func(signed bool, path, target, body string) {
		v.t.Helper()
		r, err := http.NewRequest(http.MethodPost, v.note.API+path, strings.NewReader(body))
		ok(v.t, err)
		r.Header.Set("Content-Type", "application/x-amz-json-1.1")
		service := "iam"
		if target != "" {
			service = "secretsmanager"
			r.Header.Set("X-Amz-Target", target)
		}
		if signed {
			sigv4.Sign(r, []byte(body), sigv4.Credentials{KeyID: alice.key.AccessKeyID, Secret: alice.key.SecretAccessKey}, sigv4.Scope{Region: "us-east-1", Service: service}, 0, time.Now())
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		ok(v.t, err)
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		ok(v.t, err)
		if resp.StatusCode < 400 {
			v.t.Errorf("%s %s is answered with %s", path, target, resp.Status)
		}
	}
	for _, signed := range []bool{true, false} {
		how := map[bool]string{true: "signed", false: "unsigned"}[signed]
		post(signed, "/", "secretsmanager.CreateSecret", `{"Name":"x","SecretString":"`+v.plain("a value in a JSON that ends early, "+how))
		post(signed, "/", "secretsmanager.CreateSecret", `{"Name":"x","SecretString":["`+v.plain("a value of the wrong kind, "+how)+`"]}`)
		post(signed, "/", "secretsmanager.CreateSecret", `{"Name":7,"`+v.plain("a value for a name, "+how)+`":1}`)
		post(signed, "/", "secretsmanager.NoSuchOperation", `{"SecretString":"`+v.plain("a value for no operation, "+how)+`"}`)
		post(signed, "/?"+url.Values{"Action": {"CreateLoginProfile"}, "Version": {"2010-05-08"}, "UserName": {"alice"}, "Password": {v.plain("a password in a URL, " + how)}}.Encode(), "", "")
	}
}

// killWriting kills the program while somebody writes values.
func (v *victim) killWriting() {
	var writer sync.WaitGroup
	written := make(chan bool)
	writer.Go(func() {
		defer close(written)
		for i := 0; ; i++ {
			name := fmt.Sprintf("value %d before the end", i)
			_, err := call(v.program, &secretsmanagerapi.PutSecretValue, &secretsmanagerapi.PutSecretValueRequest{SecretId: clearName, SecretString: new(v.secret(name))})
			if err == nil {
				_, err = call(v.program, &ssmapi.PutParameter, &ssmapi.PutParameterRequest{Name: "/app/SecureString", Type: new(ssmapi.ParameterTypeSecureString), Value: v.secret(name), Overwrite: new(true)})
			}
			if err != nil {
				return // killed
			}
			written <- true
		}
	})
	for range 20 {
		if !<-written {
			v.t.Fatal("nothing could be written")
		}
	}
	killed := make(chan bool)
	go func() {
		defer close(killed)
		v.kill()
	}()
	for range written { // until the writer has seen the end
	}
	<-killed
	writer.Wait()
}

// trail returns all that CloudTrail says of the calls.
func (v *victim) trail() []byte {
	p := v.program
	must(p, &stsapi.GetCallerIdentity, &stsapi.GetCallerIdentityRequest{}) // the last: what came before is recorded before
	var all bytes.Buffer
	v.until("the trail has the last call", func() bool {
		all.Reset()
		for in := (&cloudtrailapi.LookupEventsRequest{}); ; {
			out := must(p, &cloudtrailapi.LookupEvents, in)
			for _, e := range out.Events {
				fmt.Fprintln(&all, *e.CloudTrailEvent)
			}
			if in.NextToken = out.NextToken; in.NextToken == nil {
				break
			}
		}
		return bytes.Contains(all.Bytes(), []byte(`"GetCallerIdentity"`))
	})
	return all.Bytes()
}

// ask keeps what the admin listener says.
func (v *victim) ask(page string) {
	r, err := http.Get(v.note.Admin + page)
	ok(v.t, err)
	_, err = io.Copy(&v.told, r.Body)
	ok(v.t, errors.Join(err, r.Body.Close()))
}
