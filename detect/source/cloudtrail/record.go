// Package cloudtrail reads CloudTrail records.
package cloudtrail

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sumun.dev/aws"
	"sumun.dev/detect/record"
)

// maxRecord bounds a record, in bytes: CloudTrail's own have at most 256 KiB, or
// 1 MiB in event data stores.
const maxRecord = 4 << 20

// entry has the fields of User Guide, "CloudTrail record contents", that anybody
// looks at.
type entry struct {
	EventTime           string         `json:"eventTime"`
	UserIdentity        identity       `json:"userIdentity"`
	EventSource         string         `json:"eventSource"`
	EventName           string         `json:"eventName"`
	AwsRegion           string         `json:"awsRegion"`
	SourceIPAddress     string         `json:"sourceIPAddress"`
	UserAgent           string         `json:"userAgent"`
	ErrorCode           string         `json:"errorCode"`
	ErrorMessage        string         `json:"errorMessage"`
	RequestParameters   jsontext.Value `json:"requestParameters"`
	ResponseElements    jsontext.Value `json:"responseElements"`
	AdditionalEventData jsontext.Value `json:"additionalEventData"`
	ServiceEventDetails jsontext.Value `json:"serviceEventDetails"`
	RequestID           string         `json:"requestID"`
	EventID             string         `json:"eventID"`
	EventType           string         `json:"eventType"`
	ReadOnly            *bool          `json:"readOnly"`
	ManagementEvent     *bool          `json:"managementEvent"`
	Resources           []struct {
		ARN       string `json:"ARN"`
		AccountID string `json:"accountId"`
		Type      string `json:"type"`
	} `json:"resources"`
	RecipientAccountID           string `json:"recipientAccountId"`
	SharedEventID                string `json:"sharedEventID"`
	VPCEndpointID                string `json:"vpcEndpointId"`
	EventCategory                string `json:"eventCategory"`
	SessionCredentialFromConsole string `json:"sessionCredentialFromConsole"`
	TLSDetails                   struct {
		ClientProvidedHostHeader string `json:"clientProvidedHostHeader"`
	} `json:"tlsDetails"`
}

type identity struct {
	Type             string `json:"type"`
	PrincipalID      string `json:"principalId"`
	ARN              string `json:"arn"`
	AccountID        string `json:"accountId"`
	AccessKeyID      string `json:"accessKeyId"`
	UserName         string `json:"userName"`
	InvokedBy        string `json:"invokedBy"`
	IdentityProvider string `json:"identityProvider"`
	SessionContext   struct {
		SessionIssuer struct {
			Type        string `json:"type"`
			PrincipalID string `json:"principalId"`
			ARN         string `json:"arn"`
			AccountID   string `json:"accountId"`
			UserName    string `json:"userName"`
		} `json:"sessionIssuer"`
		WebIDFederationData struct {
			FederatedProvider string `json:"federatedProvider"`
		} `json:"webIdFederationData"`
		Attributes struct {
			CreationDate     string `json:"creationDate"`
			MFAAuthenticated string `json:"mfaAuthenticated"`
		} `json:"attributes"`
		SourceIdentity  string `json:"sourceIdentity"`
		EC2RoleDelivery string `json:"ec2RoleDelivery"`
		AssumedRoot     string `json:"assumedRoot"`
	} `json:"sessionContext"`
	OnBehalfOf struct {
		UserID string `json:"userId"`
	} `json:"onBehalfOf"`
}

// lenient takes what real logs hold: a name twice, of which the last counts, and
// bytes that are no UTF-8, which become U+FFFD.
var lenient = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))

// Read reads one record, a JSON object. What it does not know, it skips.
func Read(b []byte) (*record.Record, error) {
	if len(b) > maxRecord {
		return nil, errors.New("the record is larger than 4 MiB")
	}
	var e entry
	if err := json.Unmarshal(b, &e, lenient); err != nil {
		return nil, fmt.Errorf("CloudTrail record: %w", err)
	}
	if e.EventName == "" || e.EventSource == "" {
		return nil, errors.New("CloudTrail record: no eventName or no eventSource")
	}
	at, err := time.Parse(time.RFC3339, e.EventTime)
	if err != nil {
		// So CloudTrail Lake writes it in the results of queries.
		if lake, other := time.Parse("2006-01-02 15:04:05", e.EventTime); other == nil {
			at, err = lake, nil
		}
	}
	if err != nil {
		return nil, fmt.Errorf("CloudTrail record: eventTime: %w", err)
	}
	u, session := &e.UserIdentity, &e.UserIdentity.SessionContext
	a := &record.API{
		Service: e.EventSource, Operation: e.EventName, Type: e.EventType,
		ReadOnly:   e.ReadOnly != nil && *e.ReadOnly,
		SaysRead:   e.ReadOnly != nil,
		Category:   e.EventCategory,
		Management: e.ManagementEvent == nil && e.EventCategory != "Data" || e.ManagementEvent != nil && *e.ManagementEvent,
		Error:      e.ErrorCode, Message: e.ErrorMessage, RequestID: e.RequestID, SharedID: e.SharedEventID,
		Source: e.SourceIPAddress, Agent: e.UserAgent, VPCEndpoint: e.VPCEndpointID, Host: e.TLSDetails.ClientProvidedHostHeader,
		Request: record.NewDocument(e.RequestParameters), Response: record.NewDocument(e.ResponseElements),
		Additional: record.NewDocument(e.AdditionalEventData), Details: record.NewDocument(e.ServiceEventDetails),
		Actor: record.Actor{
			Type: u.Type, ID: u.PrincipalID, ARN: u.ARN, Account: u.AccountID, AccessKey: u.AccessKeyID, Name: u.UserName,
			InvokedBy: u.InvokedBy, Provider: u.IdentityProvider, SourceID: session.SourceIdentity,
			Issuer: record.Issuer{
				Type: session.SessionIssuer.Type, ID: session.SessionIssuer.PrincipalID, ARN: session.SessionIssuer.ARN,
				Account: session.SessionIssuer.AccountID, Name: session.SessionIssuer.UserName,
			},
			MFA: session.Attributes.MFAAuthenticated == "true", Delivery: session.EC2RoleDelivery,
			RootOf: session.AssumedRoot == "true", OnConsole: e.SessionCredentialFromConsole == "true", OnBehalfOf: u.OnBehalfOf.UserID,
		},
	}
	if a.Actor.Provider == "" {
		a.Actor.Provider = session.WebIDFederationData.FederatedProvider
	}
	if ip, err := netip.ParseAddr(e.SourceIPAddress); err == nil {
		a.IP = ip.Unmap()
	}
	if s := session.Attributes.CreationDate; s != "" {
		a.Actor.Created, _ = time.Parse(time.RFC3339, s) // what cannot be read is not known
	}
	for _, r := range e.Resources {
		a.Resources = append(a.Resources, record.Resource{ARN: r.ARN, Account: r.AccountID, Type: r.Type})
	}
	account := e.RecipientAccountID
	if account == "" {
		account = u.AccountID
	}
	return &record.Record{
		Class: record.APIActivity, Time: at.UTC(), ID: e.EventID,
		Account: aws.Account(account), Region: aws.Region(e.AwsRegion), API: a,
	}, nil
}
