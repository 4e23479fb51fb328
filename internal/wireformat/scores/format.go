package scores

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/jsonbody"
)

// Format implements wireformat.Format.
type Format struct{}

// The paths.
const (
	one  = "/v1/scores"
	many = "/v1/scores/batch"
)

// Name implements wireformat.Format. No request of it becomes a job.
func (Format) Name() string { return "scores" }

// Paths implements wireformat.Format.
func (Format) Paths() []string { return []string{one, many} }

// Accepts implements wireformat.Format.
func (Format) Accepts(h http.Header) string { return jsonbody.Accepts(h) }

// Decode implements wireformat.Format.
func (Format) Decode(in *wireformat.Incoming) (*ingest.Request, error) {
	env, err := wireformat.Environment("", in.Header.Get("X-Environment"))
	if err != nil {
		return nil, err
	}
	r := &ingest.Request{}
	if err := jsonbody.Object(in.Body, in.Limits.MaxDepth, func(w *jsonbody.Walk) error {
		*r = ingest.Request{Environment: env, Dedup: store.Dedup{Enabled: true, TTL: wire.MaxDedupTTL * time.Second}}
		events := jsonbody.NewEvents(in, r)
		if in.Path == one {
			take(events, in, w)
			return nil
		}
		return list(events, in, w)
	}); err != nil {
		return nil, err
	}
	return r, nil
}

// list reads {"scores": […]}.
func list(events *jsonbody.Events, in *wireformat.Incoming, w *jsonbody.Walk) error {
	var kind byte // of the value of scores; 0 when there is none
	for key := range w.Members() {
		if string(key) != "scores" {
			continue
		}
		if kind = w.Kind(); kind != '[' {
			continue
		}
		events.Clear() // the last of two counts
		for i := range w.Elements() {
			if i == in.Limits.MaxEvents {
				return in.Limits.TooMany()
			}
			take(events, in, w)
		}
	}
	switch {
	case kind == 0 || kind == 'n':
		return &ingest.RequestError{Code: wireformat.CodeEmptyBatch, Message: "scores is missing; a batch holds at least one score"}
	case kind != '[':
		return &ingest.RequestError{Code: wireformat.CodeInvalidField, Message: "scores must be a list"}
	case events.Len() == 0:
		return wireformat.Empty("scores")
	}
	return nil
}

// take adds the score that comes next.
func take(events *jsonbody.Events, in *wireformat.Incoming, w *jsonbody.Walk) {
	v := events.Payload(w)
	events.Take(wire.Event{ID: derivedID(in.Project, v.Raw), Type: wire.QualityScoreCreate}, "", &v)
}

// derivedID is the id of the event of a score.
func derivedID(project string, content []byte) string {
	return wireformat.NewIDs("score_", project).Of(content)
}

// The forms in which the SDKs know an answer; one without success makes them raise.
type (
	// Taken is the data of an answer to one score.
	Taken struct {
		ID        string `json:"id"`        // of the score
		Duplicate bool   `json:"duplicate"` // it was taken before
	}
	// AllTaken is the data of an answer to a list. The three counts add up to its length.
	AllTaken struct {
		Created    int                    `json:"created"`
		Duplicates int                    `json:"duplicates"`
		Failed     int                    `json:"failed"`
		Errors     []wire.BatchEventError `json:"errors"`
	}
	success struct {
		Success bool `json:"success"` // true
		Data    any  `json:"data"`
	}
	failure struct {
		Success bool           `json:"success"` // false
		Error   wire.ErrorBody `json:"error"`
	}
)

// Answer implements wireformat.Format. A list of which nothing could be stored is refused as a whole.
func (Format) Answer(in *wireformat.Incoming, res *wire.BatchResponse) (*wireformat.Answer, error) {
	if res.FailedEvents > 0 && res.ProcessedEvents+res.DuplicateEvents == 0 {
		e := &res.Errors[0]
		return answer(http.StatusBadRequest, failure{Error: wire.ErrorBody{Code: e.Code, Message: e.Message + ": " + e.Details}})
	}
	if in.Path == one {
		return answer(http.StatusOK, success{true, Taken{ID: scoreID(in), Duplicate: res.DuplicateEvents > 0}})
	}
	return answer(http.StatusOK, success{true, AllTaken{res.ProcessedEvents, res.DuplicateEvents, res.FailedEvents, res.Errors}})
}

// scoreID is the id of the score of a body that was taken: its own, or else that of its event.
func scoreID(in *wireformat.Incoming) string {
	var v jsonbody.Value
	_ = jsonbody.Object(in.Body, in.Limits.MaxDepth, func(w *jsonbody.Walk) error { // it was read before
		v = w.Value()
		return nil
	})
	given := map[string]string{}
	for m := rawjson.MembersOf(v.Raw); ; {
		key, value, ok := m.Next()
		if !ok {
			break
		}
		if text, quoted := rawjson.Unquote(value); quoted {
			given[string(key)] = text
		}
	}
	for _, key := range []string{"id", "score_id"} { // as Extract
		if given[key] != "" {
			return given[key]
		}
	}
	return derivedID(in.Project, v.Raw)
}

// Refuse implements wireformat.Format.
func (Format) Refuse(_ *wireformat.Incoming, why *wireformat.Refusal) (*wireformat.Answer, error) {
	return answer(why.Status, failure{Error: why.ErrorBody})
}

func answer(status int, body any) (*wireformat.Answer, error) {
	b, err := json.Marshal(body)
	return &wireformat.Answer{Status: status, ContentType: "application/json; charset=utf-8", Body: b}, err
}
