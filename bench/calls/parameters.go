package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"sumun.dev/api/ssmapi"
	"sumun.dev/bench/program"
	"sumun.dev/gateway/sigv4"
)

// byPath reads ten parameters a call.
const byPath = "GetParametersByPath"

const path = "/bench/app"

// parameters makes the ten parameters that are read.
func parameters(ctx context.Context, p *program.Program) error {
	for i := range 10 {
		in := &ssmapi.PutParameterRequest{
			Name: fmt.Sprintf("%s/value-%d", path, i), Value: "a value of some length, as people have them", Type: new(ssmapi.ParameterTypeString),
		}
		if _, err := program.Call(ctx, p, &ssmapi.PutParameter, in); err != nil {
			return err
		}
	}
	return nil
}

// signedByPath returns the bytes of a request for them.
func signedByPath(at *url.URL, as sigv4.Credentials) ([]byte, error) {
	return signedJSON(at, as, "ssm", "AmazonSSM.GetParametersByPath", `{"Path":"`+path+`"}`)
}

// signedJSON returns the bytes of a request in JSON 1.1.
func signedJSON(at *url.URL, as sigv4.Credentials, service, target, text string) ([]byte, error) {
	body := []byte(text)
	r, err := http.NewRequest(http.MethodPost, at.String()+"/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-amz-json-1.1")
	r.Header.Set("X-Amz-Target", target)
	sigv4.Sign(r, body, as, sigv4.Scope{Region: "us-east-1", Service: service}, 0, time.Now())
	var out bytes.Buffer
	err = r.Write(&out)
	return out.Bytes(), err
}
