package extract_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Whom spans and log records name, in the fields that they have and in those that they have not.
func TestMentionsOfSpans(t *testing.T) {
	t.Parallel()
	const ids, user = `"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"`, `{"key":"langfuse.user.id","value":{"stringValue":"u1"}}`
	trace, span := "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
	for _, c := range []struct {
		typ  wire.EventType
		item string
		want extract.Mentions
	}{
		{wire.ObservationCreate, `"span":{` + ids + `,"name":"n","attributes":[` + user + `]}`, extract.Mentions{Trace: trace, Observation: span, User: "u1"}},
		{wire.ObservationCreate, `"span":{` + ids + `,"name":"n","attributes":[{"key":"metadata","value":{"stringValue":"{\"user_id\":\"u2\"}"}}]}`, extract.Mentions{Trace: trace, Observation: span, User: "u2"}},
		{wire.ObservationUpdate, `"log":{` + ids + `,"eventName":"n","attributes":[` + user + `]}`, extract.Mentions{Trace: trace, Observation: span, User: "u1"}},
		{wire.ObservationUpdate, `"log":{` + ids + `,"eventName":"n"}`, extract.Mentions{Trace: trace, Observation: span}},
		{wire.EventCreate, `"log":{"traceId":"` + trace + `","attributes":[` + user + `]}`, extract.Mentions{Trace: trace, User: "u1"}},
		{wire.EventCreate, `"log":{"body":{"stringValue":"nobody"}}`, extract.Mentions{}},
	} {
		ev := &wire.Event{ID: "e1", Type: c.typ, Payload: fmt.Appendf(nil, `{"otlp":{"door":"otlp",%s}}`, c.item)}
		fields, failure := extract.Extract(ev)
		if failure != nil {
			t.Fatalf("%s: %v", c.item, failure)
		}
		if got := extract.MentionsOf(ev, fields); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.item, got, c.want)
		}
	}
	own := &wire.Event{ID: "e1", Type: wire.EventCreate, Payload: []byte(`{"name":"n","user_id":7}`)}
	if got := extract.MentionsOf(own, &entity.Fields{Kind: entity.GenericKind}); !reflect.DeepEqual(got, extract.Mentions{User: "7"}) {
		t.Errorf("%+v", got)
	}
	// Media are named wherever their reference stands, also of an event that cannot be read.
	hash := strings.Repeat("0123456789abcdef", 4)
	own.Payload = fmt.Appendf(nil, `{"user_id":"u","input":"[{\"data\":\"brokle-media:sha256-%s;type=a/b;size=1\"}]"}`, hash)
	named := map[entity.Mention]bool{}
	m := extract.MentionsOf(own, &entity.Fields{Kind: entity.GenericKind})
	m.Each(func(one entity.Mention) { named[one] = true })
	if medium := (entity.Mention{Of: entity.MediumKind, ID: hash}); len(named) != 2 || !named[medium] || !named[entity.Mention{Of: entity.UserKind, ID: "u"}] {
		t.Errorf("%v", named)
	}
	if got := extract.MentionsOf(own, nil); !reflect.DeepEqual(got, extract.Mentions{Media: []string{hash}}) {
		t.Errorf("%+v", got)
	}
}
