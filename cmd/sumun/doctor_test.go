package main

import (
	"bytes"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sumun.dev/plane"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
)

func TestDoctorNamesWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		name    string
		spoil   func(t *testing.T, folder string)
		args    []string
		want    string
		healthy bool
	}{
		{name: "nothing", want: "root key opens the data", healthy: true},
		{name: "other_root_key", want: "WRONG  the data was sealed under another root key", spoil: func(t *testing.T, folder string) {
			other := keptPlane(t)
			ok(t, os.Rename(filepath.Join(other, plane.RootKeyFile), filepath.Join(folder, plane.RootKeyFile)))
		}},
		{name: "no_root_key", want: "WRONG  there is data, but no root key", spoil: func(t *testing.T, folder string) {
			ok(t, os.Remove(filepath.Join(folder, plane.RootKeyFile)))
		}},
		{name: "readable_folder", want: "WRONG  others can read", spoil: func(t *testing.T, folder string) {
			ok(t, os.Chmod(folder, 0o755))
		}},
		{name: "readable_keys", want: "credentials.json: chmod 600", spoil: func(t *testing.T, folder string) {
			ok(t, os.Chmod(filepath.Join(folder, runtime.CredentialsFile), 0o644))
		}},
		{name: "no_keys", want: "note   ", healthy: true, spoil: func(t *testing.T, folder string) {
			ok(t, os.Remove(filepath.Join(folder, runtime.CredentialsFile)))
		}},
		{name: "taken_port", want: "WRONG  " + taken.Addr().String() + " cannot be listened on", spoil: func(t *testing.T, folder string) {
			ok(t, os.WriteFile(filepath.Join(folder, "c.yaml"), []byte("data: /nowhere\nlisten: "+taken.Addr().String()+"\n"), 0o600))
		}, args: []string{"--config", "c.yaml"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := keptPlane(t)
			t.Chdir(folder)
			ok(t, os.WriteFile("free.yaml", []byte("listen: 127.0.0.1:0\nadmin: 127.0.0.1:0\ndns: {listen: 127.0.0.1:0}\n"), 0o600))
			if c.spoil != nil {
				c.spoil(t, folder)
			}
			if c.args == nil {
				c.args = []string{"--config", "free.yaml"}
			}
			var out bytes.Buffer
			d := doctor()
			d.SilenceErrors, d.SilenceUsage = true, true
			d.SetOut(&out)
			d.SetArgs(append(c.args, "--data", folder))
			err := d.Execute()
			if !strings.Contains(out.String(), c.want) || (err == nil) != c.healthy {
				t.Errorf("%v, wants %q:\n%s", err, c.want, &out)
			}
		})
	}
}

// keptPlane returns the folder of a plane that has run and ended.
func keptPlane(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "data")
	cfg := config.Default()
	cfg.Data = folder
	p, err := plane.New(t.Context(), cfg, plane.Options{Log: slog.New(slog.DiscardHandler), MemorySpine: true, NoUpstreams: true})
	ok(t, err)
	ok(t, p.Close(t.Context()))
	return folder
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
