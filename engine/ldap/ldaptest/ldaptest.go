// Package ldaptest runs a real OpenLDAP for tests.
package ldaptest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A Directory is a running slapd with an empty dc=example,dc=com.
type Directory struct {
	URL, AdminDN, Password string

	SecureURL string // of the listener that speaks TLS from the start
	CA        string // PEM file of the authority that vouches for it, as 127.0.0.1

	folder string
}

// settings are slapd's: a database in a folder, no access without a password.
const settings = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCertificateFile %[1]s/server.pem
TLSCertificateKeyFile %[1]s/server.key
sizelimit size.soft=500 size.hard=500 size.pr=unlimited size.prtotal=unlimited
database mdb
maxsize 104857600
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw %[2]s
directory %[1]s/data
access to attrs=userPassword by anonymous auth by * none
access to * by users read by * none
`

// Start runs a slapd of its own on a free port, with what ldif adds, until the test
// ends. Where slapd is missing the test is skipped; with SUMUN_TEST_REQUIRE it fails.
func Start(t testing.TB, ldif string) *Directory {
	t.Helper()
	slapd, err := exec.LookPath("slapd")
	if err != nil {
		if slapd = "/usr/sbin/slapd"; !exists(slapd) {
			missing := "OpenLDAP is missing: apt-get install slapd ldap-utils"
			if os.Getenv("SUMUN_TEST_REQUIRE") != "" {
				t.Fatal(missing)
			}
			t.Skip(missing)
		}
	}
	d := &Directory{AdminDN: "cn=admin,dc=example,dc=com", Password: "admins-password", folder: t.TempDir()}
	if err := os.Mkdir(filepath.Join(d.folder, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(d.folder, "slapd.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, settings, d.folder, d.Password), 0o600); err != nil {
		t.Fatal(err)
	}
	d.CA = certify(t, d.folder)
	address, secure := freeAddress(t), freeAddress(t)
	d.URL, d.SecureURL = "ldap://"+address, "ldaps://"+secure
	var said bytes.Buffer
	cmd := exec.Command(slapd, "-f", conf, "-h", d.URL+" "+d.SecureURL, "-d", "0")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended already
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	d.wait(t, address, ended, &said)
	d.wait(t, secure, ended, &said)
	d.Add(t, "dn: dc=example,dc=com\nobjectClass: dcObject\nobjectClass: organization\ndc: example\no: Example\n\n"+strings.TrimLeft(ldif, "\n"))
	return d
}

func exists(file string) bool { _, err := os.Stat(file); return err == nil }

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// wait returns when slapd takes connections.
func (d *Directory) wait(t testing.TB, address string, ended chan error, said *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("slapd ended: %v\n%s", err, said)
		case <-ctx.Done():
			t.Fatal("slapd takes no connections")
		case <-tick.C:
		}
	}
}

// Add adds entries, written in LDIF.
func (d *Directory) Add(t testing.TB, ldif string) { t.Helper(); d.run(t, "ldapadd", ldif) }

// Modify changes entries, by change records in LDIF.
func (d *Directory) Modify(t testing.TB, ldif string) { t.Helper(); d.run(t, "ldapmodify", ldif) }

func (d *Directory) run(t testing.TB, tool, ldif string) {
	t.Helper()
	cmd := exec.Command(tool, "-x", "-H", d.URL, "-D", d.AdminDN, "-w", d.Password)
	cmd.Stdin = strings.NewReader(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, out)
	}
}
