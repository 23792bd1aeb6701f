package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"

	"sumun.dev/gateway/sigv4"
	"sumun.dev/plane/client"
)

// caller returns a client of the plane that runs with this data folder, as its
// administrator, else as root.
func caller(data string) (*client.Client, error) {
	vars, err := variables(data, "")
	if err != nil {
		return nil, err
	}
	set := map[string]string{}
	for _, v := range vars {
		set[v.name] = v.value
	}
	transport := &http.Transport{} // no proxy: it is this machine
	if ca := set["AWS_CA_BUNDLE"]; ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", ca)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &client.Client{
		HTTP:     &http.Client{Timeout: 2 * time.Minute, Transport: transport},
		Endpoint: set["AWS_ENDPOINT_URL"], Region: set["AWS_REGION"], UserAgent: "sumun",
		Key: sigv4.Credentials{KeyID: set["AWS_ACCESS_KEY_ID"], Secret: set["AWS_SECRET_ACCESS_KEY"]},
	}, nil
}
