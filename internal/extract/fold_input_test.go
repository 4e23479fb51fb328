package extract_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// inheriting folds events, given as "type payload", into the trace t and shows what it inherits.
func inheriting(t *testing.T, events ...string) string {
	t.Helper()
	recs := make([]entity.Record, len(events))
	for i, e := range events {
		typ, payload, _ := strings.Cut(e, " ")
		recs[i] = entity.Record{Seq: entity.Seq(i + 1), Project: "p", Event: wire.Event{ID: fmt.Sprint("e", i), Type: wire.EventType(typ), Payload: []byte(payload),
			Timestamp: wire.At(time.Unix(1000+int64(i), 0))}}
	}
	trace, err := entity.FoldTrace(filled(recs), "t")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %s %v %s %s", trace.Name, trace.UserID, trace.SessionID, trace.Tags, trace.Input, trace.Output)
}

// A trace without a name of its own takes what it does not say itself from its root,
// whatever came first; one with a name takes nothing.
func TestTraceInheritsFromItsRoot(t *testing.T) {
	t.Parallel()
	const (
		child  = `observation_create {"id":"c","trace_id":"t","parent_observation_id":"r","name":"inner","user_id":"no","start_time":10}`
		root   = `observation_create {"id":"r","trace_id":"t","name":"answer","user_id":"u","session_id":"s","tags":["a"],"input":"q","output":"x","start_time":11}`
		second = `observation_create {"id":"z","trace_id":"t","name":"later","user_id":"no","start_time":12}`
	)
	for name, c := range map[string]struct {
		want   string
		events []string
	}{
		"spans only":        {`answer u s [a] "q" "x"`, []string{root, child, second}},
		"children first":    {`answer u s [a] "q" "x"`, []string{second, child, root}},
		"no root yet":       {`inner no  []  `, []string{child}},
		"updates only":      {`answer me s [b] "q" "mine"`, []string{root, `trace_update {"id":"t","user_id":"me","tags":["b"],"output":"mine"}`}},
		"a name of its own": {`own u s [a]  `, []string{root, `trace_create {"id":"t","name":"own"}`}},
		"what SDK 0.2 sends": {`answer u-7 s-7 [a b] {"args":["Capital of France?"],"kwargs":{"lang":"en"}} "{'a': 'Paris'}"`,
			[]string{"observation_create " + strings.ReplaceAll(wrappedCall, "trace_8", "t"), "observation_create " + strings.ReplaceAll(observed, "trace_8", "t")}},
	} {
		if got := inheriting(t, c.events...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
