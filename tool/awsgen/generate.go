package main

import (
	"bytes"
	"fmt"
	"go/format"
	"slices"
	"sort"
	"strings"
)

// A gen writes the package of one service.
type gen struct {
	service    service
	model      *model
	predicates []predicate

	operations []*operation // by name
	errors     []string     // shape names, sorted
	structs    []string     // shape names, sorted
	enums      []string     // shape names, sorted
	empty      map[string]string
	inputOf    map[string]string // shape name → the operation it is the input of
	outputOf   map[string]string
	root       map[string]*ref // inputs and outputs: the operation's reference, for XML names

	taken  scope
	goName map[string]string // shape name → Go type
	opVar  map[string]string // operation → Go variable
	errVar map[string]string // error shape → Go variable
}

// generate returns the files of a service's package.
func generate(s service, m *model, predicates []predicate) (map[string][]byte, error) {
	g := &gen{
		service: s.complete(m), model: m, predicates: predicates, taken: scope{},
		goName: map[string]string{}, opVar: map[string]string{}, errVar: map[string]string{},
		inputOf: map[string]string{}, outputOf: map[string]string{}, root: map[string]*ref{},
		empty: map[string]string{},
	}
	if err := g.collect(); err != nil {
		return nil, err
	}
	g.name()
	files := map[string][]byte{}
	for _, part := range []func() (map[string]string, error){g.writeService, g.writeOperations, g.writeErrors, g.writeEnums, g.writeShapes} {
		texts, err := part()
		if err != nil {
			return nil, err
		}
		for name, body := range texts {
			if files[name], err = g.file(body); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return files, nil
}

// collect finds the shapes that operations reach.
func (g *gen) collect() error {
	seen := map[string]bool{}
	var errs, structs, enums []string
	var visit func(r *ref) error
	visit = func(r *ref) error {
		if r == nil || seen[r.Shape] {
			return nil
		}
		seen[r.Shape] = true
		s, err := g.model.shape(r)
		if err != nil {
			return err
		}
		switch {
		case s.Type == "structure" && !s.Document:
			structs = append(structs, r.Shape)
		case len(s.Enum) > 0:
			enums = append(enums, r.Shape)
		}
		for _, m := range s.Members.keys {
			if err := visit(s.Members.values[m]); err != nil {
				return fmt.Errorf("%s.%s: %w", r.Shape, m, err)
			}
		}
		for _, inner := range []*ref{s.Member, s.Value} {
			if err := visit(inner); err != nil {
				return fmt.Errorf("%s: %w", r.Shape, err)
			}
		}
		return nil
	}
	for _, name := range g.model.Operations.keys {
		op := g.model.Operations.values[name]
		g.operations = append(g.operations, op)
		for _, r := range []*ref{op.Input, op.Output} {
			if err := visit(r); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		if op.Input != nil {
			if err := g.isRoot(op.Input); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			g.inputOf[op.Input.Shape] = op.Name
		}
		if op.Output != nil {
			g.outputOf[op.Output.Shape] = op.Name
		}
	}
	for _, op := range g.operations {
		for _, e := range op.Errors {
			if !slices.Contains(errs, e.Shape) {
				errs = append(errs, e.Shape)
			}
		}
	}
	// Structures that only errors hold.
	for _, e := range errs {
		s, err := g.model.shape(&ref{Shape: e})
		if err != nil {
			return err
		}
		for _, m := range s.Members.keys {
			if err := visit(s.Members.values[m]); err != nil {
				return fmt.Errorf("%s.%s: %w", e, m, err)
			}
		}
	}
	// Errors that event streams carry but no operation declares.
	for _, name := range structs {
		if g.model.Shapes.values[name].isError() && !slices.Contains(errs, name) {
			errs = append(errs, name)
		}
	}
	sort.Slice(g.operations, func(i, j int) bool { return g.operations[i].Name < g.operations[j].Name })
	g.errors, g.structs, g.enums = sorted(errs), sorted(structs), sorted(enums)
	return nil
}

// isRoot remembers how the root element of an input is called. One structure
// that two operations call differently would need two Go types.
func (g *gen) isRoot(r *ref) error {
	if old := g.root[r.Shape]; old != nil && old.LocationName != r.LocationName {
		return fmt.Errorf("input %s is both %q and %q", r.Shape, old.LocationName, r.LocationName)
	}
	g.root[r.Shape] = r
	return nil
}

// name hands out Go names in the order of their rank: see README.md.
func (g *gen) name() {
	g.taken.take("Service", "")
	g.taken.take("Operations", "")
	for _, op := range g.operations {
		g.opVar[op.Name] = g.taken.take(exported(op.Name), "Operation")
	}
	for _, e := range g.errors {
		g.errVar[e] = g.taken.take(exported(e), "Error")
	}
	for _, s := range g.structs {
		g.goName[s] = g.taken.take(exported(s), "Shape")
	}
	for _, op := range g.operations {
		if op.Input == nil {
			g.empty[op.Name+"/in"] = g.taken.take(exported(op.Name)+"Request", "Shape")
		}
		if op.Output == nil {
			g.empty[op.Name+"/out"] = g.taken.take(exported(op.Name)+"Response", "Shape")
		}
	}
	for _, e := range g.enums {
		g.goName[e] = g.taken.take(exported(e), "Enum")
	}
}

// file puts header, package clause and imports around body.
func (g *gen) file(body string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated by awsgen from %s %s. DO NOT EDIT.\n\n", g.service.Name, g.model.Metadata.APIVersion)
	if strings.HasPrefix(body, "// Package ") {
		doc, rest, _ := strings.Cut(body, "\n")
		fmt.Fprintln(&b, doc)
		body = rest
	}
	fmt.Fprintf(&b, "package %s\n\n", g.service.Package())
	var imports []string
	for _, i := range [][2]string{{"io.", "io"}, {"time.", "time"}, {"aws.", "sumun.dev/aws"}, {"wire.", "sumun.dev/wire"}} {
		if uses(body, i[0]) {
			imports = append(imports, fmt.Sprintf("%q", i[1]))
		}
	}
	if len(imports) > 0 {
		fmt.Fprintf(&b, "import (\n%s\n)\n\n", strings.Join(imports, "\n"))
	}
	b.WriteString(body)
	return format.Source(b.Bytes())
}

// uses reports whether code in body, and not only tags or comments, names a package.
func uses(body, name string) bool {
	for line := range strings.Lines(body) {
		code, _, _ := strings.Cut(line, "`")
		code, _, _ = strings.Cut(code, "//")
		code = stripStrings(code)
		for rest := code; ; {
			i := strings.Index(rest, name)
			if i < 0 {
				break
			}
			if i == 0 || strings.ContainsRune(" \t*]{(", rune(rest[i-1])) {
				return true
			}
			rest = rest[i+len(name):]
		}
	}
	return false
}

// stripStrings blanks what stands between double quotes.
func stripStrings(code string) string {
	parts := strings.Split(code, `"`)
	for i := 1; i < len(parts); i += 2 {
		parts[i] = ""
	}
	return strings.Join(parts, `"`)
}

func sorted(s []string) []string {
	sort.Strings(s)
	return slices.Compact(s)
}
