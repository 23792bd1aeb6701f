// Package managed holds AWS's managed policies, compressed.
//
// The documents are AWS's own. tool/managedpolicies writes policies.bin.
package managed

import (
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/sha256"
	_ "embed"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed policies.bin
var packed []byte

// A Policy is an AWS managed policy without its document.
type Policy struct {
	ARN              string // arn:aws:iam::aws:policy/job-function/Billing
	Path, Name       string
	ID               string // made of the ARN: AWS's own ids are not known
	Version          string // the default version, the only one that is kept: "v7"
	Created, Updated time.Time

	block, begin, end int
}

// Attachable reports whether users, groups and roles can have the policy: those of
// service-linked roles and of AssumeRoot's tasks are for AWS alone.
func (p *Policy) Attachable() bool {
	return p.Path != "/aws-service-role/" && p.Path != "/root-task/"
}

// Policies are all AWS managed policies. The index is read when it is first asked
// for; documents are opened one by one and not kept.
type Policies struct {
	once   sync.Once
	all    []Policy // by ARN
	blocks []byte
	err    error
}

// New returns the policies.
func New() *Policies { return &Policies{} }

// All returns the policies in the order of their ARNs. Nobody changes them.
func (ps *Policies) All() []Policy {
	ps.once.Do(ps.read)
	return ps.all
}

// Find returns the policy with this ARN; nil when there is none.
func (ps *Policies) Find(arn string) *Policy {
	all := ps.All()
	at, found := slices.BinarySearchFunc(all, arn, func(p Policy, arn string) int { return cmp.Compare(p.ARN, arn) })
	if !found {
		return nil
	}
	return &all[at]
}

// Document returns the text of the policy's document. It takes about a
// millisecond: whoever asks on every call keeps what comes of it.
func (ps *Policies) Document(p *Policy) (string, error) {
	ps.once.Do(ps.read)
	if ps.err != nil {
		return "", ps.err
	}
	text := make([]byte, p.end)
	if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(ps.blocks[p.block:])), text); err != nil {
		return "", fmt.Errorf("managed: document of %s: %w", p.ARN, err)
	}
	return string(text[p.begin:]), nil
}

// read opens the index. What is embedded was tested when the program was built, so
// that an error can only mean a damaged program; then no policy is there.
func (ps *Policies) read() {
	size := int(binary.BigEndian.Uint32(packed))
	text, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed[4 : 4+size])))
	if err != nil {
		ps.err = fmt.Errorf("managed: index: %w", err)
		return
	}
	ps.blocks = packed[4+size:]
	for line := range strings.Lines(string(text)) {
		p, err := entry(strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		if err != nil {
			ps.all, ps.err = nil, fmt.Errorf("managed: index: %w", err)
			return
		}
		ps.all = append(ps.all, p)
	}
	slices.SortFunc(ps.all, func(a, b Policy) int { return cmp.Compare(a.ARN, b.ARN) })
}

func entry(fields []string) (Policy, error) {
	if len(fields) != 7 {
		return Policy{}, fmt.Errorf("%d fields", len(fields))
	}
	var n [5]int
	for i := range n {
		var err error
		if n[i], err = strconv.Atoi(fields[2+i]); err != nil {
			return Policy{}, err
		}
	}
	arn := fields[0]
	path := strings.TrimPrefix(arn[:strings.LastIndexByte(arn, '/')+1], "arn:aws:iam::aws:policy")
	return Policy{
		ARN: arn, Path: path, Name: arn[strings.LastIndexByte(arn, '/')+1:], ID: id(arn), Version: fields[1],
		Created: time.Unix(int64(n[0]), 0).UTC(), Updated: time.Unix(int64(n[1]), 0).UTC(),
		block: n[2], begin: n[3], end: n[4],
	}, nil
}

// id makes a unique id in the form of AWS's, the same on every node and start.
func id(arn string) string {
	sum := sha256.Sum256([]byte(arn))
	return "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
}
