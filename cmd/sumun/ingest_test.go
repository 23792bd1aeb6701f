package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"sumun.dev/api/guarddutyapi"
)

// flowsFrom are flows of a scan: columns above, then a line for each port.
func flowsFrom(instance string, ports int) (columns string, lines []string) {
	for port := range ports {
		lines = append(lines, fmt.Sprintf("%d %d ACCEPT 10.0.0.1 198.51.100.99 40000 %d 6 1 40 %s eni-1", time.Now().Unix()+int64(port), time.Now().Unix()+int64(port)+1, 1000+port, instance))
	}
	return "start end action srcaddr dstaddr srcport dstport protocol packets bytes instance-id interface-id", lines
}

// scanned waits until a scan by an instance is found.
func (p *program) scanned(detector, instance string) {
	p.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		ids := must(p, &guarddutyapi.ListFindings, &guarddutyapi.ListFindingsRequest{DetectorId: detector, FindingCriteria: &guarddutyapi.FindingCriteria{
			Criterion: map[string]guarddutyapi.Condition{"resource.instanceDetails.instanceId": {Equals: []string{instance}}},
		}}).FindingIds
		if len(ids) > 0 {
			return
		}
		if time.Now().After(deadline) {
			p.t.Fatalf("no finding about %s", instance)
		}
	}
}

// Logs are sent in from files, packed or not, from standard input, and as they are
// written; each is judged.
func TestIngest(t *testing.T) {
	p := newProgram(t, crashConfig)
	p.start()
	defer func() { p.kill() }()
	detector := *must(p, &guarddutyapi.CreateDetector, &guarddutyapi.CreateDetectorRequest{Enable: true}).DetectorId
	place := []string{"--account", "111122223333", "--region", "us-east-1"}
	folder := t.TempDir()
	write := func(name string, content []byte) string {
		t.Helper()
		name = filepath.Join(folder, name)
		ok(t, os.WriteFile(name, content, 0o600))
		return name
	}
	columns, lines := flowsFrom("i-00000000000000001", 60)
	text := []byte(columns + "\n" + strings.Join(lines, "\n") + "\nrubbish\n")
	if out, err := p.sumun("ingest", write("nowhere.log", text)); err == nil || !strings.Contains(out, "does not say whose it is") {
		t.Errorf("%v\n%s", err, out)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(text)
	ok(t, err)
	ok(t, z.Close())
	out, err := p.sumun(append(place, "ingest", write("flows.gz", packed.Bytes()))...)
	if err != nil || !strings.Contains(out, "VPC flow log: 60 records\n") || !strings.Contains(out, "unreadable: 1\n") {
		t.Errorf("%v\n%s", err, out)
	}
	p.scanned(detector, "i-00000000000000001")

	// A file that grows: its columns are known to all that is sent of it.
	columns, lines = flowsFrom("i-00000000000000002", 30)
	_, more := flowsFrom("i-00000000000000003", 30)
	growing := write("growing.log", []byte(columns+"\n"))
	cmd := exec.Command(os.Args[0], append([]string{"ingest", "--follow", growing, "--data", p.data}, place...)...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	ok(t, cmd.Start())
	f, err := os.OpenFile(growing, os.O_APPEND|os.O_WRONLY, 0)
	ok(t, err)
	for i, line := range append(lines, more...) {
		if i == 30 {
			p.scanned(detector, "i-00000000000000002")
			p.kill() // and starts on another port
			p.start()
		}
		_, err := f.WriteString(line + "\n")
		ok(t, err)
	}
	ok(t, f.Close())
	p.scanned(detector, "i-00000000000000003")
	ok(t, cmd.Process.Signal(os.Interrupt))
	if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), "VPC flow log: 60 records") {
		t.Errorf("%v\n%s", err, said.String())
	}

	// The door takes nothing from whoever does not have the token.
	for _, token := range []string{"", "Bearer ", "Bearer x"} {
		r, err := http.NewRequest(http.MethodPost, p.note.Admin+"/ingest", strings.NewReader("x"))
		ok(t, err)
		r.Header.Set("Authorization", token)
		resp, err := http.DefaultClient.Do(r)
		ok(t, err)
		resp.Body.Close()
		if resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("%q: %s", token, resp.Status)
		}
	}
}
