package clientside

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	s3crypto "github.com/aws/amazon-s3-encryption-client-go/v3/client"
	"github.com/aws/amazon-s3-encryption-client-go/v3/materials"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// objects keeps objects with their metadata, as much of S3 as the encryption client
// asks of it: it stands where the ciphertext goes, and authorises nothing.
type objects struct {
	mu   sync.Mutex
	kept map[string]object
}

type object struct {
	body []byte
	meta http.Header
}

func (o *objects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		meta := http.Header{}
		for name, values := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Meta-") {
				meta[name] = values
			}
		}
		o.kept[r.URL.Path] = object{body, meta}
	case http.MethodGet:
		found, ok := o.kept[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		maps.Copy(w.Header(), found.meta)
		w.Write(found.body)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

// TestObjects puts an object through the Amazon S3 Encryption Client: what is stored
// is ciphertext, whoever can read the bucket and not use the key has nothing more,
// and an object's data key opens under its own description alone.
func TestObjects(t *testing.T) {
	store := &objects{kept: map[string]object{}}
	server := httptest.NewServer(store)
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_S3", server.URL)
	key := newKey(t, home, &kms.CreateKeyInput{})
	owner := user(t, "owner", may("kms:GenerateDataKey", key), may("kms:Decrypt", key))
	reader := user(t, "reader", `{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+key+`","Condition":{"StringEquals":{"kms:EncryptionContext:case":"7"}}}`)
	stranger := user(t, "stranger", may("kms:GenerateDataKey", key))

	const secret = "the jury is still out"
	put := func(p person, name string, description map[string]string) error {
		ctx := t.Context()
		if description != nil {
			ctx = context.WithValue(ctx, s3crypto.EncryptionContext, description)
		}
		_, err := encrypting(t, p, key).PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("files"), Key: &name, Body: strings.NewReader(secret)})
		return err
	}
	get := func(p person, name string) (string, error) {
		out, err := encrypting(t, p, key).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("files"), Key: &name})
		if err != nil {
			return "", err
		}
		defer out.Body.Close()
		text, err := io.ReadAll(out.Body)
		return string(text), err
	}
	for name, description := range map[string]map[string]string{"seven": {"case": "7"}, "eight": {"case": "8"}} {
		if err := put(owner, name, description); err != nil {
			t.Fatal(err)
		}
		kept := store.kept["/files/"+name]
		if len(kept.body) == 0 || bytes.Contains(kept.body, []byte("jury")) {
			t.Errorf("the bucket holds %q", kept.body)
		}
		if got, err := get(owner, name); err != nil || got != secret {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if got, err := get(stranger, name); got != "" || !says(err, "kms:Decrypt") {
			t.Errorf("%s, without kms:Decrypt: %q, %v", name, got, err)
		}
	}
	if got, err := get(reader, "seven"); err != nil || got != secret {
		t.Errorf("case 7: %q, %v", got, err)
	}
	if got, err := get(reader, "eight"); got != "" || !says(err, "kms:Decrypt") {
		t.Errorf("case 8: %q, %v", got, err)
	}
	if err := put(reader, "nine", nil); !says(err, "kms:GenerateDataKey") {
		t.Errorf("without kms:GenerateDataKey: %v", err)
	}

	// Described as case 7, the object of case 8 does not open, for anybody.
	eight, seven := store.kept["/files/eight"], store.kept["/files/seven"]
	forged := eight.meta.Clone()
	forged["X-Amz-Meta-X-Amz-Matdesc"] = seven.meta["X-Amz-Meta-X-Amz-Matdesc"]
	store.kept["/files/eight"] = object{eight.body, forged}
	for _, p := range []person{owner, reader} {
		if got, err := get(p, "eight"); got != "" || !says(err, "InvalidCiphertext") {
			t.Errorf("described as case 7: %q, %v", got, err)
		}
	}

	var made int
	for _, r := range owner.recorded(t, home) {
		if r.EventName != "GenerateDataKey" {
			continue
		}
		made++
		if with := r.RequestParameters.EncryptionContext; with["aws:x-amz-cek-alg"] != "AES/GCM/NoPadding" || with["case"] == "" {
			t.Errorf("the trail has the encryption context %v", with)
		}
	}
	if made != 2 {
		t.Errorf("the trail has %d data keys for two objects", made)
	}
}

// encrypting is the Amazon S3 Encryption Client of a person.
func encrypting(t *testing.T, p person, key string) *s3crypto.S3EncryptionClientV3 {
	t.Helper()
	cfg := p.config(t, home)
	cmm, err := materials.NewCryptographicMaterialsManager(materials.NewKmsKeyring(kms.NewFromConfig(cfg), key))
	if err != nil {
		t.Fatal(err)
	}
	c, err := s3crypto.New(s3.NewFromConfig(cfg), cmm)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
