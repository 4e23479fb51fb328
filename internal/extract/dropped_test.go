package extract_test

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"google.golang.org/protobuf/proto"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
)

// What an SDK leaves out at its limit is told, in both encodings: a call without counts may have had some.
func TestDroppedAttributesAreTold(t *testing.T) {
	t.Parallel()
	span := &tracepb.Span{TraceId: []byte("0123456789abcdef"), SpanId: []byte("01234567"), Name: "n", DroppedAttributesCount: 27}
	request, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{span}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	inJSON := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"30313233343536373839616263646566","spanId":"3031323334353637","name":"n","droppedAttributesCount":27}]}]}]}`
	for name, body := range map[string][]byte{"protobuf": request, "JSON": []byte(inJSON)} {
		n := 0
		if err := otlp.Spans(body, name == "JSON", func(i *otlp.Item) {
			n++
			origin := otlp.Origin{Door: "otlp"}
			ev := &wire.Event{ID: "e", Type: wire.ObservationCreate, Payload: otlp.AppendStored(nil, origin, i)}
			read := extract.Item(ev, origin, i)
			again, failure := extract.Extract(ev)
			if failure != nil || len(read.Notes) != 1 || !strings.Contains(read.Notes[0], "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT") || len(again.Notes) != 1 {
				t.Errorf("%s: %q, %+v, %+v", name, read.Notes, again, failure)
			}
			if why := otel.Explain(i.Span).Why["attributes"]; !strings.HasPrefix(why, "27 ") {
				t.Errorf("%s: %q", name, why)
			}
		}); err != nil || n != 1 {
			t.Errorf("%s: %d spans, %v", name, n, err)
		}
	}
}
