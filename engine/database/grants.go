package database

import (
	"crypto/rand"
	"strings"
)

// unguessable is a password that nobody is told, with a character of each kind
// that servers ask for.
func unguessable() string { return rand.Text() + "aZ1!" }

// grantTo returns a statement of SHOW GRANTS with another account in the place of
// the one that it is for, and without how that one proves who it is. It is empty
// when there is nothing to copy, false when the statement is not understood.
// Quoted parts are passed over: a database may be called "x TO y".
func grantTo(grant string, to account) (string, bool) {
	word := " TO "
	if strings.HasPrefix(grant, "SET DEFAULT ROLE ") { // MariaDB
		word = " FOR "
	} else if !strings.HasPrefix(grant, "GRANT ") {
		return "", false
	}
	at := outsideQuotes(grant, word)
	if at < 0 {
		return "", false
	}
	rest, ok := skipAccount(grant[at+len(word):])
	if !ok {
		return "", false
	}
	if cut, found := strings.CutPrefix(rest, " IDENTIFIED "); found { // MariaDB's GRANT USAGE
		rest = afterIdentified(cut)
	}
	return grant[:at+len(word)] + tick(to.name) + "@" + tick(to.host) + rest, true
}

// tick quotes a name as an identifier, which account names may be in any SQL mode.
// MySQL, "Specifying Account Names".
func tick(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// outsideQuotes returns where word first stands outside quotes, -1 when nowhere.
func outsideQuotes(s, word string) int {
	for i := 0; i < len(s); {
		if strings.HasPrefix(s[i:], word) {
			return i
		}
		n := quoted(s[i:])
		if n < 0 {
			return -1
		}
		i += max(n, 1)
	}
	return -1
}

// quoted returns the length of the quoted text that s begins with: 0 when it
// begins with none, -1 when there is no end.
func quoted(s string) int {
	if s == "" || !strings.ContainsRune("`'\"", rune(s[0])) {
		return 0
	}
	q := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && q != '`':
			i++
		case s[i] == q && i+1 < len(s) && s[i+1] == q:
			i++
		case s[i] == q:
			return i + 1
		}
	}
	return -1
}

// skipAccount returns what follows `name`@`host`.
func skipAccount(s string) (string, bool) {
	n := quoted(s)
	if n <= 0 {
		return "", false
	}
	s, ok := strings.CutPrefix(s[n:], "@")
	if !ok {
		return "", false
	}
	if n = quoted(s); n <= 0 {
		return "", false
	}
	return s[n:], true
}

// afterIdentified returns what follows an IDENTIFIED clause: REQUIRE and WITH.
func afterIdentified(s string) string {
	at := -1
	for _, word := range []string{" REQUIRE ", " WITH "} {
		if i := outsideQuotes(s, word); i >= 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return ""
	}
	return s[at:]
}
