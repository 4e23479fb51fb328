package payload

import (
	"errors"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

var errTyped = errors.New("a field holds what JSON cannot: NaN, infinity, or a year beyond 9999")

// known writes what the SDK encodes itself: plain maps, and the
// typed entities without their zero fields and without what the server computes.
// ok is false when encoding/json has to do it. See Write.
func (s *Scratch) known(payload any, most int) (w Written, ok bool, err error) {
	o := object{b: s.mem[:0], ok: true}
	switch v := payload.(type) {
	case map[string]any:
		if v == nil {
			return w, false, nil
		}
		w.Text, ok = appendMap(o.b, v, 0)
		return w.whole(), ok, nil
	case wire.Trace:
		o.trace(&v)
	case *wire.Trace:
		if v != nil {
			o.trace(v)
		}
	case wire.Observation:
		o.observation(&v)
	case *wire.Observation:
		if v != nil {
			o.observation(v)
		}
	case *Told:
		return s.told(v, most)
	case wire.Score:
		o.score(&v)
	case *wire.Score:
		if v != nil {
			o.score(v)
		}
	}
	if len(o.b) == 0 && o.ok { // none of these
		return w, false, nil
	}
	return o.written()
}

// Told is an observation, or else a trace, with what a client tells of it and a reader of it must not: an entity that was
// read and is sent again has a status that follows from others.
type Told struct {
	Observation *wire.Observation
	Trace       *wire.Trace
	Word        string // of a logger, for the level
	Status      string
	// Input and Output are said of one that has none itself: any value that encoding/json takes; nil is nothing.
	Input, Output any
}

// told is known of t.
func (s *Scratch) told(t *Told, most int) (w Written, ok bool, err error) {
	o := object{b: s.mem[:0], ok: true, rest: s.rest, later: most > 0}
	o.told(t)
	s.rest = o.rest
	if w, ok, err = o.written(); !ok || w.Max <= most || len(w.Rest) == 0 {
		return w, ok, err
	}
	s.rest = s.rest[:0]
	return s.told(t, 0)
}

func (o *object) told(t *Told) {
	if t.Observation != nil {
		o.observation(t.Observation)
	} else {
		o.trace(t.Trace)
	}
	o.text("severity_text", t.Word)
	o.text("status", t.Status)
	o.value("input", t.Input)
	o.value("output", t.Output)
}

// trace writes the fields of trace_create and trace_update.
func (o *object) trace(t *wire.Trace) {
	o.begin()
	o.text("id", t.ID)
	o.text("name", t.Name)
	o.text("user_id", t.UserID)
	o.text("session_id", t.SessionID)
	o.text("environment", t.Environment)
	o.texts("tags", t.Tags)
	o.time("start_time", t.StartTime)
	o.time("end_time", value(t.EndTime))
	o.text("version", t.Version)
	o.text("release", t.Release)
	o.text("parent_trace_id", t.ParentTraceID)
	o.text("status_message", t.StatusMessage)
	o.text("error_type", t.ErrorType)
	o.raw("metadata", t.Metadata)
	o.raw("input", t.Input)
	o.raw("output", t.Output)
	o.texts("clear", t.Clear)
}

// observation writes the fields of observation_create, _update and _complete.
func (o *object) observation(v *wire.Observation) {
	o.begin()
	o.text("id", v.ID)
	o.text("trace_id", v.TraceID)
	o.text("parent_observation_id", v.ParentObservationID)
	o.text("type", v.Type)
	o.text("name", v.Name)
	o.text("environment", v.Environment)
	if !v.StartTimeInferred {
		o.time("start_time", v.StartTime)
	}
	o.time("end_time", value(v.EndTime))
	o.float("latency_ms", v.LatencyMS)
	o.text("level", v.Level)
	o.text("status_message", v.StatusMessage)
	o.text("version", v.Version)
	o.text("model", v.Model)
	o.text("requested_model", v.RequestedModel)
	o.text("provider", v.Provider)
	o.text("service_tier", v.ServiceTier)
	o.text("requested_service_tier", v.RequestedServiceTier)
	o.text("finish_reason", v.FinishReason)
	o.text("finish_reason_original", v.FinishReasonOriginal)
	o.text("prompt_name", v.PromptName)
	o.text("prompt_version", v.PromptVersion)
	o.text("response_id", v.ResponseID)
	o.text("error_type", v.ErrorType)
	o.float("time_to_first_token_ms", v.TimeToFirstTokenMS)
	o.int("prompt_tokens", v.PromptTokens)
	o.int("completion_tokens", v.CompletionTokens)
	o.int("total_tokens", v.TotalTokens)
	o.int("cache_read_tokens", v.CacheReadTokens)
	o.int("cache_write_tokens", v.CacheWriteTokens)
	o.int("cache_write_1h_tokens", v.CacheWrite1hTokens)
	o.int("reasoning_tokens", v.ReasoningTokens)
	o.int("audio_input_tokens", v.AudioInputTokens)
	o.int("audio_output_tokens", v.AudioOutputTokens)
	o.float("input_cost", v.InputCost)
	o.float("output_cost", v.OutputCost)
	o.float("cache_read_cost", v.CacheReadCost)
	o.float("cache_write_cost", v.CacheWriteCost)
	o.float("total_cost", v.TotalCost)
	o.float("quality_score", v.QualityScore)
	o.texts("tags", v.Tags)
	o.raw("model_parameters", v.ModelParameters)
	o.raw("usage", v.Usage)
	o.raw("attributes", v.Attributes)
	o.raw("metadata", v.Metadata)
	o.raw("input", v.Input)
	o.raw("output", v.Output)
	o.texts("clear", v.Clear)
}

// score writes the fields of quality_score_create and _update.
func (o *object) score(s *wire.Score) {
	o.begin()
	o.text("id", s.ID)
	o.text("trace_id", s.TraceID)
	o.text("observation_id", s.ObservationID)
	o.text("name", s.Name)
	o.float("value", s.Value)
	o.text("string_value", s.StringValue)
	o.text("data_type", s.DataType)
	o.text("source", s.Source)
	o.text("evaluator_name", s.EvaluatorName)
	o.text("evaluator_version", s.EvaluatorVersion)
	o.text("comment", s.Comment)
	o.text("author_user_id", s.AuthorUserID)
	o.text("environment", s.Environment)
	o.raw("metadata", s.Metadata)
	o.texts("clear", s.Clear)
}

func value(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
