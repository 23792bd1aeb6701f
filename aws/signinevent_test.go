package aws

import (
	"encoding/json"
	"testing"
	"time"
)

// A sign-in's record has the members that CloudTrail's have, and no others.
func TestSignInEvents(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	e := SignInEvent{
		Name: "ConsoleLogin", Account: "111122223333", Region: "eu-central-1", Time: at, Identity: map[string]string{"type": "IAMUser"}, User: "ann", SourceIP: "192.0.2.1", UserAgent: "Mozilla/5.0",
		TLS: &TLS{Version: "TLSv1.3", CipherSuite: "TLS_AES_128_GCM_SHA256", ClientProvidedHostHeader: "eu-central-1.signin.aws.amazon.com"}, Additional: map[string]string{"MFAUsed": "No"},
	}
	for _, c := range []struct{ failure, outcome string }{{"", "Success"}, {"Failed authentication", "Failure"}} {
		e.Failure = c.failure
		told, err := e.Event()
		if err != nil {
			t.Fatal(err)
		}
		var r map[string]any
		if err := json.Unmarshal(told.Data, &r); err != nil {
			t.Fatal(err)
		}
		delete(r, "eventID")
		got, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		message := ""
		if c.failure != "" {
			message = `"errorMessage":"` + c.failure + `",`
		}
		want := `{"additionalEventData":{"MFAUsed":"No"},"awsRegion":"eu-central-1",` + message + `"eventCategory":"Management","eventName":"ConsoleLogin","eventSource":"signin.amazonaws.com",` +
			`"eventTime":"2026-01-02T03:04:05Z","eventType":"AwsConsoleSignIn","eventVersion":"1.11","managementEvent":true,"readOnly":false,"recipientAccountId":"111122223333","requestParameters":null,` +
			`"responseElements":{"ConsoleLogin":"` + c.outcome + `"},"sourceIPAddress":"192.0.2.1","tlsDetails":{"cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"eu-central-1.signin.aws.amazon.com","tlsVersion":"TLSv1.3"},` +
			`"userAgent":"Mozilla/5.0","userIdentity":{"type":"IAMUser"}}`
		if string(got) != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if told.Attrs["user"] != "ann" || told.Attrs["decision"] != c.failure || told.Type != "AwsConsoleSignIn" || told.Region != "eu-central-1" {
			t.Errorf("%+v", told)
		}
	}
}
