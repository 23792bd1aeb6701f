package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/jmespath/go-jmespath"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// Run makes the call, or the calls for all pages, and prints what the CLI would.
// It returns the exit status.
func (cmd *Command) Run(ctx context.Context, send Sender, out, errs io.Writer) int {
	p := &printer{cmd: cmd, out: out, order: map[uintptr][]string{}}
	err := cmd.run(ctx, send, p)
	if err == nil {
		return Success
	}
	if refused := (*aws.Error)(nil); errors.As(err, &refused) {
		fmt.Fprintf(errs, "\n%s\n", Sentence(cmd.Operation, err))
		return ServerError
	}
	fmt.Fprintf(errs, "\n%v\n", err)
	return OtherError
}

// Sentence is how the CLI tells of an error.
func Sentence(op wire.AnyOperation, err error) string {
	var refused *aws.Error
	if !errors.As(err, &refused) {
		return err.Error()
	}
	message := refused.Message
	if message == "" {
		message = "Unknown"
	}
	return fmt.Sprintf("An error occurred (%s) when calling the %s operation: %s", refused.Code, op.About().Name, message)
}

func (cmd *Command) run(ctx context.Context, send Sender, p *printer) error {
	if cmd.paginate {
		return cmd.runPages(ctx, send, p)
	}
	out, err := send.Send(ctx, cmd.Region, !cmd.unsigned && !cmd.Operation.About().NoAuth, cmd.Operation, cmd.In)
	if err != nil {
		return err
	}
	if cmd.outfile != "" {
		if err := cmd.saveStream(out); err != nil {
			return err
		}
	}
	if cmd.bootstraps() {
		if err := cmd.saveBootstrap(out); err != nil {
			return err
		}
	}
	return p.print(p.document(reflect.ValueOf(out).Elem()))
}

// saveStream writes what the operation streams to the file that the command names.
func (cmd *Command) saveStream(out any) error {
	v := reflect.ValueOf(out).Elem()
	f := v.Field(streamField(v.Type()))
	data, _ := f.Interface().([]byte)
	if stream, ok := f.Interface().(io.Reader); ok {
		var err error
		if data, err = io.ReadAll(stream); err != nil {
			return err
		}
	}
	f.SetZero()
	return cmd.files.WriteFile(cmd.outfile, data)
}

// streamField returns which member of a response goes to a file: a stream, or a
// blob that is the whole answer; -1 when none does.
func streamField(t reflect.Type) int {
	for i := range t.NumField() {
		if f := t.Field(i); f.Type == streamType || f.Type == bytesType && tagged(f, "in=payload") {
			return i
		}
	}
	return -1
}

// runPages calls until there is no further page. JSON is printed once, the pages'
// lists joined; text page by page, as the CLI does.
func (cmd *Command) runPages(ctx context.Context, send Sender, p *printer) error {
	pages := cmd.Operation.About().Pages
	token, skip, err := openToken(cmd.start)
	if err != nil {
		return err
	}
	results := strings.Split(pages.Result, ",")
	whole, left := map[string]any{}, cmd.maxItems
	p.order[pointer(whole)] = results
	for n := 0; ; n++ {
		if err := cmd.setToken(token); err != nil {
			return err
		}
		out, err := send.Send(ctx, cmd.Region, !cmd.unsigned && !cmd.Operation.About().NoAuth, cmd.Operation, cmd.In)
		if err != nil {
			return err
		}
		page, ok := p.document(reflect.ValueOf(out).Elem()).(map[string]any)
		if !ok {
			return fmt.Errorf("the answer of %s has no pages", cmd.Operation.About())
		}
		next, err := nextToken(pages.Out, pages.More, page)
		if err != nil {
			return err
		}
		cut := trim(page, results[0], skip, &left, cmd.maxItems > 0)
		if cut {
			next = sealToken(token, skip+count(page, results[0]))
		} else if cmd.maxItems > 0 && left == 0 && next != nil {
			cut, next = true, sealToken(next, 0)
		}
		skip = 0
		if cmd.output == "text" {
			if err := p.print(part(page, results)); err != nil {
				return err
			}
		} else {
			join(whole, page, results)
		}
		if cut {
			whole["NextToken"] = next[0]
			p.order[pointer(whole)] = append(results, "NextToken")
			break
		}
		if next == nil {
			break
		}
		token = next
	}
	if cmd.output == "text" {
		if t, ok := whole["NextToken"].(string); ok {
			_, err := fmt.Fprintf(p.out, "NEXTTOKEN\t%s\n", t)
			return err
		}
		return nil
	}
	return p.print(whole)
}

func count(page map[string]any, result string) int {
	items, _ := page[result].([]any)
	return len(items)
}

// trim takes away the items before skip and beyond what is left. It reports
// whether it cut items off at the end.
func trim(page map[string]any, result string, skip int, left *int, bounded bool) bool {
	items, _ := page[result].([]any)
	items = items[min(skip, len(items)):]
	cut := bounded && len(items) > *left
	if cut {
		items = items[:*left]
	}
	if bounded {
		*left -= len(items)
	}
	if items != nil {
		page[result] = items
	}
	return cut
}

// part keeps the members of a page that hold its results.
func part(page map[string]any, results []string) map[string]any {
	m := map[string]any{}
	for _, name := range results {
		if v, ok := page[name]; ok {
			m[name] = v
		}
	}
	return m
}

func join(whole, page map[string]any, results []string) {
	for _, name := range results {
		v, ok := page[name]
		if !ok {
			continue
		}
		list, isList := v.([]any)
		had, hasList := whole[name].([]any)
		switch {
		case isList && hasList:
			whole[name] = append(had, list...)
		case whole[name] == nil:
			whole[name] = v
		}
	}
}

// nextToken returns the values that lead to the next page, nil after the last.
func nextToken(out, more string, page map[string]any) ([]string, error) {
	if more != "" {
		if x, err := jmespath.Search(more, page); err != nil || x != true {
			return nil, err
		}
	}
	var token []string
	some := false
	for expression := range strings.SplitSeq(out, ",") {
		x, err := jmespath.Search(expression, page)
		if err != nil {
			return nil, err
		}
		s, _ := x.(string)
		switch n := x.(type) {
		case int64, float64:
			s = scalar(n)
		}
		token = append(token, s)
		some = some || s != ""
	}
	if !some {
		return nil, nil
	}
	return token, nil
}

func (cmd *Command) setToken(token []string) error {
	v := reflect.ValueOf(cmd.In).Elem()
	names := strings.Split(cmd.Operation.About().Pages.In, ",")
	for i, value := range token {
		f, ok := fieldNamed(v.Type(), names[i])
		if ok && value != "" {
			if err := setScalar(v.FieldByIndex(f.Index), value, names[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// A resume is what the CLI's --starting-token holds: the service's token, and how
// many items of its page have been shown.
type resume struct {
	Token []string `json:"t,omitempty"`
	Skip  int      `json:"s,omitempty"`
}

func sealToken(token []string, skip int) []string {
	text, err := json.Marshal(resume{token, skip})
	if err != nil {
		return nil // strings and a number are always JSON
	}
	return []string{base64.StdEncoding.EncodeToString(text)}
}

func openToken(text string) ([]string, int, error) {
	if text == "" {
		return nil, 0, nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	var r resume
	if err != nil || json.Unmarshal(data, &r) != nil || r.Skip < 0 {
		return nil, 0, usage("argument --starting-token: Bad starting token: %s", text)
	}
	return r.Token, r.Skip, nil
}
