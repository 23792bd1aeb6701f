package wire

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// A Matcher is the pattern of a model. It matches whole values, as AWS's services do.
type Matcher struct {
	model string // as in the model: what AWS's messages show
	once  sync.Once
	match func(string) bool
	err   error
}

// matchers remembers what Pattern made: a function of the tag alone. Tags are
// written by the generator, so their number is bounded by the program's text.
var matchers sync.Map // tag → *Matcher

// Pattern returns the matcher for the tag pattern:"…", which is a regular
// expression of a model, or @ and the name of a predicate where Go's regular
// expressions cannot say what the model says. Nothing is compiled before the
// first use.
func Pattern(tag string) *Matcher {
	name, ok := strings.CutPrefix(tag, "@")
	if !ok {
		return expression(tag)
	}
	if m, ok := matchers.Load(tag); ok {
		return m.(*Matcher)
	}
	m := &Matcher{}
	m.model, m.match, m.err = predicateOf(name)
	m.once.Do(func() {})
	kept, _ := matchers.LoadOrStore(tag, m)
	return kept.(*Matcher)
}

// expression returns the matcher of a regular expression.
func expression(text string) *Matcher {
	if m, ok := matchers.Load(text); ok {
		return m.(*Matcher)
	}
	kept, _ := matchers.LoadOrStore(text, &Matcher{model: text})
	return kept.(*Matcher)
}

// String returns the pattern as in the model.
func (m *Matcher) String() string { return m.model }

// Match reports whether the whole of s is as the pattern wants it. A pattern
// that cannot be compiled matches nothing.
func (m *Matcher) Match(s string) bool {
	m.once.Do(m.compile)
	return m.err == nil && m.match(s)
}

// Err returns why the pattern cannot be compiled, nil for all that awsgen writes.
func (m *Matcher) Err() error {
	m.once.Do(m.compile)
	return m.err
}

func (m *Matcher) compile() {
	text, err := translate(m.model)
	if err != nil {
		m.err = fmt.Errorf("pattern %q: %w", m.model, err)
		return
	}
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		m.err = fmt.Errorf("pattern %q: %w", m.model, err)
		return
	}
	m.match = re.MatchString
}

// The dot of java.util.regex.Pattern leaves out all line terminators.
const dot = `[^\n\r\x{85}\x{2028}\x{2029}]`

// translate writes a pattern of java.util.regex, in which the models are
// written, in Go's syntax. It refuses what Go would read differently.
func translate(p string) (string, error) {
	var b strings.Builder
	class, start := false, 0 // inside [], and where it starts
	plainDot := strings.HasPrefix(p, "(?s)")
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c == '\\':
			text, n, err := escape(p[i:], class)
			if err != nil {
				return "", err
			}
			b.WriteString(text)
			i += n
			continue
		case class && c == '[', class && strings.HasPrefix(p[i:], "&&"):
			return "", errors.New("a class within a class is not supported: write a predicate")
		case class && c == ']' && i > start:
			class = false
		case !class && c == '[':
			class, start = true, i+1
			if strings.HasPrefix(p[i+1:], "^") {
				b.WriteByte(c)
				i++
				c, start = '^', i+1
			}
		case !class && c == '.' && !plainDot:
			b.WriteString(dot)
			i++
			continue
		}
		b.WriteByte(c)
		i++
	}
	return b.String(), nil
}

// escape translates the escape that p begins with and returns its length.
func escape(p string, class bool) (text string, n int, err error) {
	switch {
	case len(p) < 2:
		return "", 0, errors.New("ends in a backslash")
	case p[1] == 'u':
		return unicodeEscape(p)
	case p[1] == 's': // Java counts the vertical tab, too
		if class {
			return `\s\x0B`, 2, nil
		}
		return `[\s\x0B]`, 2, nil
	case p[1] == 'Z':
		return `\z`, 2, nil
	case p[1] == 'p':
		name, _, ok := strings.Cut(p[2:], "}")
		ascii := posix(strings.TrimPrefix(name, "{"))
		if !ok || ascii == "" {
			return p[:2], 2, nil // a category of Unicode: the same in Go
		}
		if !class {
			ascii = "[" + ascii + "]"
		}
		return ascii, len(`\p}`) + len(name), nil
	}
	return p[:2], 2, nil
}

// posix returns Go's name of a Java class of ASCII characters.
func posix(name string) string {
	switch name {
	case "Print", "XDigit", "Alnum", "Alpha", "Digit", "Lower", "Upper", "Punct", "Graph", "Cntrl", "Space", "Blank", "ASCII":
		return "[:" + strings.ToLower(name) + ":]"
	}
	return ""
}

// unicodeEscape reads backslash u and four hexadecimal digits; two that form a
// surrogate pair are one character.
func unicodeEscape(p string) (text string, n int, err error) {
	r, err := fourHex(p)
	if err != nil {
		return "", 0, err
	}
	if 0xD800 <= r && r < 0xDC00 && strings.HasPrefix(p[6:], `\u`) {
		low, err := fourHex(p[6:])
		if err != nil {
			return "", 0, err
		}
		if 0xDC00 <= low && low < 0xE000 {
			return fmt.Sprintf(`\x{%X}`, (r-0xD800)<<10+(low-0xDC00)+0x10000), 12, nil
		}
	}
	return fmt.Sprintf(`\x{%X}`, r), 6, nil
}

func fourHex(p string) (uint64, error) {
	if len(p) < 6 {
		return 0, fmt.Errorf("%q wants four hexadecimal digits", p)
	}
	return strconv.ParseUint(p[2:6], 16, 32)
}
