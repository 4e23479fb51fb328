package entity_test

import (
	"slices"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Issue 11, point 3: what a trace's own events leave open is as its root says it.
func TestATraceTakesFromItsRootWhatItsOwnEventsLeaveOpen(t *testing.T) {
	t.Parallel()
	const (
		child = `{"id":"child","trace_id":"T","parent_observation_id":"root","name":"look-up","user_id":"nobody","tags":["x"],"start_time":"2026-01-01T00:00:00Z"}`
		root  = `{"id":"root","trace_id":"T","name":"answer","user_id":"u","session_id":"s","tags":["prod","chat"],"start_time":"2026-01-01T00:00:01Z"}`
		late  = `{"id":"late","trace_id":"T","name":"second root","user_id":"v","start_time":"2026-01-01T00:00:02Z"}`
	)
	for name, tc := range map[string]struct {
		payloads []string
		own      string
		want     wire.Trace
	}{
		"no events of its own": {[]string{late, child, root}, "", wanted("answer", "u", "s", "chat", "prod")},
		"some":                 {[]string{child, root, late}, `{"id":"T","name":"own","session_id":"mine"}`, wanted("own", "u", "mine", "chat", "prod")},
		"all":                  {[]string{child, root}, `{"id":"T","name":"own","user_id":"me","session_id":"mine","tags":["own"]}`, wanted("own", "me", "mine", "own")},
		"no root has come yet": {[]string{child}, "", wanted("look-up", "nobody", "", "x")},
	} {
		var recs []entity.Record
		add := func(i int, typ wire.EventType, payload string) *entity.Record {
			recs = append(recs, entity.Record{Seq: entity.Seq(i), Project: "p", Event: wire.Event{ID: payload, Type: typ, Payload: []byte(payload)}})
			return &recs[len(recs)-1]
		}
		for i, p := range tc.payloads {
			add(i+1, wire.ObservationCreate, p)
		}
		if tc.own != "" {
			add(9, wire.TraceCreate, tc.own)
		}
		folded, err := entity.FoldTrace(filled(recs), "T")
		if err != nil {
			t.Fatal(err)
		}
		var own *entity.Fold
		if tc.own != "" {
			if own, err = entity.FoldOf(filled(recs), entity.TraceKind, "T"); err != nil {
				t.Fatal(err)
			}
		}
		var parts []*entity.ObservationRow
		for _, rec := range filled(recs) {
			if rec.Fields.Kind != entity.ObservationKind {
				continue
			}
			f, err := entity.FoldOf(filled(recs), entity.ObservationKind, rec.Fields.EntityID)
			if err != nil {
				t.Fatal(err)
			}
			row, err := f.Observation(rec.Fields.EntityID, "T")
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, row)
		}
		for how, got := range map[string]*wire.Trace{"FoldTrace": folded, "RollUp": entity.RollUp(own, parts, "T")} {
			if got.Name != tc.want.Name || got.UserID != tc.want.UserID || got.SessionID != tc.want.SessionID || !slices.Equal(got.Tags, tc.want.Tags) {
				t.Errorf("%s, %s: %q, user %q, session %q, tags %q", name, how, got.Name, got.UserID, got.SessionID, got.Tags)
			}
		}
	}
}

func wanted(name, user, session string, tags ...string) (t wire.Trace) {
	t.Name, t.UserID, t.SessionID, t.Tags = name, user, session, tags
	return t
}

// A user that only an observation below the root names is the trace's when it came as a span, whose
// root may be of a library that knows no user; of our own events it is the root's alone.
func TestUserBelowTheRoot(t *testing.T) {
	t.Parallel()
	for door, want := range map[string]string{"brokle": "", "otlp": "ada"} {
		root, child := &entity.ObservationRow{Door: door}, &entity.ObservationRow{Door: door, UserID: "ada"}
		root.ID, root.Name, child.ID, child.ParentObservationID = "r", "request", "c", "r"
		child.StartTime = root.StartTime.Add(1)
		if got := entity.RollUp(nil, []*entity.ObservationRow{child, root}, "t"); got.UserID != want || got.Name != "request" {
			t.Errorf("%s: user %q, name %q", door, got.UserID, got.Name)
		}
	}
}

// What a trace says itself of how it went goes before what its root says.
func TestATraceMaySayItsStatusItself(t *testing.T) {
	t.Parallel()
	const root = `{"id":"root","trace_id":"T","name":"answer","level":"ERROR"}`
	for name, tc := range map[string]struct {
		own           string
		status, about string
		inner         int64
	}{
		"nothing said":   {`{"id":"T","name":"t"}`, "error", "", 0},
		"it went well":   {`{"id":"T","name":"t","status":"OK"}`, "ok", "", 1},
		"it failed":      {`{"id":"T","name":"t","status":"failed","status_message":"no","error_type":"E"}`, "error", "noE", 1},
		"was left":       {`{"id":"T","name":"t","status":"cancelled"}`, "aborted", "", 1},
		"a word of none": {`{"id":"T","name":"t","status":"fine"}`, "error", "", 0},
	} {
		recs := []entity.Record{
			{Seq: 1, Project: "p", Event: wire.Event{ID: "1", Type: wire.ObservationCreate, Payload: []byte(root)}},
			{Seq: 2, Project: "p", Event: wire.Event{ID: "2", Type: wire.TraceUpdate, Payload: []byte(tc.own)}},
		}
		got, err := entity.FoldTrace(filled(recs), "T")
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != tc.status || got.StatusMessage+got.ErrorType != tc.about || got.InnerErrors != tc.inner || got.ErrorCount != 1 {
			t.Errorf("%s: %s %q, %d inner", name, got.Status, got.StatusMessage+got.ErrorType, got.InnerErrors)
		}
	}
}
