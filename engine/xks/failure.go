package xks

// A Kind is why a proxy did not do what it was asked. Those that the specification
// names are spelled as there ("Error codes"); the others are ours.
type Kind string

// The kinds.
const (
	Validation           Kind = "ValidationException"
	InvalidState         Kind = "InvalidStateException"
	InvalidCiphertext    Kind = "InvalidCiphertextException"
	InvalidKeyUsage      Kind = "InvalidKeyUsageException"
	AuthenticationFailed Kind = "AuthenticationFailedException"
	AccessDenied         Kind = "AccessDeniedException"
	KeyNotFound          Kind = "KeyNotFoundException"
	InvalidURIPath       Kind = "InvalidUriPathException"
	Throttled            Kind = "ThrottlingException"
	Unsupported          Kind = "UnsupportedOperationException"
	DependencyTimeout    Kind = "DependencyTimeoutException"
	Internal             Kind = "InternalException"

	Unreachable Kind = "Unreachable" // no connection
	Insecure    Kind = "Insecure"    // no TLS connection that could be trusted
	TimedOut    Kind = "TimedOut"
	Malformed   Kind = "Malformed"   // an answer against the specification
	Corrupt     Kind = "Corrupt"     // a ciphertext that does not have its integrity value
	Unavailable Kind = "Unavailable" // the proxy is there, the key managers are not
)

// A Failure is an error of a proxy. Its text names no secret.
type Failure struct {
	Kind  Kind
	cause error
	why   string
}

func (f *Failure) Error() string {
	text := "xks: " + string(f.Kind)
	if f.why != "" {
		text += ": " + f.why
	}
	if f.cause != nil {
		text += ": " + f.cause.Error()
	}
	return text
}

// Unwrap returns what is behind the failure, for our logs.
func (f *Failure) Unwrap() error { return f.cause }

func malformed(why string) error { return &Failure{Kind: Malformed, why: why} }

// refused is the failure with a name that a proxy may give; with any other it has
// broken the specification.
func refused(name string) error {
	switch k := Kind(name); k {
	case Validation, InvalidState, InvalidCiphertext, InvalidKeyUsage, AuthenticationFailed, AccessDenied, KeyNotFound, InvalidURIPath,
		Throttled, Unsupported, DependencyTimeout, Internal:
		return &Failure{Kind: k}
	}
	return malformed("no error is called so")
}
