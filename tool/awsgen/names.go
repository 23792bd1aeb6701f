package main

import (
	"fmt"
	"strings"
	"unicode"
)

// scope hands out the Go names of one package, each once.
type scope map[string]bool

// take returns name, or name with suffix when it is gone, or with a number
// behind that. Who asks first gets the plain name; README.md gives the order.
func (s scope) take(name, suffix string) string {
	got := name
	for i := 1; s[got]; i++ {
		got = name + suffix
		if i > 1 {
			got = fmt.Sprint(name, suffix, i)
		}
	}
	s[got] = true
	return got
}

// exported raises the first letter: the rest is AWS's spelling.
func exported(name string) string {
	name = strings.TrimLeft(name, "_")
	return strings.ToUpper(name[:1]) + name[1:]
}

// signs are spelled out where a value has nothing else to tell it apart.
var signs = strings.NewReplacer("*", " Star ", "<", " Less ", ">", " Greater ", "=", " Equal ", "!", " Not ", "+", " Plus ")

// valueName makes the part of a constant's name that stands for an enum value:
// SYMMETRIC_DEFAULT becomes SymmetricDefault, aws:kms becomes AwsKms.
func valueName(value string) string {
	words := strings.FieldsFunc(signs.Replace(value), func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	var b strings.Builder
	for _, w := range words {
		if w == strings.ToUpper(w) {
			w = strings.ToLower(w)
		}
		// Digits on both sides of a seam would run together: m5.24xlarge and m52.4xlarge.
		if n := b.Len(); n > 0 && isDigit(b.String()[n-1]) && isDigit(w[0]) {
			b.WriteByte('_')
		}
		b.WriteString(strings.ToUpper(w[:1]) + w[1:])
	}
	if b.Len() == 0 {
		return "Empty"
	}
	return b.String()
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
