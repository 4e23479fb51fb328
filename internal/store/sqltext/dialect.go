package sqltext

import (
	"fmt"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Dialect is how an engine writes the conditions that each writes in its own way: with %[1]s for an expression and, but for Known and Not, %[2]s for a value.
type Dialect struct {
	OneText, OneNumber string // the value is a list
	Like               string // of a pattern, without regard to the case of ASCII
	Known              string
	Number             string // a value that is a float64, as %s
	Not                string // the condition %s does not hold, or is not known
}

// Compares says whether Condition knows how to write op: those that a filter in our grammar has.
func Compares(op store.Op) bool { return op >= store.OneOf && op <= store.Known }

// Condition writes a condition on the values of an expression. arg makes a value a parameter.
func (d *Dialect) Condition(op store.Op, value any, expression string, arg func(any) string) string {
	switch v := value.(type) {
	case store.Texts:
		return d.texts(v, expression, arg)
	case []float64:
		return fmt.Sprintf(d.OneNumber, expression, arg(v))
	case store.Span:
		var ends []string
		for _, end := range []struct {
			value    any
			compared string
		}{{v.Least, " >= "}, {v.Most, " <= "}} {
			if end.value != nil {
				ends = append(ends, expression+end.compared+d.number(end.value, arg))
			}
		}
		return "(" + strings.Join(ends, " AND ") + ")"
	}
	if op == store.Known {
		return fmt.Sprintf(d.Known, expression)
	}
	return expression + " <> ''"
}

func (d *Dialect) number(value any, arg func(any) string) string {
	if _, ok := value.(float64); ok {
		return fmt.Sprintf(d.Number, arg(value))
	}
	return arg(value)
}

// texts is the condition that one of them holds.
func (d *Dialect) texts(v store.Texts, expression string, arg func(any) string) string {
	var any []string
	switch len(v.Equal) {
	case 0:
	case 1:
		any = append(any, expression+" = "+arg(v.Equal[0]))
	default:
		any = append(any, fmt.Sprintf(d.OneText, expression, arg(v.Equal)))
	}
	for _, pattern := range v.Like {
		any = append(any, fmt.Sprintf(d.Like, expression, arg(pattern)))
	}
	return "(" + strings.Join(any, " OR ") + ")"
}

// Some is a column of which one element must be so: an expression for the element, and what stands around its condition, %s.
type Some struct{ Element, Around string }

// Around writes the condition of some element.
func (d *Dialect) Around(s Some, part *store.Condition, arg func(any) string) string {
	return fmt.Sprintf(s.Around, d.Condition(part.Op, part.Value, s.Element, arg))
}
