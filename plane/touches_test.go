package plane

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sumun.dev/aws"
	"sumun.dev/plane/config"
	"sumun.dev/policy/facts"
	"sumun.dev/wire"
)

// TestTouchesAreWhatAWSAsks holds every touch of every served operation against
// AWS's Service Authorization Reference: its action exists, in that spelling; its
// resource is one of the action's types, or "*" where AWS has none; its condition
// keys are known to the action.
func TestTouchesAreWhatAWSAsks(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	c := p.current.Load()
	unused := maps.Clone(otherwise)
	for _, s := range c.services {
		for _, r := range s.serve.Routes() {
			for _, wrong := range askedWrongly(t, c, s.name, r) {
				key := r.Meta().String() + " " + wrong
				if _, known := otherwise[key]; !known {
					t.Errorf("%s", key)
				}
				delete(unused, key)
			}
		}
	}
	for key, reason := range unused {
		t.Errorf("%s is no longer so (%s): remove it", key, reason)
	}
}

// askedWrongly returns what differs from the facts, each once, sorted.
func askedWrongly(t *testing.T, c *core, service string, r wire.Route) []string {
	t.Helper()
	wrong := map[string]bool{}
	for _, text := range textsFor(service, c.born.Account) {
		in := reflect.New(r.Operation.InType())
		fillNames(in.Elem(), text, 4)
		setRoles(in.Elem(), "arn:aws:iam::"+string(c.born.Account)+":role/r", 4)
		for _, touch := range touchesOf(t, c, service, r, in.Interface()) {
			if touch.Open != "" {
				continue
			}
			a, known := facts.Action(touch.Action)
			if !known {
				wrong["no action "+touch.Action] = true
				continue
			}
			if a.String() != touch.Action {
				wrong["spells "+touch.Action] = true
			}
			for key := range touch.Conditions {
				if !a.KnowsKey(key) {
					wrong[touch.Action+" has no key "+generic(key)] = true
				}
			}
			on := "*"
			if !touch.Resource.IsZero() {
				on = touch.Resource.String()
			}
			switch {
			case a.Covers(on), on == "*" && !slices.ContainsFunc(a.Resources, func(u facts.ResourceUse) bool { return u.Required }):
			case on != text: // what the caller names may be wrong
				wrong[touch.Action+" on "+kindOf(touch.Resource)] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(wrong))
}

// textsFor returns names, and the ARN of one resource of each of the service's types.
func textsFor(service string, account aws.Account) []string {
	all := []string{"x"}
	s, known := facts.Service(service)
	if !known {
		return all
	}
	for _, r := range s.Resources {
		arn := strings.NewReplacer("${Partition}", "aws", "${Region}", "us-east-1", "${Account}", string(account)).Replace(r.ARN)
		for {
			before, rest, found := strings.Cut(arn, "${")
			if !found {
				break
			}
			_, after, _ := strings.Cut(rest, "}")
			arn = before + "x" + after
		}
		all = append(all, strings.ReplaceAll(arn, "*", "x"))
	}
	return all
}

// kindOf is a resource without what varies.
func kindOf(arn aws.ARN) string {
	if arn.IsZero() {
		return "*"
	}
	kind, _, found := strings.Cut(arn.Resource, "/")
	if found {
		kind += "/…"
	}
	return arn.Service + ":" + kind
}

func generic(key string) string {
	head, _, found := strings.Cut(key, "/")
	if found {
		return head + "/…"
	}
	return head
}

func touchesOf(t *testing.T, c *core, service string, r wire.Route, in any) []wire.Touch {
	t.Helper()
	user := &aws.Principal{Kind: aws.User, Account: c.born.Account, ID: "AIDAX", Name: "x", ARN: aws.ARN{Partition: "aws", Service: "iam", Account: c.born.Account, Resource: "user/x"}}
	ctx := aws.WithCall(t.Context(), &aws.Call{
		Principal: user, Partition: "aws", Account: c.born.Account, Region: "us-east-1", Service: service, Operation: r.Meta().Name, Time: time.Now(),
	})
	if service == "kms" {
		setKeys(reflect.ValueOf(in), c.born.Account)
	}
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
	if err != nil { // TestEveryRouteTouches sees to what errors there may be
		return nil
	}
	return touches
}

// fillNames sets strings that hold an ARN to text and all others to "x", numbers
// to one, lists to one element.
func fillNames(v reflect.Value, text string, depth int) {
	fill(v, "x", depth)
	if text != "x" {
		setARNs(v, text, depth)
	}
}

func setARNs(v reflect.Value, text string, depth int) {
	setNamed(v, text, depth, "Arn", "Arns", "ARN")
}

// setRoles sets what names a role, what is a path, and whose root is assumed for
// which task; what a device would have to prove is left out.
func setRoles(v reflect.Value, role string, depth int) {
	setNamed(v, role, depth, "RoleArn", "RoleARN")
	setNamed(v, "/x/", depth, "Path", "PathPrefix")
	setNamed(v, "111122223333", depth, "TargetPrincipal")
	setNamed(v, "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials", depth, "TaskPolicyArn")
	for _, name := range []string{"SerialNumber", "TokenCode"} {
		if f := v.FieldByName(name); f.IsValid() && f.Kind() == reflect.Pointer {
			f.SetZero()
		}
	}
}

// setKeys names a KMS key and a grant, and leaves out what KMS would have to have made.
func setKeys(v reflect.Value, account aws.Account) {
	const id = "12345678-1234-1234-1234-123456789012"
	setNamed(v, "arn:aws:kms:us-east-1:"+string(account)+":key/"+id, 4, "KeyId")
	setNamed(v, strings.Repeat("0a", 32), 4, "GrantId")
	setNamed(v, "alias/x", 4, "AliasName")
	for _, name := range []string{"GrantTokens", "GrantToken", "DryRunModifiers"} {
		if f := v.Elem().FieldByName(name); f.IsValid() {
			f.SetZero()
		}
	}
}

// setNamed sets the strings whose field's name ends so.
func setNamed(v reflect.Value, text string, depth int, ends ...string) {
	if depth == 0 {
		return
	}
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			setNamed(v.Index(i), text, depth-1, ends...)
		}
	}
	if v.Kind() != reflect.Struct || v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	for i := range v.NumField() {
		f, name := v.Field(i), v.Type().Field(i).Name
		if slices.ContainsFunc(ends, func(end string) bool { return strings.HasSuffix(name, end) }) {
			fill(f, text, depth)
			continue
		}
		setNamed(f, text, depth-1, ends...)
	}
}

// TestNoOperationWithoutAction holds every served operation to be authorised by
// its own action, whatever is asked: an operation that AWS leaves open, or knows
// under another action, is listed with the reason.
func TestNoOperationWithoutAction(t *testing.T) {
	p := begun(t, config.Memory)
	defer end(t, p)
	c := p.current.Load()
	opened := maps.Clone(leftOpen)
	for _, s := range c.services {
		for _, r := range s.serve.Routes() {
			own := r.Meta().String()
			if under, other := askedUnder[own]; other {
				own = under
			}
			asked := 0
			for _, text := range append(textsFor(s.name, c.born.Account), "") {
				in := reflect.New(r.Operation.InType())
				fillNames(in.Elem(), text, 4)
				if text != "" {
					setRoles(in.Elem(), "arn:aws:iam::"+string(c.born.Account)+":role/r", 4)
				}
				touches := touchesOf(t, c, s.name, r, in.Interface())
				if len(touches) == 0 {
					continue // refused
				}
				asked++
				is := func(touch wire.Touch) bool { return touch.Action == own && touch.Open == "" }
				open := slices.ContainsFunc(touches, func(touch wire.Touch) bool { return touch.Open != "" })
				if open {
					delete(opened, r.Meta().String())
				}
				if _, may := leftOpen[r.Meta().String()]; !slices.ContainsFunc(touches, is) && !(open && may) {
					t.Errorf("%s with %q is not authorised by %s: %+v", r.Meta(), text, own, touches)
				}
			}
			if _, must := proven[r.Meta().String()]; asked == 0 && !must {
				t.Errorf("%s refused all that was tried: give fillNames something that it takes", r.Meta())
			}
		}
	}
	for name, reason := range opened {
		t.Errorf("%s is not left open (%s): remove it", name, reason)
	}
}
