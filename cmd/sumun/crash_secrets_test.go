package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/api/secretsmanagerapi"
	"sumun.dev/api/ssmapi"
)

const replicaRegion = "eu-west-1"

// What was acknowledged before the program was killed, by name.
type acknowledgedData struct {
	secrets    map[string]string // with replicas
	keys       map[string]bool   // ids, with replicas
	parameters map[string]string // SecureStrings
}

// The program is killed several times while secrets, multi-Region keys and
// SecureStrings are made, changed and replicated. Everything that was acknowledged is
// there, and every replica is in step.
func TestDataSurvivesKill(t *testing.T) {
	t.Parallel()
	p := newProgram(t, crashConfig)
	p.start()
	defer func() { p.kill() }()
	kept := acknowledgedData{map[string]string{}, map[string]bool{}, map[string]string{}}
	for n := range 4 {
		var writer sync.WaitGroup
		writer.Go(func() { p.write(n, &kept) })
		time.Sleep(50*time.Millisecond + rand.N(150*time.Millisecond))
		p.kill()
		writer.Wait()
		p.start()
		p.check(&kept)
	}
	t.Logf("%d secrets, %d keys and %d parameters are all there", len(kept.secrets), len(kept.keys), len(kept.parameters))
}

// write writes until the program is killed, and notes what was acknowledged.
func (p *program) write(n int, kept *acknowledgedData) {
	for i := 0; ; i++ {
		name := fmt.Sprintf("secret-%d-%d", n, i)
		_, err := call(p, &secretsmanagerapi.CreateSecret, &secretsmanagerapi.CreateSecretRequest{
			Name: name, SecretString: new("one"), AddReplicaRegions: []secretsmanagerapi.ReplicaRegionType{{Region: new(replicaRegion)}},
		})
		if err != nil {
			return // killed
		}
		kept.secrets[name] = "one"
		out, err := call(p, &kmsapi.CreateKey, &kmsapi.CreateKeyRequest{MultiRegion: new(true)})
		if err != nil {
			return
		}
		id := out.KeyMetadata.KeyId
		if _, err := call(p, &kmsapi.ReplicateKey, &kmsapi.ReplicateKeyRequest{KeyId: id, ReplicaRegion: replicaRegion}); err != nil {
			return
		}
		kept.keys[id] = true
		value := fmt.Sprint("value ", i)
		_, err = call(p, &ssmapi.PutParameter, &ssmapi.PutParameterRequest{Name: "/" + name, Value: value, Type: new(ssmapi.ParameterTypeSecureString)})
		if err != nil {
			return
		}
		kept.parameters["/"+name] = value
		// From here on the secret may have the new value, told or not.
		kept.secrets[name] = ""
		if _, err := call(p, &secretsmanagerapi.PutSecretValue, &secretsmanagerapi.PutSecretValueRequest{SecretId: name, SecretString: new("two")}); err != nil {
			return
		}
		kept.secrets[name] = "two"
	}
}

func (p *program) check(kept *acknowledgedData) {
	p.t.Helper()
	for name, want := range kept.secrets {
		got := p.secretIn("us-east-1", name)
		if want != "" && got != want || got != "one" && got != "two" {
			p.t.Errorf("%s is %q, want %q", name, got, want)
		}
		if there := p.secretIn(replicaRegion, name); there != got {
			p.t.Errorf("%s is %q in %s, and %q at home", name, there, replicaRegion, got)
		}
		out := must(p, &secretsmanagerapi.DescribeSecret, &secretsmanagerapi.DescribeSecretRequest{SecretId: name})
		if len(out.ReplicationStatus) != 1 || *out.ReplicationStatus[0].Status != secretsmanagerapi.StatusTypeInSync {
			p.t.Errorf("%s: %+v", name, out.ReplicationStatus)
		}
	}
	for id := range kept.keys {
		sealed := must(p, &kmsapi.Encrypt, &kmsapi.EncryptRequest{KeyId: id, Plaintext: []byte("field")})
		opened, err := callIn(p, replicaRegion, &kmsapi.Decrypt, &kmsapi.DecryptRequest{CiphertextBlob: sealed.CiphertextBlob, KeyId: &id})
		if err != nil || string(opened.Plaintext) != "field" {
			p.t.Errorf("%s in %s: %v", id, replicaRegion, err)
		}
	}
	for name, want := range kept.parameters {
		out := must(p, &ssmapi.GetParameter, &ssmapi.GetParameterRequest{Name: name, WithDecryption: new(true)})
		if *out.Parameter.Value != want {
			p.t.Errorf("%s has another value", name)
		}
	}
}

// secretIn reads a secret in a region.
func (p *program) secretIn(region, name string) string {
	p.t.Helper()
	out, err := callIn(p, region, &secretsmanagerapi.GetSecretValue, &secretsmanagerapi.GetSecretValueRequest{SecretId: name})
	if err != nil {
		p.t.Errorf("%s in %s: %v", name, region, err)
		return ""
	}
	return *out.SecretString
}
