package scenario

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// ingest FILE
//
// ingest sends a log to the plane, as a log shipper does by HTTP, and prints what
// became of it: records by format.
func (s *step) ingest(args []string) error {
	if len(args) != 1 {
		return misused("usage: ingest FILE")
	}
	text, err := s.ReadFile(args[0])
	if err != nil {
		return misused("ingest: %v", err)
	}
	in, ok := s.stage.(*inside)
	if !ok || in.virtual {
		return misused("ingest: needs a plane with listeners; play this scenario with 'sumun rehearse'")
	}
	note := in.plane.Note()
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, note.Admin+"/ingest?account="+s.account+"&region="+s.region, strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+note.Token)
	resp, err := s.stage.dials(loopback.AddrPort().Addr()).RoundTrip(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		fmt.Fprintf(s.errs, "%s\n", body)
		return errFailed
	}
	_, err = fmt.Fprintf(s.out, "%s\n", body)
	return err
}

// lineOf finds what an ingested record says by its id, or that of the piece of the
// log that it came in.
func lineOf(data []byte, piece bool, id string) (string, bool) {
	var text string
	if json.Unmarshal(data, &text) != nil {
		return "", false
	}
	for line := range strings.Lines(text) {
		if piece && !strings.HasPrefix(line, "version ") || strings.Contains(line, id) {
			return strings.TrimSpace(line), true
		}
	}
	return "", false
}
