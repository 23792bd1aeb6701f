package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sumun.dev/gateway"
	"sumun.dev/plane/config"
	"sumun.dev/plane/runtime"
)

func explain() *cobra.Command {
	data, asJSON := config.Default().Data, false
	c := &cobra.Command{
		Use:   "explain [REQUEST-ID]",
		Short: "Say why the running plane allowed or refused a call",
		Long: `Explain shows every policy that was consulted for a call, the statements that
are about it, and the one that decided, with the values that its conditions
wanted and got. Clients show a call's request id in their errors and in the
header x-amzn-RequestId; without one, the newest refusal is explained: this
node's or, when it remembers none, any node's.

The plane remembers the last calls; refusals of the last 24 hours are found in
the trail, also after a restart and when another node refused.`,
		Example: `  sumun explain
  sumun explain 5d7c2c2e-9d3f-4c55-8f0e-0e8d1b0d5a10 --json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			text, err := explanation(data, strings.Join(args, ""))
			if err != nil {
				return err
			}
			if asJSON {
				return indent(c.OutOrStdout(), text)
			}
			var x gateway.Explanation
			if err := json.Unmarshal(text, &x); err != nil {
				return fmt.Errorf("the plane's answer cannot be read: %w", err)
			}
			var b bytes.Buffer
			x.Write(&b)
			_, err = c.OutOrStdout().Write(b.Bytes())
			return err
		},
	}
	c.Flags().StringVar(&data, "data", data, "data folder of the plane, or ':memory:'")
	c.Flags().BoolVar(&asJSON, "json", asJSON, "print all that was consulted, as JSON")
	return c
}

// maxExplanation bounds what is read of the plane's answer.
const maxExplanation = 64 << 20

// explanation asks the plane with this data folder.
func explanation(data, id string) ([]byte, error) {
	note, err := runtime.Read(data)
	if errors.Is(err, runtime.ErrNotRunning) {
		return nil, fmt.Errorf("no plane runs with data folder %s; start one with 'sumun up', or name its folder with --data", data)
	}
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: time.Minute, Transport: &http.Transport{}} // no proxy: it is this machine
	defer client.CloseIdleConnections()
	r, err := client.Get(note.Admin + "/explain?id=" + url.QueryEscape(id))
	if err != nil {
		return nil, fmt.Errorf("no plane runs with data folder %s: its note names process %d, but nothing answers there: %w", data, note.PID, err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(io.LimitReader(r.Body, maxExplanation))
	switch {
	case err != nil:
		return nil, err
	case r.StatusCode == http.StatusNotFound && id == "":
		return nil, errors.New("no call was refused in the last 24 hours")
	case r.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("nothing is known of request %s: calls that were allowed are remembered for a while only, refused ones for 24 hours", id)
	case r.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the plane answers %s: %s", r.Status, bytes.TrimSpace(text))
	}
	return text, nil
}

func indent(w io.Writer, text []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, bytes.TrimSpace(text), "", "  "); err != nil {
		return fmt.Errorf("the plane's answer cannot be read: %w", err)
	}
	b.WriteByte('\n')
	_, err := w.Write(b.Bytes())
	return err
}
