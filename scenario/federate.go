package scenario

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// federate [NAME=VALUE…]
//
// federate plays an identity broker: it gives the present temporary credentials to the
// federation endpoint, and prints the sign-in token that it gets and the URL with which
// a browser signs in to the console. NAME is a parameter of either request.
// IAM User Guide, "Enable custom identity broker access to the AWS console".
func (s *step) federate(args []string) error {
	session, err := json.Marshal(map[string]string{"sessionId": s.current.KeyID, "sessionKey": s.current.Secret, "sessionToken": s.current.Token})
	if err != nil {
		return err
	}
	ask := url.Values{"Action": {"getSigninToken"}, "Session": {string(session)}}
	login := url.Values{"Action": {"login"}, "Issuer": {"https://broker.example.com"}, "Destination": {"https://console.aws.amazon.com/"}}
	for _, arg := range args {
		name, value, ok := pairOf(arg)
		switch {
		case !ok:
			return misused("usage: federate [NAME=VALUE…]")
		case name == "Issuer" || name == "Destination":
			login.Set(name, value)
		default:
			ask.Set(name, value)
		}
	}
	client, endpoint := s.api()
	const path = "/_signin/federation?"
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, endpoint+path+ask.Encode(), http.NoBody)
	if err != nil {
		return err
	}
	resp, body, err := answerTo(client, req)
	if err != nil {
		return err
	}
	var token struct{ SigninToken string }
	if resp.StatusCode != http.StatusOK {
		fmt.Fprintf(s.errs, "%s\n%s\n", resp.Status, body)
		return errFailed
	}
	if err := json.Unmarshal(body, &token); err != nil {
		return err
	}
	login.Set("SigninToken", token.SigninToken)
	text, err := json.Marshal(map[string]string{"SigninToken": token.SigninToken, "URL": endpoint + path + login.Encode()})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s\n", text)
	return err
}
