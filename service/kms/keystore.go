package kms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"time"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/xks"
	"sumun.dev/service"
	"sumun.dev/store"
	"sumun.dev/wire"
)

// storeRoutes are those of custom key stores. KMS Developer Guide, "Custom key
// stores", "External key stores".
func (s *Service) storeRoutes() []wire.Route {
	return []wire.Route{
		kmsapi.CreateCustomKeyStore.To(s.createCustomKeyStore, touchStores[*kmsapi.CreateCustomKeyStoreRequest]("kms:CreateCustomKeyStore")),
		kmsapi.DescribeCustomKeyStores.To(s.describeCustomKeyStores, touchStores[*kmsapi.DescribeCustomKeyStoresRequest]("kms:DescribeCustomKeyStores")),
		kmsapi.UpdateCustomKeyStore.To(s.updateCustomKeyStore, touchStores[*kmsapi.UpdateCustomKeyStoreRequest]("kms:UpdateCustomKeyStore")),
		kmsapi.ConnectCustomKeyStore.To(s.connectCustomKeyStore, touchStores[*kmsapi.ConnectCustomKeyStoreRequest]("kms:ConnectCustomKeyStore")),
		kmsapi.DisconnectCustomKeyStore.To(s.disconnectCustomKeyStore, touchStores[*kmsapi.DisconnectCustomKeyStoreRequest]("kms:DisconnectCustomKeyStore")),
		kmsapi.DeleteCustomKeyStore.To(s.deleteCustomKeyStore, touchStores[*kmsapi.DeleteCustomKeyStoreRequest]("kms:DeleteCustomKeyStore")),
	}
}

func (s *Service) storeJobs() []service.Job {
	return []service.Job{{Kind: jobConnect, Run: s.finishConnect}}
}

const (
	jobConnect = "kms.connect"
	maxStores  = 10 // of an account in a region. KMS Developer Guide, "Resource quotas"

	connected    = string(kmsapi.ConnectionStateTypeConnected)
	connecting   = string(kmsapi.ConnectionStateTypeConnecting)
	disconnected = string(kmsapi.ConnectionStateTypeDisconnected)
	failed       = string(kmsapi.ConnectionStateTypeFailed)
)

// A keyStore is a custom key store, kept under its id. Only external key stores are
// ever made.
type keyStore struct {
	ID, Name       string
	Created        time.Time
	State, Error   string // ConnectionState, ConnectionErrorCode
	Endpoint, Path string
	KeyID, Secret  string // what the proxy is signed to with
}

func (t *keyStore) proxy(region aws.Region) xks.Proxy {
	return xks.Proxy{Endpoint: t.Endpoint, Path: t.Path, KeyID: t.KeyID, Secret: t.Secret, Region: string(region)}
}

// touchStores is the touch of operations on custom key stores, which have no ARN.
func touchStores[In any](action string) func(context.Context, In) ([]wire.Touch, error) {
	return func(ctx context.Context, _ In) ([]wire.Touch, error) {
		return []wire.Touch{{Action: action, Conditions: withCaller(ctx, map[string][]string{})}}, nil
	}
}

// ReachKeyStores has external key stores asked through c. It is called before the first call.
func (s *Service) ReachKeyStores(c *xks.Client) { s.outside = c }

// keyStore returns the custom key store with this id.
func (s *Service) keyStore(ctx context.Context, id string) (*keyStore, error) {
	t, err := s.places.Get(ctx, id)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadID) {
		return nil, kmsapi.CustomKeyStoreNotFoundException.New("Custom key store %s does not exist.", id)
	}
	return t, err
}

// allStores returns the stores of the account and region, of which there are few.
func (s *Service) allStores(ctx context.Context) ([]*keyStore, error) {
	rows, err := s.places.Page(ctx, store.Range{Limit: maxStores + 1})
	all := make([]*keyStore, len(rows))
	for i, row := range rows {
		all[i] = row.Value
	}
	return all, err
}

func (s *Service) createCustomKeyStore(ctx context.Context, in *kmsapi.CreateCustomKeyStoreRequest) (*kmsapi.CreateCustomKeyStoreResponse, error) {
	if in.CustomKeyStoreType == nil || *in.CustomKeyStoreType == kmsapi.CustomKeyStoreTypeAwsCloudhsm {
		return nil, noCloudHSM(in.CloudHsmClusterId)
	}
	if in.CloudHsmClusterId != nil || in.TrustAnchorCertificate != nil || in.KeyStorePassword != nil {
		return nil, aws.ValidationException.New("CloudHsmClusterId, TrustAnchorCertificate and KeyStorePassword are not valid for a custom key store of the type EXTERNAL_KEY_STORE.")
	}
	if in.XksProxyUriEndpoint == nil || in.XksProxyUriPath == nil || in.XksProxyAuthenticationCredential == nil || in.XksProxyConnectivity == nil {
		return nil, aws.ValidationException.New("XksProxyUriEndpoint, XksProxyUriPath, XksProxyAuthenticationCredential and XksProxyConnectivity are required for a custom key store of the type EXTERNAL_KEY_STORE.")
	}
	if err := publicOnly(*in.XksProxyConnectivity, in.XksProxyVpcEndpointServiceName); err != nil {
		return nil, err
	}
	c := in.XksProxyAuthenticationCredential
	t := &keyStore{
		ID: newStoreID(), Name: in.CustomKeyStoreName, Created: time.Now().UTC(), State: disconnected,
		Endpoint: *in.XksProxyUriEndpoint, Path: *in.XksProxyUriPath, KeyID: c.AccessKeyId, Secret: c.RawSecretAccessKey,
	}
	all, err := s.unlike(ctx, t)
	if err != nil {
		return nil, err
	}
	if len(all) >= maxStores {
		return nil, kmsapi.LimitExceededException.New("You can have at most %d custom key stores in each account and Region.", maxStores)
	}
	if err := s.checkProxy(ctx, t); err != nil {
		return nil, err
	}
	return &kmsapi.CreateCustomKeyStoreResponse{CustomKeyStoreId: &t.ID}, s.places.Insert(ctx, t.ID, t)
}

func newStoreID() string {
	var b [9]byte
	rand.Read(b[:]) // never fails
	return "cks-" + hex.EncodeToString(b[:])[:17]
}

// noCloudHSM refuses key stores on hardware. There is no cluster here that a store
// could stand on: an HSM by PKCS #11 keeps root keys only.
func noCloudHSM(cluster *string) error {
	if cluster == nil {
		return aws.ValidationException.New("CloudHsmClusterId is required for a custom key store of the type AWS_CLOUDHSM.")
	}
	return kmsapi.CloudHsmClusterNotFoundException.New("There is no AWS CloudHSM cluster %s: key stores reach no hardware security modules (PKCS #11) here.", *cluster)
}

// publicOnly refuses proxies behind VPC endpoint services, which there are none of here.
func publicOnly(how kmsapi.XksProxyConnectivityType, name *string) error {
	if how != kmsapi.XksProxyConnectivityTypeVpcEndpointService {
		if name != nil {
			return aws.ValidationException.New("XksProxyVpcEndpointServiceName is valid for the connectivity VPC_ENDPOINT_SERVICE only.")
		}
		return nil
	}
	if name == nil {
		return aws.ValidationException.New("XksProxyVpcEndpointServiceName is required for the connectivity VPC_ENDPOINT_SERVICE.")
	}
	return kmsapi.XksProxyVpcEndpointServiceNotFoundException.New("There is no VPC endpoint service %s.", *name)
}

// unlike returns the stores there are, and refuses when one has t's name or proxy.
func (s *Service) unlike(ctx context.Context, t *keyStore) ([]*keyStore, error) {
	all, err := s.allStores(ctx)
	if err != nil {
		return nil, err
	}
	for _, other := range all {
		switch {
		case other.ID == t.ID:
		case other.Name == t.Name:
			return nil, kmsapi.CustomKeyStoreNameInUseException.New("Another custom key store in the account and Region has the name %s.", t.Name)
		case other.Endpoint == t.Endpoint && other.Path == t.Path:
			return nil, kmsapi.XksProxyUriInUseException.New("Another external key store in the account and Region has this combination of XksProxyUriEndpoint and XksProxyUriPath.")
		}
	}
	return all, nil
}

// checkProxy refuses a store whose proxy does not answer as it should.
func (s *Service) checkProxy(ctx context.Context, t *keyStore) error {
	call := aws.CallOf(ctx)
	return ofStore(s.outside.Health(ctx, t.proxy(call.Region), xks.Request{Operation: call.Operation, ID: call.RequestID}))
}

const defaultStores = 100 // of a page

func (s *Service) describeCustomKeyStores(ctx context.Context, in *kmsapi.DescribeCustomKeyStoresRequest) (*kmsapi.DescribeCustomKeyStoresResponse, error) {
	if in.CustomKeyStoreId != nil && in.CustomKeyStoreName != nil {
		return nil, aws.ValidationException.New("CustomKeyStoreId and CustomKeyStoreName cannot both be set.")
	}
	all, err := s.allStores(ctx)
	if err != nil {
		return nil, err
	}
	limit, after, bind := defaultStores, "", []string{"kms:DescribeCustomKeyStores", aws.CallOf(ctx).ARN("kms", "").String()}
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	if in.Marker != nil {
		if after, err = s.env.Store.OpenToken(bind, *in.Marker); err != nil {
			return nil, kmsapi.InvalidMarkerException.New("The marker is not valid.")
		}
	}
	out := &kmsapi.DescribeCustomKeyStoresResponse{CustomKeyStores: []kmsapi.CustomKeyStoresListEntry{}, Truncated: new(false)}
	last := ""
	for _, t := range all {
		if t.ID <= after || in.CustomKeyStoreId != nil && t.ID != *in.CustomKeyStoreId || in.CustomKeyStoreName != nil && t.Name != *in.CustomKeyStoreName {
			continue
		}
		if len(out.CustomKeyStores) == limit {
			out.Truncated, out.NextMarker = new(true), new(s.env.Store.NextToken(bind, last))
			break
		}
		out.CustomKeyStores, last = append(out.CustomKeyStores, *t.shown()), t.ID
	}
	if len(out.CustomKeyStores) == 0 && (in.CustomKeyStoreId != nil || in.CustomKeyStoreName != nil) {
		return nil, kmsapi.CustomKeyStoreNotFoundException.New("The custom key store does not exist.")
	}
	return out, nil
}

func (t *keyStore) shown() *kmsapi.CustomKeyStoresListEntry {
	e := &kmsapi.CustomKeyStoresListEntry{
		CustomKeyStoreId: &t.ID, CustomKeyStoreName: &t.Name, CreationDate: &t.Created, ConnectionState: new(kmsapi.ConnectionStateType(t.State)),
		CustomKeyStoreType: new(kmsapi.CustomKeyStoreTypeExternalKeyStore),
		XksProxyConfiguration: &kmsapi.XksProxyConfigurationType{
			Connectivity: new(kmsapi.XksProxyConnectivityTypePublicEndpoint), AccessKeyId: &t.KeyID, UriEndpoint: &t.Endpoint, UriPath: &t.Path,
		},
	}
	if t.Error != "" {
		e.ConnectionErrorCode = new(kmsapi.ConnectionErrorCodeType(t.Error))
	}
	return e
}

// updateCustomKeyStore changes a store: its endpoint while it is disconnected only,
// the rest at any time. KMS API Reference, UpdateCustomKeyStore.
func (s *Service) updateCustomKeyStore(ctx context.Context, in *kmsapi.UpdateCustomKeyStoreRequest) (*kmsapi.UpdateCustomKeyStoreResponse, error) {
	t, err := s.keyStore(ctx, in.CustomKeyStoreId)
	if err != nil {
		return nil, err
	}
	if in.CloudHsmClusterId != nil || in.KeyStorePassword != nil {
		return nil, aws.ValidationException.New("CloudHsmClusterId and KeyStorePassword are not valid for a custom key store of the type EXTERNAL_KEY_STORE.")
	}
	if in.XksProxyConnectivity != nil || in.XksProxyVpcEndpointServiceName != nil {
		how := kmsapi.XksProxyConnectivityTypePublicEndpoint
		if in.XksProxyConnectivity != nil {
			how = *in.XksProxyConnectivity
		}
		if err := publicOnly(how, in.XksProxyVpcEndpointServiceName); err != nil {
			return nil, err
		}
	}
	if t.State == connecting || in.XksProxyUriEndpoint != nil && t.State != disconnected {
		return nil, kmsapi.CustomKeyStoreInvalidStateException.New("The custom key store %s is %s, which is not valid for this operation.", t.ID, t.State)
	}
	before := *t
	set(&t.Name, in.NewCustomKeyStoreName)
	set(&t.Endpoint, in.XksProxyUriEndpoint)
	set(&t.Path, in.XksProxyUriPath)
	if c := in.XksProxyAuthenticationCredential; c != nil {
		t.KeyID, t.Secret = c.AccessKeyId, c.RawSecretAccessKey
	}
	if _, err := s.unlike(ctx, t); err != nil {
		return nil, err
	}
	if t.proxy("") != before.proxy("") {
		if err := s.checkProxy(ctx, t); err != nil {
			return nil, err
		}
	}
	return &kmsapi.UpdateCustomKeyStoreResponse{}, s.places.Put(ctx, t.ID, t)
}

func set(to *string, from *string) {
	if from != nil {
		*to = *from
	}
}

// connectCustomKeyStore begins to connect; what came of it is told by DescribeCustomKeyStores.
func (s *Service) connectCustomKeyStore(ctx context.Context, in *kmsapi.ConnectCustomKeyStoreRequest) (*kmsapi.ConnectCustomKeyStoreResponse, error) {
	t, err := s.keyStore(ctx, in.CustomKeyStoreId)
	if err != nil {
		return nil, err
	}
	if t.State != disconnected {
		return nil, kmsapi.CustomKeyStoreInvalidStateException.New("The custom key store %s is %s. Only a disconnected one can be connected.", t.ID, t.State)
	}
	t.State, t.Error = connecting, ""
	store.Schedule(ctx, store.Due{Kind: jobConnect, ID: t.ID, At: time.Now()})
	return &kmsapi.ConnectCustomKeyStoreResponse{}, s.places.Put(ctx, t.ID, t)
}

func (s *Service) finishConnect(ctx context.Context, due store.Due) error {
	t, err := s.places.Get(ctx, due.ID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || t.State != connecting {
		return err
	}
	err = s.outside.Health(ctx, t.proxy(aws.CallOf(ctx).Region), xks.Request{Operation: "ConnectCustomKeyStore", ID: aws.UUID()})
	if t.State = connected; err != nil {
		t.State, t.Error = failed, string(connectionError(err))
	}
	return s.places.Put(ctx, t.ID, t)
}

// disconnectCustomKeyStore is done at once: no connection is held for a store.
func (s *Service) disconnectCustomKeyStore(ctx context.Context, in *kmsapi.DisconnectCustomKeyStoreRequest) (*kmsapi.DisconnectCustomKeyStoreResponse, error) {
	t, err := s.keyStore(ctx, in.CustomKeyStoreId)
	if err != nil {
		return nil, err
	}
	if t.State == disconnected {
		return nil, kmsapi.CustomKeyStoreInvalidStateException.New("The custom key store %s is %s.", t.ID, t.State)
	}
	t.State, t.Error = disconnected, ""
	store.Unschedule(ctx, jobConnect, t.ID)
	return &kmsapi.DisconnectCustomKeyStoreResponse{}, s.places.Put(ctx, t.ID, t)
}

func (s *Service) deleteCustomKeyStore(ctx context.Context, in *kmsapi.DeleteCustomKeyStoreRequest) (*kmsapi.DeleteCustomKeyStoreResponse, error) {
	t, err := s.keyStore(ctx, in.CustomKeyStoreId)
	if err != nil {
		return nil, err
	}
	if t.State != disconnected {
		return nil, kmsapi.CustomKeyStoreInvalidStateException.New("The custom key store %s is %s. Disconnect it before you delete it.", t.ID, t.State)
	}
	keys, err := s.keys.PageBy(ctx, byStore, t.ID, store.Range{Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(keys) > 0 {
		return nil, kmsapi.CustomKeyStoreHasCMKsException.New("The custom key store %s contains KMS keys. Schedule their deletion, and delete it when they are gone.", t.ID)
	}
	return &kmsapi.DeleteCustomKeyStoreResponse{}, s.places.Delete(ctx, t.ID)
}
