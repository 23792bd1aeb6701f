package cli

import (
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/jmespath/go-jmespath"

	"sumun.dev/wire"
)

// A Command is what a command line asks for.
type Command struct {
	Operation wire.AnyOperation
	In        any    // a pointer to the operation's request
	Region    string // empty: the place's

	unsigned  bool
	output    string // "json" or "text"
	query     *jmespath.JMESPath
	paginate  bool
	maxItems  int // 0: all
	start     string
	outfile   string // for what an operation streams
	bootstrap bootstrap
	files     Files
}

// paging are the options that the CLI adds where an operation has pages. The
// operation's own are hidden then; using one of them switches paging off.
type paging struct{ pageSize, startingToken, maxItems string }

// Parse reads a command line without its first word, "aws".
func (c *CLI) Parse(args []string, files Files) (*Command, error) {
	cmd := &Command{output: "json", paginate: true, files: files}
	words, rest, err := cmd.globals(args)
	if err != nil {
		return nil, err
	}
	if len(words) < 2 {
		return nil, usage("the following arguments are required: command, operation")
	}
	if cmd.Operation, err = c.operation(words[0], words[1]); err != nil {
		return nil, err
	}
	cmd.In = reflect.New(cmd.Operation.InType()).Interface()
	return cmd, cmd.parameters(words[2:], rest)
}

// A given is an option as written, with the words after it.
type given struct {
	name   string
	values []string
}

// globals takes out what every command has, and returns the words before the
// first option of the operation, and its options.
func (cmd *Command) globals(args []string) (words []string, rest []given, err error) {
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		name, isOption := strings.CutPrefix(word, "--")
		if !isOption {
			if len(rest) == 0 {
				words = append(words, word)
				continue
			}
			last := &rest[len(rest)-1]
			last.values = append(last.values, word)
			continue
		}
		name, value, joined := strings.Cut(name, "=")
		if !joined && globalValue(name) {
			if len(args) == 0 {
				return nil, nil, usage("argument --%s: expected one argument", name)
			}
			value, args = args[0], args[1:]
		}
		known, err := cmd.global(name, value)
		if err != nil {
			return nil, nil, err
		}
		if known {
			continue
		}
		g := given{name: name}
		if joined {
			g.values = []string{value}
		}
		rest = append(rest, g)
	}
	return words, rest, nil
}

func globalValue(name string) bool {
	return slices.Contains([]string{"region", "output", "query", "cli-binary-format"}, name)
}

// global takes note of an option that every command has.
func (cmd *Command) global(name, value string) (known bool, err error) {
	switch name {
	case "region":
		cmd.Region = value
	case "output":
		if value != "json" && value != "text" {
			return true, usage("argument --output: Invalid choice: '%s'; json and text are offered here", value)
		}
		cmd.output = value
	case "query":
		if cmd.query, err = jmespath.Compile(value); err != nil {
			return true, usage("argument --query: Bad value for --query: %s: %v", value, err)
		}
	case "no-paginate":
		cmd.paginate = false
	case "no-sign-request":
		cmd.unsigned = true
	case "no-cli-pager":
	case "cli-binary-format":
		if value != "base64" {
			return true, usage("argument --cli-binary-format: '%s' is not offered here, blobs are base64", value)
		}
	case "endpoint-url", "profile", "debug", "no-verify-ssl", "ca-bundle", "color", "cli-read-timeout", "cli-connect-timeout", "cli-auto-prompt":
		return true, usage("--%s is not offered here: commands go to the scenario's plane, as the principal that 'as' names", name)
	default:
		return false, nil
	}
	return true, nil
}

// parameters fills in the request.
func (cmd *Command) parameters(words []string, all []given) error {
	opts := options(cmd.Operation)
	words, err := cmd.takeOutfile(words, all, opts)
	if err != nil {
		return err
	}
	if len(words) > 0 {
		return usage("Unknown options: %s", strings.Join(words, ", "))
	}
	v := reflect.ValueOf(cmd.In).Elem()
	seen := map[int]bool{}
	var page paging
	for _, g := range all {
		if g.name == "cli-input-json" {
			if err := cmd.inputJSON(v, g, seen); err != nil {
				return err
			}
		}
	}
	for _, g := range all {
		if taken, err := cmd.pageOption(g, &page); taken || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if taken, err := cmd.bootstrapOption(g); taken || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if g.name == "cli-input-json" {
			continue
		}
		o, ok := opts[g.name]
		if !ok {
			return usage("Unknown options: --%s; %s has: %s", g.name, kebab(cmd.Operation.About().Name), optionList(opts))
		}
		if err := cmd.set(v.Field(o.field), o, g.values); err != nil {
			return err
		}
		seen[o.field] = true
	}
	if err := lacking(opts, seen, cmd.lackingBootstrap()...); err != nil {
		return err
	}
	return cmd.pages(v, page)
}

// takeOutfile finds the file that an operation's stream is written to: the
// command's one word that belongs to no option, wherever it stands.
func (cmd *Command) takeOutfile(words []string, all []given, opts map[string]option) ([]string, error) {
	if streamField(cmd.Operation.OutType()) < 0 {
		return words, nil
	}
	if len(words) == 1 {
		cmd.outfile = words[0]
		return nil, nil
	}
	if len(words) == 0 && len(all) > 0 {
		last := &all[len(all)-1]
		o, ok := opts[last.name]
		if ok && len(last.values) == 2 || ok && o.t.Kind() == reflect.Bool && len(last.values) == 1 {
			cmd.outfile = last.values[len(last.values)-1]
			last.values = last.values[:len(last.values)-1]
			return nil, nil
		}
	}
	return nil, usage("the following arguments are required: outfile")
}

func (cmd *Command) inputJSON(v reflect.Value, g given, seen map[int]bool) error {
	if len(g.values) != 1 {
		return usage("argument --cli-input-json: expected one argument")
	}
	text, _, err := cmd.load(g.values[0])
	if err != nil {
		return err
	}
	var x any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&x); err != nil {
		return usage("argument --cli-input-json: Invalid JSON: %v", err)
	}
	members, ok := x.(map[string]any)
	if !ok {
		return usage("argument --cli-input-json: a JSON object is expected")
	}
	for name := range members {
		if f, ok := fieldNamed(v.Type(), name); ok {
			seen[f.Index[0]] = true
		}
	}
	return assign(v, members, "cli-input-json", false)
}

// pageOption takes note of the options that the CLI adds for paging.
func (cmd *Command) pageOption(g given, page *paging) (bool, error) {
	pages := cmd.Operation.About().Pages
	if pages == nil {
		return false, nil
	}
	at := map[string]*string{"starting-token": &page.startingToken, "max-items": &page.maxItems}[g.name]
	if g.name == "page-size" && pages.Limit != "" {
		at = &page.pageSize
	}
	if at == nil {
		// IAM's own MaxItems gives way to the CLI's; others' own options switch paging off.
		for own := range strings.SplitSeq(pages.In+","+pages.Limit, ",") {
			if g.name == kebab(own) {
				cmd.paginate = false
			}
		}
		return false, nil
	}
	if len(g.values) != 1 {
		return true, usage("argument --%s: expected one argument", g.name)
	}
	*at = g.values[0]
	return true, nil
}

// pages settles how an operation is paged.
func (cmd *Command) pages(v reflect.Value, page paging) error {
	pages := cmd.Operation.About().Pages
	if pages == nil {
		cmd.paginate = false
		return nil
	}
	if page.pageSize != "" {
		f, _ := fieldNamed(v.Type(), pages.Limit)
		if err := setScalar(target(v.FieldByIndex(f.Index)), page.pageSize, "page-size"); err != nil {
			return err
		}
	}
	cmd.start = page.startingToken
	if page.maxItems == "" {
		return nil
	}
	n, err := strconv.Atoi(page.maxItems)
	if err != nil || n < 1 {
		return usage("argument --max-items: invalid literal: '%s'", page.maxItems)
	}
	cmd.maxItems = n
	return nil
}

// lacking names the required options that are absent, in the CLI's words.
func lacking(opts map[string]option, seen map[int]bool, names ...string) error {
	for _, o := range opts {
		if o.required && !o.token && !seen[o.field] {
			names = append(names, "--"+o.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return usage("the following arguments are required: %s", strings.Join(names, ", "))
}

func optionList(opts map[string]option) string {
	var names []string
	for name := range opts {
		names = append(names, "--"+name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}
