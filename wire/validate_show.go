package wire

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// shown writes the value that broke a rule, with a blank behind it. AWS leaves
// sensitive values out, and shows blobs as Java prints a buffer.
func shown(s *shape, v reflect.Value) string {
	if s.sensitive {
		return ""
	}
	var b strings.Builder
	show(&b, s, v)
	return "'" + clip(b.String()) + "' "
}

func clip(s string) string {
	if len(s) <= maxEcho {
		return s
	}
	return strings.ToValidUTF8(s[:maxEcho], "") + "..."
}

const masked = "***Sensitive Data Redacted***"

func show(b *strings.Builder, s *shape, v reflect.Value) {
	if b.Len() > maxEcho {
		return
	}
	if s.sensitive {
		b.WriteString(masked)
		return
	}
	switch s.kind {
	case kString:
		b.WriteString(v.String())
	case kBlob:
		fmt.Fprintf(b, "java.nio.HeapByteBuffer[pos=0 lim=%d cap=%[1]d]", v.Len())
	case kList:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			show(b, s.elem, v.Index(i))
			if b.Len() > maxEcho {
				break
			}
		}
		b.WriteByte(']')
	case kMap:
		b.WriteByte('{')
		for i, k := range sortedKeys(v) {
			if i > 0 {
				b.WriteString(", ")
			}
			show(b, s.key, k)
			b.WriteByte('=')
			show(b, s.elem, v.MapIndex(k))
			if b.Len() > maxEcho {
				break
			}
		}
		b.WriteByte('}')
	case kStruct:
		showStructure(b, s.st, v)
	case kTime:
		b.WriteString(formatTime(v.Interface().(time.Time), "iso8601"))
	case kStream:
		b.WriteString("...")
	default:
		fmt.Fprint(b, v.Interface())
	}
}

func showStructure(b *strings.Builder, p *plan, v reflect.Value) {
	b.WriteString(p.name + "(")
	sep := ""
	for _, f := range p.fields {
		fv, present := f.value(v)
		if !present {
			continue
		}
		b.WriteString(sep + f.member + "=")
		show(b, f.shape, fv)
		sep = ", "
	}
	b.WriteByte(')')
}

func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	return keys
}
