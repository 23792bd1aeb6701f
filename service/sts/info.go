package sts

import (
	"context"
	"encoding/json"

	"sumun.dev/api/stsapi"
	"sumun.dev/aws"
)

func (s *Service) getAccessKeyInfo(ctx context.Context, in *stsapi.GetAccessKeyInfoRequest) (*stsapi.GetAccessKeyInfoResponse, error) {
	// The key of a plane's first start may be the user's own and tell another account.
	if account, known := s.known.Holder(ctx, in.AccessKeyId); known {
		return &stsapi.GetAccessKeyInfoResponse{Account: new(string(account))}, nil
	}
	account, ok := aws.AccountOf(in.AccessKeyId)
	if !ok || in.AccessKeyId[:4] != "AKIA" && in.AccessKeyId[:4] != "ASIA" {
		return nil, validationError.New("The access key ID %s is not valid.", in.AccessKeyId)
	}
	return &stsapi.GetAccessKeyInfoResponse{Account: new(string(account))}, nil
}

// maxMessage bounds an encoded message in characters. STS API Reference,
// DecodeAuthorizationMessage.
const maxMessage = 10_240

// decodeMessage shows why a call was refused, to the account that was refused.
func (s *Service) decodeMessage(ctx context.Context, in *stsapi.DecodeAuthorizationMessageRequest) (*stsapi.DecodeAuthorizationMessageResponse, error) {
	invalid := stsapi.InvalidAuthorizationMessageException.New("Message is not valid")
	text, err := s.env.Store.OpenTokenOf(maxMessage, []string{"sts.authorization"}, in.EncodedMessage)
	if err != nil || text == "" {
		return nil, invalid
	}
	var message struct {
		Context struct {
			Principal struct {
				ARN string `json:"arn"`
			} `json:"principal"`
		} `json:"context"`
	}
	if err := json.Unmarshal([]byte(text), &message); err != nil {
		return nil, err
	}
	who, err := aws.ParseARN(message.Context.Principal.ARN)
	if err != nil || who.Account != aws.CallOf(ctx).Account {
		return nil, invalid
	}
	return &stsapi.DecodeAuthorizationMessageResponse{DecodedMessage: &text}, nil
}
