package pattern

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

type token uint8

const (
	tEnd token = iota // end of input
	tObject
	tObjectEnd
	tArray
	tArrayEnd
	tField
	tString
	tNumber
	tTrue
	tFalse
	tNull
)

// A lexer reads the tokens of a pattern. EventBridge's messages end with the
// place where its JSON reader (Jackson) stands when it gives up; that reader
// looks one token ahead after a field name and reads a string only when it is
// asked for, and so does this one, so that the places agree.
type lexer struct {
	src    string
	at     int // next byte
	stack  []frame
	fresh  bool  // nothing read yet in the innermost container
	ahead  token // read together with the field name
	isNext bool
	name   string // of the last field
	start  int    // where the current token's text begins
	half   bool   // the current token is a string of which only the quote is read
	text   string // of the current token, when read
}

type frame struct {
	object bool
	at     int // of its opening bracket
}

// fail returns an error that tells the present place.
func (l *lexer) fail(format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...) + "\n at " + l.place(l.at)}
}

// place describes a position as Jackson does.
func (l *lexer) place(at int) string {
	const shown = 500
	read := l.src[:at]
	line := 1 + strings.Count(read, "\n")
	column := 1 + units(read[strings.LastIndexByte(read, '\n')+1:])
	source, more := l.src, ""
	if n := units(source); n > shown {
		source = string(utf16.Decode(utf16.Encode([]rune(source))[:shown]))
		more = fmt.Sprintf("[truncated %d chars]", n-shown)
	}
	return fmt.Sprintf("[Source: (String)\"%s\"%s; line: %d, column: %d]", source, more, line, column)
}

// units counts UTF-16 code units, Java's characters.
func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// next reads the next token.
func (l *lexer) next() (token, error) {
	if err := l.finish(); err != nil {
		return 0, err
	}
	if l.isNext {
		l.isNext = false
		return l.open(l.ahead), nil
	}
	if len(l.stack) == 0 {
		t, err := l.value()
		if err != nil {
			return 0, err
		}
		return l.open(t), nil
	}
	in := l.stack[len(l.stack)-1]
	c, err := l.peek()
	if err != nil {
		return 0, err
	}
	if c == '}' && in.object || c == ']' && !in.object {
		l.at++
		l.stack, l.fresh = l.stack[:len(l.stack)-1], false
		if in.object {
			return tObjectEnd, nil
		}
		return tArrayEnd, nil
	}
	if !l.fresh {
		if c != ',' {
			l.at++
			return 0, l.unexpected(c, "was expecting comma to separate %s entries", in.kind())
		}
		l.at++
	}
	l.fresh = false
	if in.object {
		return l.field()
	}
	t, err := l.value()
	if err != nil {
		return 0, err
	}
	return l.open(t), nil
}

func (f frame) kind() string {
	if f.object {
		return "Object"
	}
	return "Array"
}

// open notes that a container begins.
func (l *lexer) open(t token) token {
	if t == tObject || t == tArray {
		l.stack = append(l.stack, frame{t == tObject, l.at})
		l.fresh = true
	}
	return t
}

// field reads a name, its colon and the beginning of its value.
func (l *lexer) field() (token, error) {
	c, err := l.peek()
	if err != nil {
		return 0, err
	}
	if c != '"' {
		return 0, l.unexpected(c, "was expecting double-quote to start field name")
	}
	l.at++
	l.half, l.start = true, l.at
	if err := l.finish(); err != nil {
		return 0, err
	}
	l.name = l.text
	if c, err = l.peek(); err != nil {
		return 0, err
	}
	l.at++
	if c != ':' {
		return 0, l.unexpected(c, "was expecting a colon to separate field name and value")
	}
	if l.ahead, err = l.value(); err != nil {
		return 0, err
	}
	l.isNext = true
	return tField, nil
}

// value reads a token that may stand for a value.
func (l *lexer) value() (token, error) {
	c, err := l.peek()
	if err != nil {
		if len(l.stack) == 0 {
			return tEnd, nil
		}
		return 0, err
	}
	l.start = l.at
	switch {
	case c == '{':
		l.at++
		return tObject, nil
	case c == '[':
		l.at++
		return tArray, nil
	case c == '"':
		l.at++
		l.half, l.start = true, l.at
		return tString, nil
	case c == '-' || c >= '0' && c <= '9':
		return l.number()
	}
	end := l.at
	for end < len(l.src) && isWord(l.src[end]) {
		end++
	}
	word := l.src[l.at:end]
	if word == "" {
		return 0, l.unexpected(c, "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')")
	}
	l.at, l.text = end, word
	switch word {
	case "true":
		return tTrue, nil
	case "false":
		return tFalse, nil
	case "null":
		return tNull, nil
	}
	return 0, l.fail("Unrecognized token '%s': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", word)
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= utf8.RuneSelf
}

func (l *lexer) number() (token, error) {
	n := numberLen(l.src[l.at:])
	if n == 0 {
		l.at++
		return 0, l.fail("Unexpected character in numeric value")
	}
	l.text = l.src[l.at : l.at+n]
	l.at += n
	return tNumber, nil
}

// finish reads the rest of a string whose quote has been read. A string that
// was read ahead waits until it is the current token.
func (l *lexer) finish() error {
	if !l.half || l.isNext {
		return nil
	}
	return l.readString()
}

func (l *lexer) readString() error {
	l.half = false
	var b strings.Builder
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '"':
			b.WriteString(l.src[l.start:l.at])
			l.at++
			l.text = b.String()
			return nil
		case c < ' ':
			l.at++
			return l.fail("Illegal unquoted character ((CTRL-CHAR, code %d)): has to be escaped using backslash to be included in string value", c)
		case c == '\\':
			b.WriteString(l.src[l.start:l.at])
			if err := l.escape(&b); err != nil {
				return err
			}
			l.start = l.at
		default:
			l.at++
		}
	}
	return l.fail("Unexpected end-of-input in VALUE_STRING")
}

func (l *lexer) escape(b *strings.Builder) error {
	r, n := unescape(l.src[l.at:])
	if n == 0 {
		l.at = min(l.at+2, len(l.src))
		return l.fail("Unrecognized character escape")
	}
	b.WriteRune(r)
	l.at += n
	return nil
}

// string returns the text of the current token, a scalar.
func (l *lexer) string() (string, error) {
	if err := l.finish(); err != nil {
		return "", err
	}
	return l.text, nil
}

// word returns how token t is written, for messages.
func (l *lexer) word(t token) (string, error) {
	switch t {
	case tObject:
		return "{", nil
	case tObjectEnd:
		return "}", nil
	case tArray:
		return "[", nil
	case tArrayEnd:
		return "]", nil
	}
	return l.string()
}

// peek skips white space and returns the next byte without reading it.
func (l *lexer) peek() (byte, error) {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; c {
		case ' ', '\t', '\r', '\n':
			l.at++
		default:
			return c, nil
		}
	}
	if len(l.stack) == 0 {
		return 0, l.fail("Unexpected end-of-input")
	}
	in := l.stack[len(l.stack)-1]
	return 0, l.fail("Unexpected end-of-input: expected close marker for %s (start marker at %s)", in.kind(), l.place(in.at-1))
}

func (l *lexer) unexpected(c byte, format string, args ...any) error {
	at := l.at
	if at > 0 && l.src[at-1] == c && (at == len(l.src) || l.src[at] != c) {
		at--
	}
	r, _ := utf8.DecodeRuneInString(l.src[min(at, len(l.src)):])
	return l.fail("Unexpected character ('%c' (code %d)): "+format, append([]any{r, r}, args...)...)
}

// numberLen returns the length of the JSON number that t begins with, 0 if none.
func numberLen[T string | []byte](t T) int {
	i := 0
	digits := func() bool {
		from := i
		for i < len(t) && t[i] >= '0' && t[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(t) && t[i] == '-' {
		i++
	}
	if i < len(t) && t[i] == '0' {
		i++
		if i < len(t) && t[i] >= '0' && t[i] <= '9' {
			return 0
		}
	} else if !digits() {
		return 0
	}
	if i < len(t) && t[i] == '.' {
		i++
		if !digits() {
			return 0
		}
	}
	if i < len(t) && (t[i] == 'e' || t[i] == 'E') {
		i++
		if i < len(t) && (t[i] == '+' || t[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}

// unescape reads the escape that t begins with; n is 0 when it is not one. A
// surrogate without its partner becomes U+FFFD.
func unescape[T string | []byte](t T) (r rune, n int) {
	if len(t) < 2 {
		return 0, 0
	}
	switch t[1] {
	case '"', '\\', '/':
		return rune(t[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return 0, 0
	}
	r, ok := hex4(t)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if len(t) >= 12 && t[6] == '\\' && t[7] == 'u' {
		if low, ok := hex4(t[6:]); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, 12
			}
		}
	}
	return utf8.RuneError, 6
}

// hex4 reads the digits of \uXXXX.
func hex4[T string | []byte](t T) (rune, bool) {
	if len(t) < 6 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(t[2:6]), 16, 16)
	return rune(v), err == nil
}
