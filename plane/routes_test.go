package plane

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/wire"
)

// Actions of other services that a call may need.
var foreign = map[string][]string{
	"ssm":           {"iam:PassRole"},
	"events":        {"iam:PassRole"},
	"organizations": {"iam:CreateServiceLinkedRole"},
}

// Whatever is asked, the touch functions of all services name what must be
// allowed, or refuse in AWS's words.
func TestEveryRouteTouches(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	c := p.current.Load()
	callers := []*aws.Principal{
		{Kind: aws.Root, Account: c.born.Account, ARN: aws.ARN{Partition: "aws", Service: "iam", Account: c.born.Account, Resource: "root"}},
		{Kind: aws.AssumedRole, Account: c.born.Account, Name: "r", ARN: aws.ARN{Partition: "aws", Service: "sts", Account: c.born.Account, Resource: "assumed-role/r/s"}, Session: &aws.Session{IssuerName: "r"}},
	}
	for _, s := range c.services {
		for _, r := range s.serve.Routes() {
			t.Run(strings.ReplaceAll(r.Meta().String(), ":", "/"), func(t *testing.T) {
				if got := r.Meta().Service.Prefix; got != s.name {
					t.Errorf("%s serves %s", s.name, got)
				}
				for _, caller := range callers {
					for _, text := range []string{"", "x", "vpc-00000000", "arn:aws:iam::" + string(c.born.Account) + ":role/r", strings.Repeat("a", 3000), "\x00"} {
						in := reflect.New(r.Operation.InType())
						fill(in.Elem(), text, 4)
						checkTouches(t, c, s.name, caller, r, in.Interface(), text)
					}
				}
			})
		}
	}
}

func checkTouches(t *testing.T, c *core, service string, caller *aws.Principal, r wire.Route, in any, text string) {
	t.Helper()
	ctx := aws.WithCall(t.Context(), &aws.Call{
		Principal: caller, Partition: "aws", Account: caller.Account, Region: "us-east-1", Service: service, Operation: r.Meta().Name, Time: time.Now(),
	})
	var touches []wire.Touch
	err := c.store.Update(ctx, func(ctx context.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		touches, err = r.Touches(ctx, in)
		return err
	})
	var e *aws.Error
	switch {
	case err != nil && !errors.As(err, &e):
		t.Errorf("with %.40q: %v", text, err)
	case err == nil && len(touches) == 0 && text != "": // without anything asked for, nothing touched means refused
		t.Errorf("with %.40q: nothing is touched", text)
	}
	for _, touch := range touches {
		prefix, _, _ := strings.Cut(touch.Action, ":")
		if prefix != service && !slices.Contains(foreign[service], touch.Action) {
			t.Errorf("touches %s", touch.Action)
		}
		if touch.Policy != "" && touch.PolicyKind != "" && !slices.Contains([]string{"trust", "key"}, touch.PolicyKind) {
			t.Errorf("has a policy of the kind %q", touch.PolicyKind)
		}
	}
}

// fill sets every string to text, every number to one and every list to one
// element; with the empty text nothing is set.
func fill(v reflect.Value, text string, depth int) {
	if text == "" || depth == 0 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(1)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text, depth-1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text, depth-1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		if key := reflect.New(v.Type().Key()).Elem(); key.Kind() == reflect.String {
			key.SetString(text)
			value := reflect.New(v.Type().Elem()).Elem()
			fill(value, text, depth-1)
			v.SetMapIndex(key, value)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text, depth)
		}
	}
}
