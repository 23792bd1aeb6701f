package kms

import (
	"bytes"
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/xks"
	"sumun.dev/engine/xks/xkstest"
	"sumun.dev/gateway/sigv4"
)

const (
	proxyKeyID  = "ABCDEFGHIJKLMNOPQRSTUVWX"
	proxySecret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U="
)

// authentic checks a signature with the gate's own signer, which is held against
// AWS's test suite: what the proxy gets must be what that makes of the request.
func authentic(r *http.Request, body []byte) bool {
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		return false
	}
	again, err := http.NewRequest(r.Method, "https://"+r.Host+r.URL.Path, nil)
	if err != nil {
		return false
	}
	sigv4.Sign(again, body, sigv4.Credentials{KeyID: proxyKeyID, Secret: proxySecret}, sigv4.Scope{Region: string(yardHome), Service: "kms-xks-proxy"}, 0, at)
	return again.Header.Get("Authorization") == r.Header.Get("Authorization")
}

// withProxy gives the yard a proxy that it reaches over TLS on loopback.
func withProxy(y *yard) *xkstest.Proxy {
	p := &xkstest.Proxy{Path: "/kms/xks/v1", Authentic: authentic}
	server := httptest.NewTLSServer(p)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	client := xks.New(xks.Options{Roots: roots, Timeout: 10 * time.Second, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, server.Listener.Addr().String())
	}})
	y.service.ReachKeyStores(client)
	y.t.Cleanup(func() { client.Close(); server.Close() })
	return p
}

func storeRequest(name, secret string) *kmsapi.CreateCustomKeyStoreRequest {
	return &kmsapi.CreateCustomKeyStoreRequest{
		CustomKeyStoreName: name, CustomKeyStoreType: new(kmsapi.CustomKeyStoreTypeExternalKeyStore),
		XksProxyUriEndpoint: new("https://example.com"), XksProxyUriPath: new("/kms/xks/v1"), XksProxyConnectivity: new(kmsapi.XksProxyConnectivityTypePublicEndpoint),
		XksProxyAuthenticationCredential: &kmsapi.XksProxyAuthenticationCredentialType{AccessKeyId: proxyKeyID, RawSecretAccessKey: secret},
	}
}

func TestKeysOfAnExternalStoreEncryptTwice(t *testing.T) {
	y := newYard(t)
	p := withProxy(y)
	p.Add("outer")
	p.Add("off")
	p.Set("off", "DISABLED")
	if _, err := serve(y, yardHome, &kmsapi.CreateCustomKeyStore, storeRequest("wrong", proxySecret[1:]+"x")); !kmsapi.XksProxyIncorrectAuthenticationCredentialException.Is(err) {
		t.Errorf("a wrong secret: %v", err)
	}
	id := *served(y, yardHome, &kmsapi.CreateCustomKeyStore, storeRequest("store", proxySecret)).CustomKeyStoreId
	if _, err := serve(y, yardHome, &kmsapi.CreateCustomKeyStore, storeRequest("store", proxySecret)); !kmsapi.CustomKeyStoreNameInUseException.Is(err) {
		t.Errorf("its name again: %v", err)
	}
	if _, err := serve(y, yardHome, &kmsapi.CreateCustomKeyStore, storeRequest("other", proxySecret)); !kmsapi.XksProxyUriInUseException.Is(err) {
		t.Errorf("its proxy again: %v", err)
	}
	var k *kmsapi.KeyMetadata
	made := func(external string) error {
		out, err := serve(y, yardHome, &kmsapi.CreateKey, &kmsapi.CreateKeyRequest{Origin: new(kmsapi.OriginTypeExternalKeyStore), CustomKeyStoreId: &id, XksKeyId: &external})
		if err == nil {
			k = out.KeyMetadata
		}
		return err
	}
	if err := made("outer"); !kmsapi.CustomKeyStoreInvalidStateException.Is(err) {
		t.Errorf("before it is connected: %v", err)
	}
	served(y, yardHome, &kmsapi.ConnectCustomKeyStore, &kmsapi.ConnectCustomKeyStoreRequest{CustomKeyStoreId: id})
	y.settle()
	shown := served(y, yardHome, &kmsapi.DescribeCustomKeyStores, &kmsapi.DescribeCustomKeyStoresRequest{CustomKeyStoreId: &id}).CustomKeyStores[0]
	if *shown.ConnectionState != "CONNECTED" {
		t.Fatalf("the store is %s", *shown.ConnectionState)
	}
	if err := made("none"); !kmsapi.XksKeyNotFoundException.Is(err) {
		t.Errorf("no such external key: %v", err)
	}
	if err := made("off"); !kmsapi.XksKeyInvalidConfigurationException.Is(err) {
		t.Errorf("a disabled external key: %v", err)
	}
	if err := made("outer"); err != nil {
		t.Fatal(err)
	}
	if *k.CustomKeyStoreId != id || *k.XksKeyConfiguration.Id != "outer" || k.CurrentKeyMaterialId != nil {
		t.Errorf("made %+v", k)
	}
	if err := made("outer"); !kmsapi.XksKeyAlreadyInUseException.Is(err) {
		t.Errorf("an external key twice: %v", err)
	}

	plain, in := []byte("nobody sees this twice"), map[string]string{"a": "b"}
	sealed := served(y, yardHome, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: k.KeyId, Plaintext: plain, EncryptionContext: in}).CiphertextBlob
	seen := p.Seen()
	last := seen[len(seen)-1]
	if last.Operation != "encrypt" || len(last.Plain) <= len(plain) || bytes.Contains(last.Plain, plain) {
		t.Errorf("the proxy was given %q", last.Plain)
	}
	if last.Request["awsPrincipalArn"] == "" || last.Request["kmsKeyArn"] != "arn:aws:kms:us-east-1:111122223333:key/"+k.KeyId {
		t.Errorf("the proxy was told %v", last.Request)
	}
	decrypt := func(context map[string]string) (*kmsapi.DecryptResponse, error) {
		return serve(y, yardHome, &kmsapi.Decrypt, &kmsapi.DecryptRequest{CiphertextBlob: sealed, EncryptionContext: context})
	}
	if out, err := decrypt(in); err != nil || !bytes.Equal(out.Plaintext, plain) {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err := decrypt(nil); !kmsapi.KMSInvalidStateException.Is(err) {
		t.Errorf("another context: %v", err)
	}
	p.Set("outer", "DISABLED")
	if _, err := decrypt(in); !kmsapi.KMSInvalidStateException.Is(err) {
		t.Errorf("a disabled external key: %v", err)
	}
	p.Set("outer", "ENABLED")
	served(y, yardHome, &kmsapi.DisconnectCustomKeyStore, &kmsapi.DisconnectCustomKeyStoreRequest{CustomKeyStoreId: id})
	if _, err := decrypt(in); !kmsapi.KMSInvalidStateException.Is(err) {
		t.Errorf("a disconnected store: %v", err)
	}
	if _, err := serve(y, yardHome, &kmsapi.GenerateDataKey, &kmsapi.GenerateDataKeyRequest{KeyId: k.KeyId, KeySpec: new(kmsapi.DataKeySpecAes256), DryRun: new(true)}); !kmsapi.KMSInvalidStateException.Is(err) {
		t.Errorf("whether a disconnected store would do it: %v", err)
	}
	if m := served(y, yardHome, &kmsapi.DescribeKey, &kmsapi.DescribeKeyRequest{KeyId: k.KeyId}).KeyMetadata; *m.KeyState != "Unavailable" || *m.Enabled {
		t.Errorf("the key is %s, enabled: %t", *m.KeyState, *m.Enabled)
	}
	if _, err := serve(y, yardHome, &kmsapi.DeleteCustomKeyStore, &kmsapi.DeleteCustomKeyStoreRequest{CustomKeyStoreId: id}); !kmsapi.CustomKeyStoreHasCMKsException.Is(err) {
		t.Errorf("deleted with a key: %v", err)
	}
}

// A proxy is told the role of a session, and the name of a service without its domain.
func TestProxiesAreToldWhoAsks(t *testing.T) {
	arn := aws.ARN{Partition: "aws", Service: "kms", Region: "us-east-1", Account: account, Resource: "key/k"}
	for _, c := range []struct {
		caller *aws.Principal
		via    []string
		want   xks.Request
	}{
		{user(account, "alice"), nil, xks.Request{Principal: "arn:aws:iam::111122223333:user/alice"}},
		{role(account, "app"), []string{"secretsmanager.amazonaws.com"}, xks.Request{Principal: "arn:aws:iam::111122223333:role/app", Via: "secretsmanager"}},
		{&aws.Principal{Kind: aws.Service, Name: "logs.amazonaws.com"}, nil, xks.Request{Principal: "logs.amazonaws.com"}},
	} {
		c.want.Key, c.want.Operation, c.want.ID = arn.String(), "Encrypt", "r"
		ctx := aws.WithCall(t.Context(), &aws.Call{Operation: "Encrypt", RequestID: "r", Principal: c.caller, Via: c.via})
		if got := told(ctx, arn); got != c.want {
			t.Errorf("told %+v, want %+v", got, c.want)
		}
	}
}

func TestStoresThatDoNotConnect(t *testing.T) {
	y := newYard(t)
	p := withProxy(y)
	id := *served(y, yardHome, &kmsapi.CreateCustomKeyStore, storeRequest("store", proxySecret)).CustomKeyStoreId
	for name, code := range map[string]kmsapi.ConnectionErrorCodeType{
		"AuthenticationFailedException": "INVALID_CREDENTIALS", "InternalException": "INTERNAL_ERROR", "InvalidUriPathException": "XKS_PROXY_INVALID_CONFIGURATION",
		"DependencyTimeoutException": "XKS_PROXY_TIMED_OUT", "NoSuchException": "XKS_PROXY_INVALID_RESPONSE",
	} {
		p.Refuse(func(string) string { return name })
		served(y, yardHome, &kmsapi.ConnectCustomKeyStore, &kmsapi.ConnectCustomKeyStoreRequest{CustomKeyStoreId: id})
		y.settle()
		shown := served(y, yardHome, &kmsapi.DescribeCustomKeyStores, &kmsapi.DescribeCustomKeyStoresRequest{}).CustomKeyStores[0]
		if *shown.ConnectionState != "FAILED" || *shown.ConnectionErrorCode != code {
			t.Errorf("%s: %s %s", name, *shown.ConnectionState, *shown.ConnectionErrorCode)
		}
		served(y, yardHome, &kmsapi.DisconnectCustomKeyStore, &kmsapi.DisconnectCustomKeyStoreRequest{CustomKeyStoreId: id})
	}
	served(y, yardHome, &kmsapi.DeleteCustomKeyStore, &kmsapi.DeleteCustomKeyStoreRequest{CustomKeyStoreId: id})
}

func TestNoStoreStandsOnHardware(t *testing.T) {
	y := newYard(t)
	_, err := serve(y, yardHome, &kmsapi.CreateCustomKeyStore, &kmsapi.CreateCustomKeyStoreRequest{CustomKeyStoreName: "hsm", CloudHsmClusterId: new("cluster-1a23b4cdefg")})
	if !kmsapi.CloudHsmClusterNotFoundException.Is(err) {
		t.Error(err)
	}
}
