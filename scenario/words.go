package scenario

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jmespath/go-jmespath"
)

// set NAME [JMESPATH]
//
// set puts a value of the last command's output into a variable.
func (s *step) set(args []string) error {
	if len(args) < 1 || len(args) > 2 || !variableName.MatchString(args[0]) {
		return misused("usage: set NAME [JMESPATH], where NAME is made of capital letters, digits and _")
	}
	text := strings.TrimRight(s.script.ReadFile("stdout"), "\n")
	if len(args) == 1 {
		s.script.Setenv(args[0], text)
		return nil
	}
	var doc any
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return misused("set: the last command's output is not JSON: %v", err)
	}
	x, err := jmespath.Search(args[1], doc)
	if err != nil {
		return misused("set: %s: %v", args[1], err)
	}
	switch x := x.(type) {
	case nil:
		return fmt.Errorf("set: the output holds nothing at %s", args[1])
	case string:
		text = x
	case float64:
		text = strconv.FormatFloat(x, 'f', -1, 64)
	default:
		encoded, err := json.Marshal(x)
		if err != nil {
			return err
		}
		text = string(encoded)
	}
	s.script.Setenv(args[0], text)
	return nil
}

var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// advance DURATION
//
// advance lets virtual time pass.
func (s *step) advance(args []string) error {
	if len(args) != 1 {
		return misused("usage: advance DURATION, such as 90d, 36h or 10m")
	}
	d, err := duration(args[0])
	if err != nil {
		return misused("advance: %v", err)
	}
	if !s.virtual {
		return misused("advance: a plane in real time cannot travel; play this scenario with 'sumun test'")
	}
	time.Sleep(d)
	return nil
}

// duration reads Go's form, and days.
func duration(text string) (time.Duration, error) {
	rest := text
	var days time.Duration
	if n, after, ok := strings.Cut(text, "d"); ok {
		count, err := strconv.ParseUint(n, 10, 16)
		if err != nil {
			return 0, fmt.Errorf("%q is not a duration such as 90d, 36h or 10m", text)
		}
		days, rest = time.Duration(count)*24*time.Hour, after
	}
	if rest == "" && days > 0 {
		return days, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration such as 90d, 36h or 10m", text)
	}
	return days + d, nil
}

// restart
//
// restart stops the plane and starts it again on the same data.
func (s *step) restart(args []string) error {
	if len(args) != 0 {
		return misused("usage: restart")
	}
	return s.stage.restart(s.ctx)
}

// say [more] TEXT
//
// say puts a line into the timeline; with more it goes on with what was said before.
func (s *step) say(args []string) error {
	m := Moment{At: time.Now(), Kind: "say"}
	if len(args) > 1 && args[0] == "more" {
		m.Kind, args = "more", args[1:]
	}
	m.What = strings.Join(args, " ")
	s.tell(m)
	return nil
}

// eventually DURATION [!] COMMAND… [-- [!] stdout|stderr REGEXP]
//
// eventually repeats a command until it succeeds, or with '!' fails, and its
// output matches; at most for the duration.
func (s *step) eventually(args []string) error {
	w, err := readWaiting(args)
	if err != nil {
		return err
	}
	until := time.Now().Add(w.limit)
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		var out, errs strings.Builder
		err := (&step{world: s.world, script: s.script, out: &out, errs: &errs}).run(w.command[0], w.command[1:])
		if _, wrong := err.(*misuse); wrong {
			return err
		}
		s.stage.settle()
		why := w.unmet(err, out.String(), errs.String())
		if why == nil || !time.Now().Before(until) {
			fmt.Fprint(s.out, out.String())
			fmt.Fprint(s.errs, errs.String())
			return why
		}
		time.Sleep(min(pause, time.Until(until)))
	}
}

// A waiting is what eventually waits for.
type waiting struct {
	limit   time.Duration
	fails   bool
	command []string

	stream  string // "stdout" or "stderr"; empty when the output does not matter
	absent  bool
	pattern *regexp.Regexp
}

func readWaiting(args []string) (*waiting, error) {
	const use = "usage: eventually DURATION [!] COMMAND… [-- [!] stdout|stderr REGEXP]"
	if len(args) < 2 {
		return nil, misused(use)
	}
	limit, err := duration(args[0])
	if err != nil {
		return nil, misused("eventually: %v", err)
	}
	w := &waiting{limit: limit, command: args[1:]}
	if w.command[0] == "!" {
		w.fails, w.command = true, w.command[1:]
	}
	for i, word := range w.command {
		if word != "--" {
			continue
		}
		check := w.command[i+1:]
		w.command = w.command[:i]
		if len(check) > 0 && check[0] == "!" {
			w.absent, check = true, check[1:]
		}
		if len(check) != 2 || check[0] != "stdout" && check[0] != "stderr" {
			return nil, misused(use)
		}
		w.stream = check[0]
		if w.pattern, err = regexp.Compile("(?m)" + check[1]); err != nil {
			return nil, misused("eventually: %v", err)
		}
		break
	}
	if len(w.command) == 0 || w.command[0] != "aws" && w.command[0] != "dig" && w.command[0] != "http" &&
		w.command[0] != "trail" && w.command[0] != "events" && w.command[0] != "explain" && w.command[0] != "evidence" && w.command[0] != "as" {
		return nil, misused("eventually repeats aws, dig, http, trail, events, explain, evidence or as")
	}
	return w, nil
}

// unmet says why what is waited for has not happened yet.
func (w *waiting) unmet(err error, out, errs string) error {
	if w.fails == (err == nil) {
		if err == nil {
			return fmt.Errorf("the command still succeeds after %v", w.limit)
		}
		return fmt.Errorf("after %v: %w", w.limit, err)
	}
	if w.stream == "stderr" {
		out = errs
	}
	if w.stream != "" && w.pattern.MatchString(out) == w.absent {
		not := "does not match"
		if w.absent {
			not = "still matches"
		}
		return fmt.Errorf("after %v %s %s %q", w.limit, w.stream, not, w.pattern)
	}
	return nil
}
