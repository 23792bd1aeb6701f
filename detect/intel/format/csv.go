package format

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
)

// A row is a record of a file with a header.
type row struct {
	line   int
	header []string
	values []string
}

// get returns the value below a column's name, empty when there is none.
func (r row) get(name string) string {
	i := slices.Index(r.header, name)
	if i < 0 || i >= len(r.values) {
		return ""
	}
	return strings.TrimSpace(r.values[i])
}

// rows yields the records below the header, whose names become lower case.
func rows(content []byte) iter.Seq2[row, error] {
	return func(yield func(row, error) bool) {
		in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff"))))
		in.FieldsPerRecord, in.TrimLeadingSpace, in.LazyQuotes = -1, true, true
		var header []string
		for {
			values, err := in.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(row{}, err)
				return
			}
			if header == nil {
				for _, v := range values {
					header = append(header, strings.ToLower(strings.TrimSpace(v)))
				}
				continue
			}
			line, _ := in.FieldPos(0)
			if !yield(row{line, header, values}, nil) {
				return
			}
		}
	}
}

// readOTX reads "Indicator type, Indicator, Description". Types that are neither
// addresses, domains nor hashes of files are passed over: OTX knows many.
func readOTX(e *Entries, content []byte) error {
	for r, err := range rows(content) {
		if err != nil {
			return err
		}
		if !slices.Contains(r.header, "indicator type") || !slices.Contains(r.header, "indicator") {
			return errors.New(`the header is not "Indicator type, Indicator, Description"`)
		}
		switch strings.ToLower(r.get("indicator type")) {
		case "cidr", "ipv4", "domain name", "domain", "hostname", "sha256", "sha-256", "filehash-sha256":
			if err := e.add(r.get("indicator")); err != nil {
				return at(r.line, err)
			}
		}
	}
	return nil
}

// readProofPoint reads ET Intelligence: the entry stands below "ip" or "domain".
func readProofPoint(e *Entries, content []byte) error {
	for r, err := range rows(content) {
		if err != nil {
			return err
		}
		entry := r.get("domain")
		if entry == "" {
			entry = r.get("ip")
		}
		if entry == "" {
			return at(r.line, errors.New(`nothing stands below "ip" or "domain"`))
		}
		if err := e.add(entry); err != nil {
			return at(r.line, err)
		}
	}
	return nil
}

// readFireEye reads iSIGHT: a report names a domain, an address or a block, or
// none of them.
func readFireEye(e *Entries, content []byte) error {
	for r, err := range rows(content) {
		if err != nil {
			return err
		}
		if !slices.Contains(r.header, "reportid") {
			return fmt.Errorf("the header has no reportId")
		}
		for _, name := range []string{"domain", "cidr", "ip", "sha256"} {
			if r.get(name) == "" {
				continue
			}
			if err := e.add(r.get(name)); err != nil {
				return at(r.line, err)
			}
		}
	}
	return nil
}
