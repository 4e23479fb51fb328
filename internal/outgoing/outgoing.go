package outgoing

import (
	"encoding/json"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/otlp"
)

// Request is spans and log records as OTLP in JSON.
type Request struct {
	ResourceSpans json.RawMessage `json:"resourceSpans"`          // a list
	ResourceLogs  json.RawMessage `json:"resourceLogs,omitempty"` // a list; nil when there are no records
	// How many there are.
	Spans   int `json:"-"`
	Records int `json:"-"`
}

// Of makes a request of records, which are of one project and may hold anything. It fills their Fields.
// An observation or a trace that did not come as spans is what all records given say of it.
func Of(recs []entity.Record) *Request {
	return of(recs, func(string) bool { return true }, entity.Tariff{})
}

// OfTrace is Of, without what belongs to other traces, and with what calls cost by a tariff.
func OfTrace(recs []entity.Record, traceID string, tariff entity.Tariff) *Request {
	return of(recs, func(id string) bool { return id == traceID }, tariff)
}

// Received is Of, without what did not come as spans or log records.
func Received(recs []*entity.Record) *Request {
	b := newBuilder()
	for _, rec := range recs {
		b.received(rec)
	}
	return b.request()
}

// Traces is the body of POST /v1/traces; nil when there are no spans.
func (r *Request) Traces() []byte {
	if r.Spans == 0 {
		return nil
	}
	return wrapped("resourceSpans", r.ResourceSpans)
}

// Logs is the body of POST /v1/logs; nil when there are no log records.
func (r *Request) Logs() []byte {
	if r.Records == 0 {
		return nil
	}
	return wrapped("resourceLogs", r.ResourceLogs)
}

func wrapped(name string, list []byte) []byte {
	out := make([]byte, 0, len(list)+len(name)+5)
	out = append(append(append(out, `{"`...), name...), `":`...)
	return append(append(out, list...), '}')
}

// builder collects what goes out.
type builder struct{ spans, logs signal }

func newBuilder() *builder {
	return &builder{signal{scopes: "scopeSpans", items: "spans"}, signal{scopes: "scopeLogs", items: "logRecords"}}
}

func of(recs []entity.Record, takes func(traceID string) bool, tariff entity.Tariff) *Request {
	extract.Fill(recs)
	b := newBuilder()
	for i := range recs {
		if fields := recs[i].Fields; fields != nil {
			if id, _ := fields.Get(entity.TraceID); takes(id.Text) {
				b.received(&recs[i])
			}
		}
	}
	b.folded(recs, takes, tariff)
	return b.request()
}

func (b *builder) request() *Request {
	r := &Request{ResourceSpans: b.spans.list(), Spans: b.spans.n, Records: b.logs.n}
	if b.logs.n > 0 {
		r.ResourceLogs = b.logs.list()
	}
	return r
}

// received adds a record that came as a span or a log record, and passes over any other.
func (b *builder) received(rec *entity.Record) {
	if !otlp.Stored(rec.Event.Payload) {
		return
	}
	_, item, isSpan, err := otlp.PartsOf(rec.Event.Payload)
	switch {
	case err != nil: // nothing of it was accepted
	case isSpan:
		b.spans.add(item)
	default:
		b.logs.add(item)
	}
}

// signal is the three levels of a request. What stands under equal resources and scopes is together.
type signal struct {
	scopes, items string // their names
	resources     group
	n             int
}

// group is what has the same head: spans of a scope, scopes of a resource.
type group struct {
	head, schema string
	under        []*group
	at           map[string]*group
	items        [][]byte // of a scope
	entries      []entry  // instead of items, where they are read later
}

func (g *group) of(head []byte, schema string) *group {
	key := schema + "\x00" + string(head)
	found := g.at[key]
	if found == nil {
		found = &group{head: string(head), schema: schema}
		if g.at == nil {
			g.at = map[string]*group{}
		}
		g.at[key] = found
		g.under = append(g.under, found)
	}
	return found
}

func (s *signal) add(i *otlp.Item) {
	scope := s.resources.of(i.Resource, i.ResourceSchema).of(i.Scope, i.ScopeSchema)
	scope.items = append(scope.items, i.Raw)
	s.n++
}

func (s *signal) list() json.RawMessage {
	out := []byte{'['}
	for i, r := range s.resources.under {
		out = append(r.begin(out, i, "resource", s.scopes), '[')
		for j, sc := range r.under {
			out = append(sc.begin(out, j, "scope", s.items), '[')
			for k, item := range sc.items {
				out = append(between(out, k), item...)
			}
			out = append(out, "]}"...)
		}
		out = append(out, "]}"...)
	}
	return append(out, ']')
}

// begin writes the i-th group up to the list of what is under it.
func (g *group) begin(out []byte, i int, name, under string) []byte {
	out = append(between(out, i), '{')
	if g.head != "" {
		out = append(append(append(append(out, '"'), name...), `":`...), g.head...)
		out = append(out, ',')
	}
	if g.schema != "" {
		out = append(append(out, `"schemaUrl":`...), text(g.schema)...)
		out = append(out, ',')
	}
	return append(append(append(out, '"'), under...), `":`...)
}

func between(out []byte, i int) []byte {
	if i > 0 {
		out = append(out, ',')
	}
	return out
}

// text is JSON of a string.
func text(s string) json.RawMessage { return encoded(s) }
