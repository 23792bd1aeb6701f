package kms

import (
	"errors"

	"sumun.dev/api/kmsapi"
	"sumun.dev/aws"
	"sumun.dev/engine/xks"
)

// What a proxy does wrong is told in AWS's words; which exception carries them
// depends on what was asked. External Key Store Proxy API Specification, "Error
// codes", "KMS Considerations".

// An outage is what callers are told of a kind of failure.
type outage struct {
	message  string
	ofStore  aws.ErrorKind // CreateCustomKeyStore, UpdateCustomKeyStore
	creation aws.ErrorKind // CreateKey
	code     kmsapi.ConnectionErrorCodeType
}

func outageOf(k xks.Kind) outage {
	invalid, reach := kmsapi.XksProxyInvalidResponseException, kmsapi.XksProxyUriUnreachableException
	state, configuration := kmsapi.CustomKeyStoreInvalidStateException, kmsapi.XksKeyInvalidConfigurationException
	switch k {
	case xks.InvalidState:
		return outage{"The external key associated with this KMS key in an external key store is not enabled in the external key manager. Enable the external key in the external key manager and retry the request.",
			invalid, configuration, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidResponse}
	case xks.InvalidCiphertext:
		return outage{"The external key store proxy rejected the request because the specified ciphertext or encryption context is corrupted, missing, or otherwise invalid.",
			invalid, state, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidResponse}
	case xks.Corrupt:
		return outage{"The ciphertext that the external key store proxy submitted for decryption, or the encryption context, is corrupted, missing, or otherwise invalid.",
			invalid, state, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidResponse}
	case xks.InvalidKeyUsage:
		return outage{"The external key associated with this KMS key in an external key store does not support the requested operation. Enable the operation on the key in your external key manager, and try the request again.",
			invalid, configuration, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidResponse}
	case xks.AuthenticationFailed:
		return outage{"The external key store proxy rejected the request because it could not authenticate AWS KMS. Verify the XKS proxy authentication credentials for your external key store and update if necessary.",
			kmsapi.XksProxyIncorrectAuthenticationCredentialException, state, kmsapi.ConnectionErrorCodeTypeInvalidCredentials}
	case xks.AccessDenied:
		return outage{"The external key store proxy denied access to the operation. Verify that the user and the external key are both authorized for this operation, and try the request again.",
			invalid, kmsapi.KMSInvalidStateException, kmsapi.ConnectionErrorCodeTypeXksProxyAccessDenied}
	case xks.KeyNotFound:
		return outage{"The external key associated with this KMS key in an external key store was not found in its external key manager. If the external key ID associated with this KMS key is incorrect, create a new KMS key with the correct external key ID.",
			invalid, kmsapi.XksKeyNotFoundException, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidResponse}
	case xks.InvalidURIPath:
		return outage{"The external key store proxy rejected the request because of an invalid URI path. Verify the URI path for your external key store and update if necessary.",
			kmsapi.XksProxyInvalidConfigurationException, state, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidConfiguration}
	case xks.Unsupported:
		return outage{"The external key store proxy rejected the request because it does not support the requested operation. If you see this error repeatedly, report it to your external key store proxy administrator.",
			invalid, configuration, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidResponse}
	case xks.DependencyTimeout:
		return outage{"The external key store proxy did not respond to the request in the time allotted. Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator.",
			reach, state, kmsapi.ConnectionErrorCodeTypeXksProxyTimedOut}
	case xks.Throttled:
		return outage{"The external key store proxy rejected the request due to a very high request rate. Reduce the frequency of your calls using KMS keys in this external key store.",
			reach, state, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidResponse}
	case xks.Internal, xks.Unavailable:
		o := outage{"The external key store proxy rejected the request because it cannot communicate with the external key manager. Verify that the external key store proxy configuration is correct and that the external key manager is available.",
			invalid, state, kmsapi.ConnectionErrorCodeTypeInternalError}
		if k == xks.Unavailable {
			o.ofStore = reach
		}
		return o
	case xks.Unreachable:
		return outage{"AWS KMS cannot communicate with the external key store proxy. This might be a transient network issue. If you see this error repeatedly, verify that your external key store proxy is active and is connected to the network, and that its endpoint URI is correct in your external key store.",
			reach, state, kmsapi.ConnectionErrorCodeTypeXksProxyNotReachable}
	case xks.Insecure:
		return outage{"AWS KMS cannot establish a TLS connection to the external key store proxy. Verify the TLS configuration, including its certificate.",
			reach, state, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidTlsConfiguration}
	case xks.TimedOut:
		return outage{"AWS KMS rejected the request because the external key store proxy did not respond in time. Retry the request. If you see this error repeatedly, report it to your external key store proxy administrator.",
			reach, state, kmsapi.ConnectionErrorCodeTypeXksProxyTimedOut}
	}
	return outage{"AWS KMS cannot interpret the response from the external key store proxy. If you see this error repeatedly, report it to your external key store proxy administrator.",
		invalid, state, kmsapi.ConnectionErrorCodeTypeXksProxyInvalidResponse}
}

// translate makes of a proxy's failure the error that pick chooses.
func translate(err error, pick func(outage) aws.ErrorKind) error {
	var f *xks.Failure
	if !errors.As(err, &f) {
		return err
	}
	o := outageOf(f.Kind)
	told := pick(o).New("%s", o.message)
	told.Cause = err
	return told
}

func ofStore(err error) error {
	return translate(err, func(o outage) aws.ErrorKind { return o.ofStore })
}
func ofCreation(err error) error {
	return translate(err, func(o outage) aws.ErrorKind { return o.creation })
}

// ofKey is for cryptographic operations, all of whose callers know one exception for this.
func ofKey(err error) error {
	return translate(err, func(outage) aws.ErrorKind { return kmsapi.KMSInvalidStateException })
}

func connectionError(err error) kmsapi.ConnectionErrorCodeType {
	var f *xks.Failure
	if !errors.As(err, &f) {
		return kmsapi.ConnectionErrorCodeTypeInternalError
	}
	return outageOf(f.Kind).code
}
