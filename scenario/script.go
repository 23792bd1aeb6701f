package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

// ConfigFile is the archive's member that holds the plane's settings.
const ConfigFile = "sumun.yaml"

// A Script is a scenario as read from its file.
type Script struct {
	File string
	Name string // the file's name without ending

	commands map[string]bool // that it uses
}

// commands of testscript that change nothing outside the script.
var harmless = []string{"cd", "cmp", "cmpenv", "cp", "env", "exists", "grep", "mkdir", "skip", "stderr", "stdout", "stop", "unquote"}

// Read reads a script and refuses what it may not do: a scenario is data, from
// whoever sent it. Unless exec is allowed it runs no programs, and reads and
// writes only inside its own folder.
func Read(file string, allowExec bool) (*Script, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	s := &Script{File: file, Name: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), commands: map[string]bool{}}
	archive := txtar.Parse(text)
	for _, f := range archive.Files {
		if strings.Contains(f.Name, "$") || !filepath.IsLocal(f.Name) {
			return nil, fmt.Errorf("%s: the file %q would lie outside the scenario's folder", file, f.Name)
		}
	}
	for i, line := range strings.Split(string(archive.Comment), "\n") {
		if err := s.line(line, allowExec); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, i+1, err)
		}
	}
	return s, nil
}

// Uses reports whether the script has the command.
func (s *Script) Uses(command string) bool { return s.commands[command] }

var plainWord = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

func (s *Script) line(line string, allowExec bool) error {
	words := split(line)
	for len(words) > 0 && (words[0] == "!" || conditional(words[0])) {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	if !plainWord.MatchString(words[0]) {
		return fmt.Errorf("a command is a plain word, %s is not", words[0])
	}
	s.commands[words[0]] = true
	if words[0] == "eventually" {
		for _, w := range words[1:] {
			s.commands[w] = true // more than needed: also what is no command
		}
	}
	if allowExec {
		return nil
	}
	if _, ours := table[words[0]]; ours {
		return nil
	}
	if !slices.Contains(harmless, words[0]) {
		return fmt.Errorf("unknown command %q%s", words[0], needsExec(words[0]))
	}
	return confined(words)
}

// conditional reports whether a word is a condition: "[real]".
func conditional(word string) bool {
	return strings.HasPrefix(word, "[") && strings.HasSuffix(word, "]") && !strings.ContainsAny(word, "$'")
}

func needsExec(name string) string {
	switch name {
	case "exec", "kill", "wait", "rm", "mv", "chmod", "symlink", "stdin", "ttyin", "ttyout", "unix2dos":
		return ": it reaches beyond the scenario and needs --allow-exec"
	}
	return ""
}

// confined refuses file names that could lie outside the script's folder.
func confined(words []string) error {
	var files []string
	switch words[0] {
	case "cd", "cmp", "cmpenv", "cp", "exists", "mkdir", "unquote":
		files = words[1:]
	case "grep":
		files = words[max(1, len(words)-1):]
	}
	for _, f := range files {
		if strings.HasPrefix(f, "-") {
			continue
		}
		if strings.ContainsAny(f, "$'") || !filepath.IsLocal(f) {
			return fmt.Errorf("%s: the file name %s must be relative, without '..', '$' and quotes", words[0], f)
		}
	}
	return nil
}

// split divides a line into words as testscript does, but leaves quotes and
// variables as they are.
func split(line string) []string {
	var words []string
	start, quoted := -1, false
	for i := 0; i <= len(line); i++ {
		end := i == len(line) || !quoted && strings.IndexByte(" \t\r#", line[i]) >= 0
		if end {
			if start >= 0 {
				words = append(words, line[start:i])
			}
			start = -1
			if i < len(line) && line[i] == '#' {
				break
			}
			continue
		}
		if line[i] == '\'' {
			quoted = !quoted
		}
		if start < 0 {
			start = i
		}
	}
	return words
}
