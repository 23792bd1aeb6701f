package cli

import (
	"fmt"
	"strings"
)

// maxDepth bounds how deep brackets stand in brackets.
const maxDepth = 32

// shorthand reads "Key=value,List=a,b,Nested={Key=value},Other=[a,b]": the AWS CLI
// User Guide, "Using shorthand syntax with the AWS CLI". Leaves are strings.
func shorthand(text string) (any, error) {
	p := &short{text: text}
	members := map[string]any{}
	for {
		if err := p.pair(members, p.listOrOne); err != nil {
			return nil, err
		}
		if p.end() {
			return members, nil
		}
		if err := p.expect(','); err != nil {
			return nil, err
		}
	}
}

type short struct {
	text  string
	at    int
	depth int
}

func (p *short) end() bool { return p.at >= len(p.text) }

func (p *short) spaces() {
	for !p.end() && strings.IndexByte(" \t\n\r", p.text[p.at]) >= 0 {
		p.at++
	}
}

func (p *short) expect(c byte) error {
	p.spaces()
	if p.end() {
		//lint:ignore ST1005 the AWS CLI's own words
		return fmt.Errorf("Expected: '%c', received: 'EOF' for input: %s", c, p.text)
	}
	if p.text[p.at] != c {
		//lint:ignore ST1005 the AWS CLI's own words
		return fmt.Errorf("Expected: '%c', received: '%c' for input: %s", c, p.text[p.at], p.text)
	}
	p.at++
	p.spaces()
	return nil
}

// pair reads "key=value".
func (p *short) pair(into map[string]any, value func() (any, error)) error {
	p.spaces()
	start := p.at
	for !p.end() && keyCharacter(p.text[p.at]) {
		p.at++
	}
	key := p.text[start:p.at]
	if key == "" {
		//lint:ignore ST1005 the AWS CLI's own words
		return fmt.Errorf("Expected: a key at character %d of input: %s", p.at, p.text)
	}
	if err := p.expect('='); err != nil {
		return err
	}
	v, err := value()
	if err != nil {
		return err
	}
	if _, twice := into[key]; twice {
		//lint:ignore ST1005 the AWS CLI's own words
		return fmt.Errorf("Second instance of key \"%s\" encountered for input: %s", key, p.text)
	}
	into[key] = v
	return nil
}

func keyCharacter(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.#/:", c) >= 0
}

// listOrOne reads a value at the top: what follows a comma belongs to it unless
// it is the next key.
func (p *short) listOrOne() (any, error) {
	if !p.end() && (p.text[p.at] == '[' || p.text[p.at] == '{') {
		return p.explicit()
	}
	first, err := p.word()
	if err != nil {
		return nil, err
	}
	list := []any{first}
	for {
		p.spaces()
		if p.end() || p.text[p.at] != ',' {
			break
		}
		comma := p.at
		p.at++
		p.spaces()
		if p.keyFollows() {
			p.at = comma
			break
		}
		next, err := p.word()
		if err != nil {
			return nil, err
		}
		list = append(list, next)
	}
	if len(list) == 1 {
		return first, nil
	}
	return list, nil
}

// keyFollows reports whether "key=" stands here.
func (p *short) keyFollows() bool {
	i := p.at
	for i < len(p.text) && keyCharacter(p.text[i]) {
		i++
	}
	return i > p.at && i < len(p.text) && p.text[i] == '='
}

// explicit reads a list or a structure in brackets, or one word.
func (p *short) explicit() (any, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("brackets stand more than %d deep", maxDepth)
	}
	defer func() { p.depth-- }()
	p.spaces()
	if p.end() {
		return "", nil
	}
	switch p.text[p.at] {
	case '[':
		list := []any{}
		err := p.bracket(']', func() error {
			v, err := p.explicit()
			list = append(list, v)
			return err
		})
		return list, err
	case '{':
		members := map[string]any{}
		err := p.bracket('}', func() error { return p.pair(members, p.explicit) })
		return members, err
	}
	return p.word()
}

// bracket reads items, divided by commas, up to the closing bracket.
func (p *short) bracket(closing byte, item func() error) error {
	p.at++
	p.spaces()
	for {
		if !p.end() && p.text[p.at] == closing {
			p.at++
			p.spaces()
			return nil
		}
		if err := item(); err != nil {
			return err
		}
		p.spaces()
		if p.end() || p.text[p.at] != closing {
			if err := p.expect(','); err != nil {
				return err
			}
		}
	}
}

// word reads one leaf: in quotes, or up to a comma or closing bracket.
func (p *short) word() (string, error) {
	p.spaces()
	if p.end() {
		return "", nil
	}
	if quote := p.text[p.at]; quote == '\'' || quote == '"' {
		return p.quoted(quote)
	}
	var b strings.Builder
	for !p.end() {
		c := p.text[p.at]
		if c == '\\' && p.at+1 < len(p.text) && p.text[p.at+1] == ',' {
			b.WriteByte(',')
			p.at += 2
			continue
		}
		if c == ',' || p.depth > 0 && (c == ']' || c == '}') {
			break
		}
		b.WriteByte(c)
		p.at++
	}
	return strings.TrimRight(b.String(), " \t\n\r"), nil
}

func (p *short) quoted(quote byte) (string, error) {
	p.at++
	var b strings.Builder
	for !p.end() {
		c := p.text[p.at]
		p.at++
		if c == quote {
			return b.String(), nil
		}
		if c == '\\' && !p.end() && (p.text[p.at] == quote || p.text[p.at] == '\\') {
			c = p.text[p.at]
			p.at++
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("a quote is not closed in input: %s", p.text)
}
