package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// newResults is the body of POST /v1/experiments/{id}/items.
type newResults struct {
	Items []newResult `json:"items"` // 1 to 10000
}

// newResult is what a task made of an item, as Brokle's clients send it.
type newResult struct {
	ItemID   string          `json:"dataset_item_id,omitempty"`
	SpanID   string          `json:"span_id,omitempty"` // of an experiment over observations
	TraceID  string          `json:"trace_id,omitempty"`
	Trial    int             `json:"trial_number,omitempty"` // from 1
	Input    json.RawMessage `json:"input"`
	Output   json.RawMessage `json:"output,omitempty"`
	Expected json.RawMessage `json:"expected,omitempty"`
	Error    string          `json:"error,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Scores   []newScore      `json:"scores,omitempty"`
}

type newScore struct {
	Name     string          `json:"name"`
	Value    *float64        `json:"value,omitempty"`
	Type     string          `json:"type,omitempty"`
	Text     *string         `json:"string_value,omitempty"`
	Reason   *string         `json:"reason,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Failed   bool            `json:"scoring_failed,omitempty"` // the scorer failed, and there is no value
}

// resultsTold says what became of results.
type resultsTold struct {
	Created int `json:"created"` // results that are stored, those that were before, too
}

// postResults is POST /v1/experiments/{id}/items: each result becomes a trace with the experiment's tag, and its scores. Sent again the same ones are stored once.
func postResults(ctx context.Context, s *Server, c *call) (*answer, error) {
	if err := s.admitted(); err != nil {
		return nil, err
	}
	_, x, err := s.experiment(c)
	if err != nil {
		return nil, err
	}
	h := &hold{from: s.inFlight}
	defer h.release()
	body, err := s.readBody(c, h)
	if err != nil {
		return nil, err
	}
	var sent newResults
	if err := objectOf(body.data, &sent); err != nil {
		return nil, err
	}
	if n := len(sent.Items); n == 0 || n > mostItems {
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "items: there are 1 to %d", mostItems)
	}
	var events []wire.Event
	for i := range sent.Items {
		more, err := s.resultEvents(c.caller.Project, &x, &sent.Items[i])
		if err != nil {
			return nil, problemf(http.StatusBadRequest, codeInvalidBody, "nothing was changed: item %d: %v", i+1, err)
		}
		events = append(events, more...)
	}
	return s.submitResults(ctx, c, events, len(sent.Items))
}

func (s *Server) submitResults(ctx context.Context, c *call, events []wire.Event, results int) (*answer, error) {
	env, err := wireformat.Environment("", c.r.Header.Get("X-Environment"))
	if err != nil {
		return nil, err
	}
	for len(events) > 0 {
		n := min(len(events), s.o.Limits.MaxEvents)
		req := &ingest.Request{
			Events: events[:n], Environment: env, KeyID: c.caller.KeyID,
			Dedup: store.Dedup{Enabled: true, TTL: wire.MaxDedupTTL * time.Second},
		}
		res, err := s.o.Ingest.Submit(ctx, c.caller.Project, req)
		if err != nil {
			return nil, s.submitProblem(res, err)
		}
		if res.FailedEvents > 0 {
			p := problemf(http.StatusBadRequest, codeInvalidBody, "%d of the results and scores cannot be stored, the first because: %s (%s); the others are", res.FailedEvents, res.Errors[0].Message, res.Errors[0].Details)
			p.details = res.Errors
			return nil, p
		}
		events = events[n:]
	}
	return enveloped(s, resultsTold{results}, nil)
}

// resultEvents is a result as a trace and its scores. Their ids follow from what they are of, so that the same result is the same events.
func (s *Server) resultEvents(project string, x *dataset.Experiment, r *newResult) ([]wire.Event, error) {
	trial := max(r.Trial, 1)
	item := r.ItemID
	if item == "" {
		item = r.SpanID
	}
	if item != "" && !wire.ValidID(item) {
		return nil, fmt.Errorf("its item has an id that none has")
	}
	of := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d\x00%s", x.ID, item, trial, idOfInput(item, r.Input)))
	trace := map[string]any{"id": "exp-" + hex.EncodeToString(of[:12]), "name": x.Name, "tags": dataset.Tags(x.ID, item, trial)}
	for name, v := range map[string]json.RawMessage{"input": r.Input, "output": r.Output} {
		if !nothing(v) {
			trace[name] = v
		}
	}
	about := map[string]any{"experiment": x.Name}
	if !nothing(r.Expected) {
		about["expected"] = r.Expected
	}
	if r.TraceID != "" {
		about["task_trace_id"] = r.TraceID
	}
	if !nothing(r.Metadata) {
		about["item"] = r.Metadata
	}
	trace["status"] = "ok"
	if r.Error != "" {
		trace["status"], trace["status_message"] = "error", r.Error
	}
	var failed []string
	ids := wireformat.NewIDs("experiment_", project)
	var scores []wire.Event
	for i := range r.Scores {
		sc := &r.Scores[i]
		if sc.Failed || sc.Value == nil && sc.Text == nil {
			failed = append(failed, sc.Name)
			continue
		}
		ev, err := sc.event(ids, trace["id"].(string))
		if err != nil {
			return nil, err
		}
		scores = append(scores, ev)
	}
	if len(failed) > 0 {
		about["scoring_failed"] = failed
	}
	trace["metadata"] = about
	ev, err := eventOf(ids, wire.TraceCreate, trace)
	return append([]wire.Event{ev}, scores...), err
}

// idOfInput tells results apart that name no item.
func idOfInput(item string, input json.RawMessage) string {
	if item != "" {
		return ""
	}
	return string(input)
}

func (sc *newScore) event(ids *wireformat.IDs, traceID string) (wire.Event, error) {
	of := sha256.Sum256([]byte(traceID + "\x00" + sc.Name))
	p := map[string]any{"id": "exp-" + hex.EncodeToString(of[:12]), "trace_id": traceID, "name": sc.Name, "source": "EVAL"}
	switch {
	case strings.EqualFold(sc.Type, "CATEGORICAL") && sc.Text != nil:
		p["value"] = *sc.Text
	case sc.Value != nil:
		p["value"] = *sc.Value
	case sc.Text != nil:
		p["value"] = *sc.Text
	}
	if sc.Reason != nil && *sc.Reason != "" {
		p["comment"] = *sc.Reason
	}
	if !nothing(sc.Metadata) {
		p["metadata"] = sc.Metadata
	}
	return eventOf(ids, wire.QualityScoreCreate, p)
}

func eventOf(ids *wireformat.IDs, kind wire.EventType, payload map[string]any) (wire.Event, error) {
	raw, err := json.Marshal(payload) // members in order: the same text for the same result
	return wire.Event{ID: ids.Of(raw), Type: kind, Payload: raw}, err
}
