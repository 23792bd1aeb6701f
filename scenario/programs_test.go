package scenario

import "testing"

// The tunnel is played again with the real program, where it may be used.
func TestTunnelByIodine(t *testing.T) {
	if _, err := findIodine(); err != nil {
		t.Skipf("iodine is not used: %v", err)
	}
	script, err := Read("rehearsals/dns-tunnel.txtar", false)
	if err != nil {
		t.Fatal(err)
	}
	Play(Clock(t, nil), Setting{Programs: true}, script)
}

func TestTheTimelineSteersNoTerminal(t *testing.T) {
	if got := printable("a\x1b[31mb\n\u202ec é…"); got != "a.[31mb..c é…" {
		t.Errorf("%q", got)
	}
}

// What needs packets of others is played where they may be captured.
func TestCapturedAttacks(t *testing.T) {
	if err := canCapture(); err != nil {
		t.Skip(err)
	}
	var scripts []*Script
	for _, name := range []string{"port-scan", "brute-force"} {
		s, err := Read("rehearsals/"+name+".txtar", false)
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, s)
	}
	Play(Clock(t, nil), Setting{Programs: true}, scripts...)
}
