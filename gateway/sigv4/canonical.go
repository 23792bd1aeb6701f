package sigv4

import (
	"net/http"
	"strings"
)

// scratch is the room in which a canonical request is built.
type scratch struct {
	text  []byte
	pairs []byte
	spans []span
}

// canonical builds the canonical request. It reports false when a header that
// the signature names is not there.
// IAM User Guide, "Create a signed AWS API request", step 1.
func (s *scratch) canonical(sig *Signature, payload string) bool {
	r := sig.request
	b := append(s.text[:0], r.Method...)
	b = append(b, '\n')
	b = appendPath(b, r.Path, sig.rules)
	b = append(b, '\n')
	if r.Query != "" {
		b = s.appendQuery(b, r.Query, sig.leavesOut())
	}
	b = append(b, '\n')
	rest := sig.signed
	for rest != "" {
		var name string
		name, rest, _ = strings.Cut(rest, ";")
		b = append(b, name...)
		b = append(b, ':')
		var ok bool
		if b, ok = r.appendHeader(b, name); !ok {
			s.text = b
			return false
		}
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, sig.signed...)
	b = append(b, '\n')
	s.text = append(b, payload...)
	return true
}

// leavesOut returns which parameters the canonical query leaves out, if any. It
// sees their canonical names.
func (sig *Signature) leavesOut() func([]byte) bool {
	switch {
	case !sig.presigned:
		return nil
	case sig.rules&LateToken != 0:
		return func(name []byte) bool { return string(name) == querySignature || string(name) == queryToken }
	}
	return func(name []byte) bool { return string(name) == querySignature }
}

// values returns the values of a header, named in lower case, without allocating.
func (r *Request) values(name string) ([]string, bool) {
	var room [64]byte
	if len(name) > len(room) {
		v, ok := r.Header[http.CanonicalHeaderKey(name)]
		return v, ok
	}
	key := append(room[:0], name...)
	upper := true
	for i, c := range key {
		if upper && 'a' <= c && c <= 'z' {
			key[i] = c - 'a' + 'A'
		}
		upper = c == '-'
	}
	v, ok := r.Header[string(key)]
	return v, ok
}

func (r *Request) appendHeader(b []byte, name string) ([]byte, bool) {
	if name == "host" {
		return appendTrimmed(b, r.Host), r.Host != "" && oneLine(r.Host)
	}
	values, ok := r.values(name)
	for i, v := range values {
		ok = ok && oneLine(v)
		if i > 0 {
			b = append(b, ',')
		}
		b = appendTrimmed(b, v)
	}
	return b, ok
}

// oneLine reports whether v cannot pose as several lines of a canonical request.
func oneLine(v string) bool { return strings.IndexByte(v, '\n') < 0 }

// appendTrimmed drops spaces around a value and makes runs of spaces one.
func appendTrimmed(b []byte, v string) []byte {
	v = strings.Trim(v, " \t")
	if !strings.Contains(v, "  ") {
		return append(b, v...)
	}
	for i := 0; i < len(v); i++ {
		if v[i] == ' ' && v[i-1] == ' ' {
			continue
		}
		b = append(b, v[i])
	}
	return b
}

// appendPath appends the canonical path.
func appendPath(b []byte, path string, rules Rules) []byte {
	if rules&KeepPath == 0 {
		path = normalise(path)
	}
	if path == "" {
		path = "/"
	}
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '/' {
			b = append(b, '/')
			continue
		}
		if c == '%' && rules&EncodeOnce != 0 {
			// An escaped slash stays escaped: it is part of a name.
			if d, ok := escaped(path, i); ok {
				b = appendByte(b, d)
				i += 2
				continue
			}
		}
		b = appendByte(b, c)
	}
	return b
}

// normalise removes dot segments and empty segments from a path, but keeps a
// slash at its end. RFC 3986, 5.2.4.
func normalise(path string) string {
	if !strings.Contains(path, "/.") && !strings.Contains(path, "//") {
		return path
	}
	var segments []string
	ends := false // whether the path ends with a slash
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
			ends = true
		case "..":
			ends = true
			if n := len(segments); n > 0 {
				segments = segments[:n-1]
			}
		default:
			ends = false
			segments = append(segments, segment)
		}
	}
	if len(segments) == 0 {
		return "/"
	}
	clean := "/" + strings.Join(segments, "/")
	if ends {
		clean += "/"
	}
	return clean
}
