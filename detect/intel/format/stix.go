package format

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// readSTIX reads STIX 1.x, which is XML, and STIX 2.x, which is JSON.
func readSTIX(e *Entries, content []byte) error {
	content = bytes.TrimSpace(bytes.TrimPrefix(content, []byte("\ufeff")))
	if len(content) > 0 && content[0] == '{' {
		return readSTIX2(e, content)
	}
	return readSTIX1(e, content)
}

// maxDepth of elements; real packages have about ten.
const maxDepth = 64

// readSTIX1 reads domain names and addresses of CybOX objects, in indicators as
// in observables. STIX 1.2, "DomainNameObjectType" and "AddressObjectType".
// Entities and DTDs are not expanded.
func readSTIX1(e *Entries, content []byte) error {
	d := xml.NewDecoder(bytes.NewReader(content))
	depth, kind, reading := 0, "", false
	root := false
	var value strings.Builder
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if !root {
				return errors.New("there is no STIX_Package")
			}
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := d.InputPos()
		switch t := t.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return at(line, errors.New("elements are nested too deep"))
			}
			root = root || t.Name.Local == "STIX_Package"
			switch t.Name.Local {
			case "Properties":
				kind = typeOf(t)
			case "Value", "Address_Value":
				reading = kind == "DomainNameObjectType" || kind == "AddressObjectType"
				value.Reset()
			}
		case xml.EndElement:
			depth--
			if !reading {
				continue
			}
			reading = false
			if err := addSTIX1(e, kind, value.String()); err != nil {
				return at(line, err)
			}
		case xml.CharData:
			if reading {
				value.Write(t)
			}
		}
	}
}

// typeOf returns the object's type without its namespace.
func typeOf(t xml.StartElement) string {
	for _, a := range t.Attr {
		if a.Name.Local == "type" {
			_, local, found := strings.Cut(a.Value, ":")
			if !found {
				local = a.Value
			}
			return local
		}
	}
	return ""
}

// addSTIX1 adds a value, which may be several separated by "##comma##". Two
// addresses stand for a range.
func addSTIX1(e *Entries, kind, value string) error {
	parts := strings.Split(value, "##comma##")
	if kind == "AddressObjectType" && len(parts) == 2 {
		blocks, err := blocks(parts[0], parts[1])
		if err != nil {
			return err
		}
		parts = blocks
	}
	for _, p := range parts {
		if err := e.add(p); err != nil {
			return err
		}
	}
	return nil
}

// comparison is a term of a STIX 2 pattern that names a domain, an address or a file.
var comparison = regexp.MustCompile(`(domain-name:value|ipv4-addr:value|file:hashes\.'?SHA-256'?)\s*=\s*'((?:[^'\\]|\\.)*)'`)

// readSTIX2 reads the indicators of a bundle whose patterns compare for equality.
// STIX 2.1, 9, "STIX Patterning".
func readSTIX2(e *Entries, content []byte) error {
	var bundle struct {
		Type    string `json:"type"`
		Objects []struct {
			Type    string `json:"type"`
			ID      string `json:"id"`
			Pattern string `json:"pattern"`
			Value   string `json:"value"`
			Revoked bool   `json:"revoked"`
		} `json:"objects"`
	}
	if err := json.Unmarshal(content, &bundle); err != nil {
		return err
	}
	if bundle.Type != "bundle" {
		return errors.New("the JSON is no STIX bundle")
	}
	for _, o := range bundle.Objects {
		if o.Revoked {
			continue
		}
		switch o.Type {
		case "domain-name", "ipv4-addr":
			if err := e.add(o.Value); err != nil {
				return fmt.Errorf("%.80s: %w", o.ID, err)
			}
		case "indicator":
			for _, m := range comparison.FindAllStringSubmatch(o.Pattern, -1) {
				if err := e.add(m[2]); err != nil {
					return fmt.Errorf("%.80s: %w", o.ID, err)
				}
			}
		}
	}
	return nil
}
