package server

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/interval"
	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// shape is one field of a type as it crosses the network.
type shape struct {
	name     string
	typ      reflect.Type
	optional bool // absent when it is empty
	says     string
}

// source is what the Go source says of types: sentences, and the constants of a type.
type source struct {
	says      map[string]string // by type, or type.field
	constants map[string][]string
}

// module is the path of this module, whose root is two directories up.
const modulePath = "github.com/brokle-ai/brokle-go"

// readSource reads the packages of these types.
func readSource(t *testing.T, samples ...any) *source {
	t.Helper()
	s := &source{map[string]string{}, map[string][]string{}}
	for _, v := range samples {
		dir := filepath.Join("../..", strings.TrimPrefix(reflect.TypeOf(v).PkgPath(), modulePath))
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, s.note)
		}
	}
	return s
}

// note takes what a node of the syntax says.
func (s *source) note(n ast.Node) bool {
	d, ok := n.(*ast.GenDecl)
	if !ok {
		return true
	}
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			typ, _ := spec.Type.(*ast.Ident)
			for _, v := range spec.Values {
				if text, ok := v.(*ast.BasicLit); ok && typ != nil && text.Kind == token.STRING {
					value, _ := strconv.Unquote(text.Value)
					s.constants[typ.Name] = append(s.constants[typ.Name], value)
				}
			}
		case *ast.TypeSpec:
			doc := spec.Doc
			if doc == nil {
				doc = d.Doc
			}
			s.says[spec.Name.Name] = sentence(doc)
			if fields, ok := spec.Type.(*ast.StructType); ok {
				s.noteFields(spec.Name.Name, fields)
			}
		}
	}
	return true
}

func (s *source) noteFields(typ string, fields *ast.StructType) {
	for _, f := range fields.Fields.List {
		doc := f.Doc
		if doc == nil {
			doc = f.Comment
		}
		for _, name := range f.Names {
			s.says[typ+"."+name.Name] = sentence(doc)
		}
	}
}

// sentence is a comment as JSON's readers know it.
func sentence(c *ast.CommentGroup) string {
	if c == nil {
		return ""
	}
	text := strings.Join(strings.Fields(c.Text()), " ")
	return regexp.MustCompile(`\bnil\b`).ReplaceAllString(text, "null")
}

// shapes are the fields of a struct, in order, and what is embedded in it.
func (s *source) shapes(typ reflect.Type) (fields []shape, embedded []reflect.Type) {
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			t := f.Type
			if t.Kind() == reflect.Pointer {
				t = t.Elem()
			}
			embedded = append(embedded, t)
		case f.IsExported() && name != "-" && name != "clear": // which no answer has
			says := s.says[nameOf(typ)+"."+f.Name]
			if strings.HasPrefix(says, f.Name+" ") {
				says = name + strings.TrimPrefix(says, f.Name)
			}
			fields = append(fields, shape{name, f.Type, options != "", s.named(typ, says)})
		}
	}
	return fields, embedded
}

// named has the fields that a sentence speaks of by the names that they have in JSON.
func (s *source) named(typ reflect.Type, says string) string {
	return regexp.MustCompile(`\b[A-Z][a-z]+[A-Z]\w*`).ReplaceAllStringFunc(says, func(word string) string {
		if f, ok := typ.FieldByName(word); ok {
			word, _, _ = strings.Cut(f.Tag.Get("json"), ",")
		}
		return word
	})
}

// nameOf is the Go name of a type, of a generic one without its parameters.
func nameOf(typ reflect.Type) string {
	name, _, _ := strings.Cut(typ.Name(), "[")
	return name
}

// Types whose form Go's type does not say.
var (
	timeType  = reflect.TypeFor[time.Time]()
	stampType = reflect.TypeFor[wire.Timestamp]()
	jsonType  = reflect.TypeFor[json.RawMessage]()
	statType  = reflect.TypeFor[wire.StatRow]()
	eventType = reflect.TypeFor[wire.EventType]() // of answers: as it was sent, where the event failed
)

// pageTypes are what the page reads, by the names that it has for them.
func pageTypes() ([]any, map[string]string) {
	return []any{
			wire.TraceSummary{}, wire.Highlight{}, wire.Segment{}, wire.Observation{}, wire.ObservationSource{}, wire.Score{}, wire.Trace{}, wire.Totals{}, wire.SessionSummary{}, wire.SessionTrace{},
			wire.Session{}, wire.UserSummary{}, wire.StatRow{}, sessionInfo{}, ingest.FailedEvent{}, ingest.FailureCount{}, audit{}, refusedRow{},
			wire.BatchEventError{}, wire.EventFact{}, wire.EventReceipt{}, keyRow{}, projectRow{},
			budget.Budget{}, budget.Alert{}, budget.Status{}, budgetList{}, store.SQLColumn{}, sqlAnswer{},
			alert.Destination{}, alert.Rule{}, alert.Group{}, alert.Row{}, alert.Change{}, alert.Message{}, alert.Delivery{}, alert.Sent{}, alert.Trial{},
			judge.Judge{}, judge.Wanted{}, judge.Spending{}, judge.Decided{}, judge.Standing{},
			wire.PromptVersion{}, wire.PromptTemplate{}, wire.PromptMessage{}, wire.PromptLabel{}, wire.PromptSummary{}, promptPage{}, promptMeta{}, promptPagination{}, versionsPage{},
			saved.Head{}, saved.Definition{}, saved.View{}, saved.Column{}, saved.Chart{},
			dataset.Info{}, dataset.Item{}, dataset.Version{}, imported{}, dataset.Experiment{}, interval.Mean{}, interval.Difference{}, dataset.Summary{}, experimentView{}, dataset.Result{}, dataset.ScoreChange{}, dataset.ComparedItem{}, dataset.Compared{}, comparedView{},
		}, map[string]string{
			"Session": "TraceSession", "sessionInfo": "Session", "FailureCount": "FailureGroup", "audit": "Audit", "refusedRow": "RefusedRequest",
			"keyRow": "ApiKey", "sqlAnswer": "SQLAnswer", "projectRow": "Project", "Alert": "BudgetAlert", "Status": "BudgetStatus", "budgetList": "BudgetList",
			"Rule": "AlertRule", "Destination": "AlertDestination", "Row": "AlertRow", "Group": "AlertGroup", "Delivery": "AlertDelivery", "Message": "AlertMessage", "Change": "AlertChange", "Trial": "AlertTrial", "Sent": "AlertSent",
			"Standing": "JudgeRow", "Wanted": "JudgeScore", "Decided": "JudgeDecided", "Spending": "JudgeSpending", "promptPage": "PromptPage", "promptMeta": "PromptMeta", "promptPagination": "PromptPagination", "versionsPage": "PromptVersions",
			"Definition": "ScoreDefinition", "View": "SavedView", "Chart": "SavedChart", "Column": "ViewColumn", "Head": "Saved",
			"Info": "Dataset", "Item": "DatasetItem", "Version": "DatasetVersion", "imported": "ImportTold", "Summary": "ScoreSummary", "Mean": "ScoreMean", "Difference": "ScoreDifference", "experimentView": "ExperimentSummary", "Result": "ExperimentResult", "comparedView": "ComparedExperiments",
		}
}

// TestGeneratedTypes holds the page's types against the wire's.
func TestGeneratedTypes(t *testing.T) {
	t.Parallel()
	types, names := pageTypes()
	g := typeScript{readSource(t, wire.Trace{}, audit{}, ingest.FailureCount{}, budget.Budget{}, alert.Rule{}, judge.Judge{}, saved.Head{}, store.SQLColumn{}, dataset.Info{}, interval.Mean{}), names}
	b := &strings.Builder{}
	b.WriteString("// Made from the Go types that answers have: go test ./internal/server -run Generated -update\n" +
		"import type { Sent } from \"./json.ts\";\n\n/** Page is what every list answers: the rows, and where to go on. */\n" +
		"export interface Page<T> {\n  data: T[];\n  next_cursor: string | null;\n}\n")
	for _, v := range types {
		g.declare(b, reflect.TypeOf(v))
	}
	generated(t, "../../web/src/types.ts", b.String())
}

// typeScript writes types.
type typeScript struct {
	*source
	names map[string]string
}

func (g *typeScript) name(typ reflect.Type) string {
	if name := g.names[nameOf(typ)]; name != "" {
		return name
	}
	return nameOf(typ)
}

func (g *typeScript) declare(b *strings.Builder, typ reflect.Type) {
	says := strings.Replace(g.says[nameOf(typ)], nameOf(typ)+" ", g.name(typ)+" ", 1)
	b.WriteString("\n/** " + says + " */\n")
	if typ == statType {
		b.WriteString("export type StatRow = { time?: string } & Record<string, string | number | null>;\n")
		return
	}
	fields, embedded := g.shapes(typ)
	b.WriteString("export interface " + g.name(typ))
	for i, e := range embedded {
		b.WriteString([]string{" extends ", ", "}[min(i, 1)] + g.name(e))
	}
	b.WriteString(" {\n")
	for _, f := range fields {
		mark := ""
		if f.optional {
			mark = "?"
		}
		if f.says != "" {
			b.WriteString("  /** " + f.says + " */\n")
		}
		b.WriteString("  " + f.name + mark + ": " + g.typeOf(f) + ";\n")
	}
	b.WriteString("}\n")
}

// typeOf is the type of a field. A pointer, and JSON as it was sent, may be null where it may not be absent.
func (g *typeScript) typeOf(f shape) string {
	typ, null := f.typ, ""
	if typ.Kind() == reflect.Pointer {
		if typ = typ.Elem(); !f.optional {
			null = " | null"
		}
	}
	if typ == jsonType {
		null = " | null"
	}
	return g.expression(typ) + null
}

func (g *typeScript) expression(typ reflect.Type) string {
	switch {
	case typ == timeType:
		return "string"
	case typ == jsonType:
		return "Sent"
	}
	switch typ.Kind() {
	case reflect.Bool:
		return "boolean"
	case reflect.String:
		return "string"
	case reflect.Pointer:
		return g.expression(typ.Elem())
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Interface {
			return "unknown[]"
		}
		return g.expression(typ.Elem()) + "[]"
	case reflect.Map:
		return "Record<string, " + g.expression(typ.Elem()) + ">"
	case reflect.Interface:
		return "number | string"
	case reflect.Struct:
		return g.name(typ)
	}
	if !slices.Contains([]reflect.Kind{reflect.Int, reflect.Int64, reflect.Float64}, typ.Kind()) {
		return "unknown"
	}
	return "number"
}
