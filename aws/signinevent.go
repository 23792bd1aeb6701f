package aws

import "time"

// SignInSource is the service that signs people in, as it stands in the trail and
// in policies.
const SignInSource = "signin.amazonaws.com"

// A SignInEvent is what the trail keeps of a step of signing in to the console.
// CloudTrail User Guide, "AWS Management Console sign-in events".
type SignInEvent struct {
	Name    string // "ConsoleLogin"
	Account Account
	Region  Region
	Time    time.Time
	Failure string // errorMessage; empty when the step succeeded

	Identity    any    // userIdentity
	User        string // by whom LookupEvents finds it
	AccessKeyID string // of the temporary credentials that are signed in with

	SourceIP, UserAgent string
	TLS                 *TLS
	Additional          any // additionalEventData
}

// Event writes the record.
func (e *SignInEvent) Event() (Event, error) {
	outcome := "Success"
	if e.Failure != "" {
		outcome = "Failure"
	}
	r := uncalled{
		Identity: e.Identity, Source: SignInSource, Name: e.Name, Region: e.Region, SourceIP: e.SourceIP, Agent: e.UserAgent, Message: e.Failure,
		Answered: map[string]string{e.Name: outcome}, Additional: e.Additional, Type: "AwsConsoleSignIn", Recipient: e.Account,
	}
	if t := e.TLS; t != nil && t.Version != "" {
		r.TLS = map[string]string{"tlsVersion": t.Version, "cipherSuite": t.CipherSuite, "clientProvidedHostHeader": t.ClientProvidedHostHeader}
	}
	told, err := r.event(e.Time)
	if err != nil {
		return Event{}, err
	}
	if e.User != "" {
		told.Attrs["user"] = e.User
	}
	if e.Failure != "" {
		told.Attrs["decision"] = e.Failure // beside the record, for those who ask why
	}
	if e.AccessKeyID != "" {
		told.Attrs["accessKeyId"] = e.AccessKeyID
	}
	return told, nil
}
