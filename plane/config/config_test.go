package config

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"good", "listen: 127.0.0.1:4600\nhosts:\n  - {name: web, instance: i-0123456789abcdef0, address: 10.0.0.5}\n", ""},
		{"empty", "", ""},
		{"unknown_key", "listen: 127.0.0.1:1\nlisten-on: x\n", ":2: "},
		{"unknown_nested_key", "dns:\n  listen: 127.0.0.1:1\n  upstream: [9.9.9.9]\n", ":3: "},
		{"wrong_kind", "dns:\n  cache-mib: many\n", ":2: "},
		{"no_yaml", "a: [", ":1: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "sumun.yaml")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			cfg := Default()
			err := cfg.Read(file)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), file+c.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%v, want one line with %s%s", err, file, c.want)
			}
		})
	}
}

const rootKMSKey = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(*Config)
		want string // what the error begins with; empty: none
	}{
		{"default", func(*Config) {}, ""},
		{"account", func(c *Config) { c.AccountID = "12" }, "account-id:"},
		{"retention", func(c *Config) { c.Spine.Retention.DNS = Keep{Age: time.Hour, MaxMiB: 10} }, ""},
		{"retention_too_short", func(c *Config) { c.Spine.Retention.Bus.Age = time.Minute }, "spine.retention.bus.age:"},
		{"retention_of_less_than_nothing", func(c *Config) { c.Spine.Retention.Trail.MaxMiB = -1 }, "spine.retention.trail.max-mib:"},
		{"region", func(c *Config) { c.Region = "mars-1" }, "region:"},
		{"quotas", func(c *Config) { c.Quotas = "none" }, "quotas:"},
		{"half_tls", func(c *Config) { c.TLS.Cert = "x" }, "tls:"},
		{"public_without_tls", func(c *Config) { c.Listen = "0.0.0.0:4566" }, "listen:"},
		{"any_address_without_tls", func(c *Config) { c.Listen = ":4566" }, "listen:"},
		{"public_with_tls", func(c *Config) { c.Listen, c.TLS = "0.0.0.0:4566", TLS{"c", "k"} }, ""},
		{"public_on_purpose", func(c *Config) { c.Listen, c.InsecureHTTP = "0.0.0.0:4566", true }, ""},
		{"root_key_of_aws", func(c *Config) { c.RootKey.KMS.Key = rootKMSKey }, ""},
		{"root_key_by_alias", func(c *Config) { c.RootKey.KMS = RootKMS{Key: "alias/sumun", Region: "eu-central-1"} }, ""},
		{"root_key_by_alias_without_region", func(c *Config) { c.RootKey.KMS.Key = "alias/sumun" }, "root-key.kms.region:"},
		{"root_key_in_no_region", func(c *Config) { c.RootKey.KMS = RootKMS{Key: "alias/sumun", Region: "x.example/"} }, "root-key.kms.region:"},
		{"root_key_over_http", func(c *Config) {
			c.RootKey.KMS = RootKMS{Key: rootKMSKey, Endpoint: "http://192.0.2.1:4566"}
		}, "root-key.kms.endpoint: 192.0.2.1:4566 is not a loopback address"},
		{"root_key_over_http_by_name", func(c *Config) { c.RootKey.KMS = RootKMS{Key: rootKMSKey, Endpoint: "http://kms.example"} }, "root-key.kms.endpoint:"},
		{"root_key_over_http_on_purpose", func(c *Config) {
			c.RootKey.KMS = RootKMS{Key: rootKMSKey, Endpoint: "http://192.0.2.1:4566", InsecureHTTP: true}
		}, ""},
		{"root_key_over_http_on_loopback", func(c *Config) { c.RootKey.KMS = RootKMS{Key: rootKMSKey, Endpoint: "http://[::1]:4566"} }, ""},
		{"root_key_at_no_url", func(c *Config) { c.RootKey.KMS = RootKMS{Key: rootKMSKey, Endpoint: "kms.example"} }, "root-key.kms.endpoint:"},
		{"root_key_of_no_plane", func(c *Config) { c.RootKey.KMS = RootKMS{Key: rootKMSKey, Plane: "a b"} }, "root-key.kms.plane:"},
		{"root_key_without_key", func(c *Config) { c.RootKey.KMS.Endpoint = "https://kms.example" }, "root-key.kms.key:"},
		{"root_key_of_a_plane_in_memory", func(c *Config) { c.Data, c.RootKey.KMS.Key = Memory, rootKMSKey }, "data:"},
		{"root_key_in_an_hsm", func(c *Config) { c.RootKey.PKCS11 = RootHSM{Module: "m.so", Token: "t", Key: "k"} }, ""},
		{"root_key_in_half_an_hsm", func(c *Config) { c.RootKey.PKCS11 = RootHSM{Module: "m.so"} }, "root-key.pkcs11: module, token and key"},
		{"root_key_in_two_places", func(c *Config) {
			c.RootKey.PKCS11, c.RootKey.KMS.Key = RootHSM{Module: "m.so", Token: "t", Key: "k"}, rootKMSKey
		}, "root-key: kms and pkcs11 are both set"},
		{"public_admin", func(c *Config) { c.Admin = "0.0.0.0:4567" }, "admin:"},
		{"name_as_address", func(c *Config) { c.Listen = "example.com:4566" }, "listen:"},
		{"upstream_name", func(c *Config) { c.DNS.Upstreams = []string{"dns.example"} }, "dns.upstreams[0]:"},
		{"host_twice", func(c *Config) {
			h := Host{Instance: "i-01234567", Address: "10.0.0.1"}
			c.Hosts = []Host{h, h}
		}, "hosts[1].address:"},
		{"host_without_instance", func(c *Config) { c.Hosts = []Host{{Address: "10.0.0.1"}} }, "hosts[0].instance:"},
		{"metadata_link_local", func(c *Config) { c.Metadata.Listen = "169.254.169.254:80" }, ""},
		{"metadata_for_all", func(c *Config) { c.Metadata.Listen = "0.0.0.0:1338" }, "metadata.listen:"},
		{"metadata_for_the_network", func(c *Config) { c.Metadata.Listen = "10.0.0.1:1338" }, "metadata.listen:"},
		{"feed_kind", func(c *Config) { c.Feeds = []Feed{{Name: "x", URL: "https://x.test/l", Kind: "bad"}} }, "feeds[0].kind:"},
		{"feed_scheme", func(c *Config) { c.Feeds = []Feed{{Name: "x", URL: "gopher://x", Kind: "c2"}} }, "feeds[0].url:"},
		{"memory_with_postgres", func(c *Config) { c.Data, c.Store.Postgres = Memory, "postgres://x" }, "data:"},
		{"database", func(c *Config) { c.Databases = []Database{{Name: "x", Engine: "postgres", Host: "db.example.com"}} }, ""},
		{"database_of_no_engine", func(c *Config) { c.Databases = []Database{{Name: "x", Engine: "oracle", Host: "db.example.com"}} }, "databases[0].engine:"},
		{"database_by_url", func(c *Config) { c.Databases = []Database{{Name: "x", Engine: "mysql", Host: "db.example.com:3306"}} }, "databases[0].host:"},
		{"database_in_the_clear", func(c *Config) {
			c.Databases = []Database{{Name: "x", Engine: "mysql", Host: "10.0.0.1", TLS: "off"}}
		}, "databases[0].tls:"},
		{"database_on_loopback", func(c *Config) { c.Databases = []Database{{Name: "x", Engine: "mysql", Host: "::1", TLS: "off"}} }, ""},
		{"database_twice", func(c *Config) {
			c.Databases = []Database{{Name: "x", Engine: "mysql", Host: "h"}, {Name: "y", Engine: "mariadb", Host: "H", Port: 3306}}
		}, "databases[1].host:"},
		{"database_secret", func(c *Config) {
			c.Databases = []Database{{Name: "x", Engine: "mysql", Host: "h", AdminSecret: "admin"}}
		}, "databases[0].admin-secret:"},
		{"log_level", func(c *Config) { c.Log.Level = "loud" }, "log.level:"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := Default()
			c.set(&cfg)
			err := cfg.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestReferenceIsCurrent(t *testing.T) {
	var want bytes.Buffer
	if err := WriteReference(&want); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/configuration.md is not what the code says: go run ./tool/confdoc")
	}
}
