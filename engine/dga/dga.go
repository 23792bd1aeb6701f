// Package dga tells domain names that an algorithm made from those that people made.
//
// A logistic model looks at the label that was registered: how it is spelled (runs
// of two to five symbols, vowels and consonants, digits, entropy) and how much of it
// is words. The model is made by tool/dgamodel.
package dga

import (
	_ "embed"
	"encoding/binary"
	"errors"
	"math"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"
)

// A Model scores labels. It is safe for concurrent use.
type Model struct {
	Tables *Tables
	Dense  [Classes][Features]float32
	Hashed [Hashed]int8 // in steps of Step
	Step   float32
}

//go:embed model.bin
var embedded []byte

// Default returns the built-in model.
var Default = sync.OnceValue(func() *Model {
	m, err := Parse(embedded)
	if err != nil {
		panic(err) // a test reads it
	}
	return m
})

// Score returns how likely it is that an algorithm made a label, as the logarithm
// of the odds: about 0 in doubt, and the higher the surer. What is not spelled in
// ASCII (xn--…) is not judged: it scores Unknown.
func (m *Model) Score(label string) float64 {
	if label == "" || strings.HasPrefix(label, "xn--") {
		return Unknown
	}
	var l Look
	m.Tables.Look(label, &l)
	return m.judge(&l)
}

// Unknown is the score of what is not judged.
const Unknown = -20

// perHyphen is what a hyphen tells besides: people put them between words. None of
// the made-up names that the model learnt from has one, as algorithms seldom do, so
// that it could not learn what one more means.
const perHyphen = 2

func (m *Model) judge(l *Look) float64 {
	z := float32(0)
	weights := &m.Dense[l.Class]
	for i, v := range l.Values {
		z += v * weights[i]
	}
	grams := 0
	for _, g := range l.Grams[:l.N] {
		grams += int(m.Hashed[g])
	}
	return float64(z + float32(grams)*m.Step - perHyphen*2*l.Values[hyphens])
}

// Thresholds of Score, measured on benign names that the model was not made from
// (TestReceiver): what a share of them scores above.
const (
	OneInHundred  = 2.6
	OneInThousand = 5.2
	Certain       = 9.0 // none of them
)

// dynamic are zones of providers that give names below them to everybody, with
// addresses that change: there the label below is what was registered. The
// providers' own lists of zones, the larger ones of each.
var dynamic = func() map[string]bool {
	out := map[string]bool{}
	for z := range strings.FieldsSeq(`
		dyndns.org dyndns.biz dyndns.info dyndns.tv dyndns-ip.com dyndns-home.com dyndns.ws dynalias.com dynalias.net dynalias.org dnsalias.com dnsalias.net dnsalias.org homeip.net is-a-geek.com
		ddns.net no-ip.org no-ip.biz no-ip.info hopto.org zapto.org sytes.net myftp.org myftp.biz redirectme.net servebeer.com serveblog.net servehttp.com serveftp.com myvnc.com bounceme.net gotdns.ch ddnsking.com
		mooo.com chickenkiller.com strangled.net ignorelist.com us.to jumpingcrab.com crabdance.com twilightparadox.com yi.org uk.to
		dynserv.com dynu.net dynu.com ddnsfree.com freeddns.org duckdns.org dynv6.net dy.fi dynamic-dns.net changeip.com changeip.net ddns.us ddns.info dynssl.com ddns.me.uk 1dumb.com 3322.org 8866.org 7766.org f3322.net
	`) {
		out[z] = true
	}
	return out
}()

// Registered returns the domain that somebody registered below a public suffix, or
// below the zone of a provider of dynamic names, and its label: for
// "www.example.co.uk", "example.co.uk" and "example". Both are empty when the name
// is no deeper than the suffix.
func Registered(domain string) (registered, label string) {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	// Of the private suffixes only dynamic zones count: names below those of clouds
	// and of content networks are made by their machines.
	for !dynamic[suffix] {
		rest, icann := suffix, true
		if _, icann = publicsuffix.PublicSuffix(suffix); icann || !strings.Contains(suffix, ".") {
			break
		}
		_, rest, _ = strings.Cut(suffix, ".")
		suffix, _ = publicsuffix.PublicSuffix(rest)
	}
	return below(domain, suffix)
}

func below(domain, suffix string) (registered, label string) {
	for {
		if len(domain) <= len(suffix)+1 {
			return "", ""
		}
		head := domain[:len(domain)-len(suffix)-1]
		label = head[strings.LastIndexByte(head, '.')+1:]
		registered = domain[len(head)-len(label):]
		if !dynamic[registered] {
			return registered, label
		}
		suffix = registered
	}
}

var (
	errModel = errors.New("dga: not a model of this version")
	magic    = []byte("dga model 1\n")
)

// Bytes writes the model.
func (m *Model) Bytes() []byte {
	b := append([]byte(nil), magic...)
	for _, part := range m.Tables.parts() {
		b = append(b, part...)
	}
	for _, c := range m.Dense {
		for _, w := range c {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(w))
		}
	}
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(m.Step))
	for _, w := range m.Hashed {
		b = append(b, byte(w))
	}
	return b
}

// Parse reads what Bytes wrote.
func Parse(b []byte) (*Model, error) {
	m := &Model{Tables: &Tables{Fours: make(bloom, fourBits/8), Fives: make(bloom, fiveBits/8), Words: make(bloom, wordBits/8)}}
	size := len(magic) + 4*Classes*Features + 4 + Hashed
	for _, part := range m.Tables.parts() {
		size += len(part)
	}
	if len(b) != size || string(b[:len(magic)]) != string(magic) {
		return nil, errModel
	}
	b = b[len(magic):]
	for _, part := range m.Tables.parts() {
		b = b[copy(part, b):]
	}
	next := func() float32 {
		x := math.Float32frombits(binary.LittleEndian.Uint32(b))
		b = b[4:]
		return x
	}
	for c := range m.Dense {
		for i := range m.Dense[c] {
			m.Dense[c][i] = next()
		}
	}
	m.Step = next()
	for i := range m.Hashed {
		m.Hashed[i] = int8(b[i])
	}
	return m, nil
}

func (t *Tables) parts() [][]byte {
	return [][]byte{t.Pairs[:], t.Tris[:], t.Fours, t.Fives, t.Words}
}

// Private reports whether a name cannot be anybody's on the internet: it is below a
// top-level domain that is reserved, or in use for private zones (RFC 6761, RFC 6762
// appendix G, RFC 8375; ec2.internal, cluster.local), or it has no dot.
func Private(domain string) bool {
	switch top(domain) {
	case "test", "invalid", "example":
		return true
	}
	return Internal(domain)
}

// Internal reports whether a name is of a network itself, as Private does, but not of
// those top-level domains that no network has in use: test, invalid and example.
func Internal(domain string) bool {
	switch top(domain) {
	case "internal", "local", "localdomain", "localhost", "lan", "home", "corp", "intranet", "private", "onion", "arpa", "consul", "docker", "svc", "cluster", domain:
		return true
	}
	return false
}

func top(domain string) string { return domain[strings.LastIndexByte(domain, '.')+1:] }
