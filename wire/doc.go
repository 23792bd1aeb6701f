// Package wire turns bytes into api types and back, for every AWS protocol.
//
// # Reading order
//
// recognise.go finds out which operation a request asks for; match.go decodes it
// and checks its constraints (validate.go, rules.go); encode.go and
// encode_error.go write the answer. plan.go reads the struct tags once per type,
// on first use. Each protocol has a file for reading and one for writing: json,
// query, xml, cbor, and rest for what stands in path, query string and headers.
// client_encode.go and client_decode.go are the client's side; document.go is for
// trail records and for calls that are written as JSON documents.
//
// # Types
//
// tool/awsgen writes one Go struct per modelled structure. The Go field is the
// member's AWS name with its first letter raised. Go types:
//
//	string, enum        string, or a named string type with Values() []string
//	integer, long       int32, int64
//	float, double       float32, float64
//	boolean             bool
//	timestamp           time.Time
//	blob                []byte; a streaming payload is an io.ReadCloser
//	list                []T     (elements are values, structures too)
//	map                 map[string]T
//	structure           *T as a member, T as an element; a union is a structure
//	document            any
//
// A required scalar is a value, an optional one a pointer; slices, maps and
// []byte are nil when absent.
//
// # Tags
//
// What the model says of a member stands in its struct tags:
//
//	aws:"name,option,…"   name on the wire (always present)
//	      required        must not be null
//	      sensitive       never in logs or the trail
//	      in=header | in=headers (prefix) | in=uri | in=query | in=status | in=payload
//	      ts=iso8601 | ts=unixTimestamp | ts=rfc822    timestamp format, when the model names one
//	      flat            list or map without wrapper (XML, query)
//	      attr            XML attribute
//	      token           idempotency token: made when absent
//	      jsonvalue       a header that holds base64 of JSON
//	      hostlabel       stands in the host prefix too
//	      stream          the payload is a stream
//	      eventstream     the payload is an event stream (not carried yet)
//	      greedy          uri label {Name+}
//	      union           exactly one member must be set
//	      box             optional in the model although the model's default hides it
//	q:"Name"              ec2: the name in the query string (queryName), else the wire name with its first letter raised
//	ns:"http…"            XML namespace of this member; nspfx:"xsi" its prefix
//	len:"min:max"         length of string, blob, list, map (either side may be empty)
//	range:"min:max"       of numbers
//	pattern:"regexp"      as in the model; pattern:"@name" is a predicate: see Pattern
//
// Constraints and names of list elements and map values carry the level as a
// suffix, map keys "k" before: el1:"member" (element's name in XML and query),
// len1, range1, pattern1, sensitive1, ts1; klen1, kpattern1, mk1:"key", mv1:"value"
// (names of a map's key and value in XML and query); level 2 for lists of lists and so on.
// Where the model names nothing, these are "member", "key" and "value".
//
// A structure whose own XML form matters has a blank field first:
//
//	_ struct{} `aws:"LocationName,payload=Body" ns:"http://…"`
//
// So has a union: its options then hold "union". The member that payload names
// (by its AWS name) also carries in=payload.
//
// Enum membership is checked through Values on the element's type.
package wire
