package scenario

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// metadata [-b ADDRESS] PATH
//
// metadata asks the plane's instance metadata service, as the host with this address,
// and prints the answer: it begins a session, then asks for /latest/PATH.
func (s *step) metadata(args []string) error {
	from := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if len(args) == 3 && args[0] == "-b" {
		at, err := netip.ParseAddr(args[1])
		if err != nil || !at.IsLoopback() {
			return misused("metadata: -b %s is not a loopback address", args[1])
		}
		from, args = at, args[2:]
	}
	if len(args) != 1 || strings.HasPrefix(args[0], "-") {
		return misused("usage: metadata [-b ADDRESS] PATH, such as meta-data/iam/security-credentials/")
	}
	ask := func(method, path, header, value string) (string, error) {
		ctx, cancel := context.WithTimeout(s.ctx, patience)
		defer cancel()
		client := &http.Client{Transport: s.stage.dials(from), CheckRedirect: noRedirect}
		r, err := http.NewRequestWithContext(ctx, method, s.stage.metadata()+path, nil)
		if err != nil {
			return "", misused("metadata: %v", err)
		}
		r.Header.Set(header, value)
		resp, err := client.Do(r)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("metadata: %s", resp.Status)
		}
		return string(body), err
	}
	token, err := ask(http.MethodPut, "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60")
	if err != nil {
		return s.failed(err)
	}
	text, err := ask(http.MethodGet, "/latest/"+strings.TrimPrefix(args[0], "/"), "X-aws-ec2-metadata-token", token)
	if err != nil {
		return s.failed(err)
	}
	s.tell(Moment{At: time.Now(), Kind: "metadata", Who: from.String(), What: args[0], Then: "answered"})
	_, err = fmt.Fprintln(s.out, text)
	return err
}

// failed puts what went wrong on standard error.
func (s *step) failed(err error) error {
	fmt.Fprintln(s.errs, err)
	return errFailed
}
