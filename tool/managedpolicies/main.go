// Command managedpolicies packs AWS's managed policies for service/iam/managed.
package main

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"time"
)

// blockSize is how many bytes of documents are compressed together: larger blocks
// are smaller in all, and take longer to open for one document.
const blockSize = 64 << 10

// A policy is one of the input, which is a JSON object of them by name, as moto
// collects it.
type policy struct {
	Path, DefaultVersionID string
	CreateDate, UpdateDate time.Time
	Document               document
}

// The order in which AWS writes a document's elements; the input has lost it.
type document struct {
	Version   string
	ID        string `json:"Id,omitempty"`
	Statement statements
}

type statement struct {
	Sid          string          `json:",omitempty"`
	Effect       string          `json:",omitempty"`
	Principal    json.RawMessage `json:",omitempty"`
	NotPrincipal json.RawMessage `json:",omitempty"`
	Action       json.RawMessage `json:",omitempty"`
	NotAction    json.RawMessage `json:",omitempty"`
	Resource     json.RawMessage `json:",omitempty"`
	NotResource  json.RawMessage `json:",omitempty"`
	Condition    json.RawMessage `json:",omitempty"`
}

// statements is a list that may be written as its only element.
type statements []statement

func (s *statements) UnmarshalJSON(text []byte) error {
	in := json.NewDecoder(bytes.NewReader(text))
	in.DisallowUnknownFields()
	if text[0] == '[' {
		return in.Decode((*[]statement)(s))
	}
	*s = make(statements, 1)
	return in.Decode(&(*s)[0])
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("managedpolicies: ")
	from := flag.String("from", "../shared/data/aws-managed-policies.json.gz", "gzipped JSON of all policies by name")
	to := flag.String("to", "service/iam/managed/policies.bin", "file to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		log.Fatal(err)
	}
}

func run(from, to string) error {
	all, err := load(from)
	if err != nil {
		return err
	}
	packed, err := pack(all)
	if err != nil {
		return err
	}
	fmt.Printf("%d policies in %d bytes\n", len(all), len(packed))
	return os.WriteFile(to, packed, 0o644) //nolint:gosec // a source file, for all to read
}

func load(name string) (map[string]policy, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var all map[string]policy
	return all, json.NewDecoder(text).Decode(&all)
}

// pack writes the length of the index, the index, and then blocks of documents.
// A line of the index is ARN, version, creation, update, the block's place behind
// the index, and where in the block the document begins and ends.
func pack(all map[string]policy) ([]byte, error) {
	// Documents of one path resemble each other, and so compress better side by side.
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int {
		return cmp.Or(cmp.Compare(all[a].Path, all[b].Path), cmp.Compare(a, b))
	})
	var index, blocks, block bytes.Buffer
	for _, name := range names {
		p := all[name]
		begin := block.Len()
		out := json.NewEncoder(&block)
		out.SetEscapeHTML(false)
		if err := out.Encode(p.Document); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(&index, "arn:aws:iam::aws:policy%s%s\t%s\t%d\t%d\t%d\t%d\t%d\n", p.Path, name, p.DefaultVersionID,
			p.CreateDate.Unix(), p.UpdateDate.Unix(), blocks.Len(), begin, block.Len()-1)
		if block.Len() >= blockSize || name == names[len(names)-1] {
			if err := deflate(&blocks, block.Bytes()); err != nil {
				return nil, err
			}
			block.Reset()
		}
	}
	var head bytes.Buffer
	if err := deflate(&head, index.Bytes()); err != nil {
		return nil, err
	}
	packed := binary.BigEndian.AppendUint32(nil, uint32(head.Len())) //nolint:gosec // a few kilobytes
	packed = append(packed, head.Bytes()...)
	return append(packed, blocks.Bytes()...), nil
}

func deflate(to *bytes.Buffer, text []byte) error {
	w, err := flate.NewWriter(to, flate.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	return w.Close()
}
