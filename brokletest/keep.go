package brokletest

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// store decides each event of a batch and keeps the good ones.
func (s *Server) store(req *brokle.BatchRequest, refuse func(brokle.Event) *brokle.BatchEventError) (*brokle.BatchResponse, *problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	ans := &brokle.BatchResponse{BatchID: brokle.NewID(), Errors: []brokle.BatchEventError{}, DuplicateEventIDs: []string{}}
	var fresh []brokle.Event
	inBatch := make(map[string]bool)
	for _, ev := range req.Events {
		err := check(&ev)
		old, known := s.where[ev.ID]
		if err == nil && req.Deduplication.Enabled && (inBatch[ev.ID] || known && now.Before(old.until)) {
			ans.DuplicateEventIDs = append(ans.DuplicateEventIDs, ev.ID)
			continue
		}
		if err == nil && refuse != nil { // the script comes last: what is stored cannot fail any more
			err = refuse(ev)
		}
		if err != nil {
			err.EventID = ev.ID
			ans.Errors = append(ans.Errors, *err)
			continue
		}
		inBatch[ev.ID] = true
		fresh = append(fresh, ev)
	}
	ans.DuplicateEvents, ans.FailedEvents = len(ans.DuplicateEventIDs), len(ans.Errors)
	if req.Deduplication.FailOnDuplicate && ans.DuplicateEvents > 0 {
		p := problemf(http.StatusConflict, "duplicate_events", "the batch holds events that were accepted before and asked to fail then; nothing of it was kept")
		p.batch = ans
		return nil, p
	}
	ans.ProcessedEvents = len(fresh)
	s.keep(fresh, ans, req.Deduplication, now)
	return s.receipt(ans, req.AsyncMode, now), nil
}

// keep adds events to what is stored. s.mu is held.
func (s *Server) keep(fresh []brokle.Event, ans *brokle.BatchResponse, d *brokle.Deduplication, now time.Time) {
	for _, ev := range fresh {
		if _, twice := s.where[ev.ID]; !twice { // accepted again after its ttl, it is still one event
			s.events = append(s.events, ev)
		}
		s.where[ev.ID] = stored{now.Add(time.Duration(d.TTL) * time.Second), brokle.EventReceipt{
			EventID: ev.ID, Status: "stored", EventType: ev.Type, BatchID: ans.BatchID, At: instant(now)}}
	}
	for i := range ans.Errors {
		e := ans.Errors[i]
		s.failed[e.EventID] = brokle.EventReceipt{EventID: e.EventID, Status: "failed", BatchID: ans.BatchID, At: instant(now), Error: &e}
	}
	close(s.change)
	s.change = make(chan struct{})
}

// receipt remembers a batch, and makes the answer of an asynchronous one. s.mu is held.
func (s *Server) receipt(ans *brokle.BatchResponse, async bool, now time.Time) *brokle.BatchResponse {
	at := instant(now)
	job := &brokle.Job{BatchID: ans.BatchID, Status: brokle.JobCompleted, CreatedAt: at, CompletedAt: &at, Result: ans}
	s.batches[ans.BatchID] = job
	if !async {
		return ans
	}
	job.JobID = "job_" + brokle.NewID()
	ans.JobID = job.JobID
	s.jobs[job.JobID] = job
	return &brokle.BatchResponse{BatchID: ans.BatchID, JobID: job.JobID, Errors: []brokle.BatchEventError{}, DuplicateEventIDs: []string{}}
}

// instant is a time as the server writes it: UTC, microseconds, never without a fraction.
func instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }

// check validates an event's envelope and required fields.
func check(ev *brokle.Event) *brokle.BatchEventError {
	if ev.ID == "" {
		return missing("event_id", "an event needs event_id, a string of 1 to 128 printable ASCII characters without space")
	}
	if !brokle.ValidID(ev.ID) {
		return &brokle.BatchEventError{Code: "invalid_event_id", Message: "Invalid event_id", Details: "event_id must be a string of 1 to 128 printable ASCII characters without space"}
	}
	typ, ok := ev.Type.Canonical()
	if !ok {
		return &brokle.BatchEventError{Code: "unknown_event_type", Message: "Unknown event_type '" + string(ev.Type) + "'",
			Details: "event_type must be one of trace_create, trace_update, observation_create, observation_update, observation_complete, quality_score_create, quality_score_update and event_create"}
	}
	ev.Type = typ
	if len(ev.Payload) > MaxPayloadBytes {
		return &brokle.BatchEventError{Code: "payload_too_large", Message: "Payload too large"}
	}
	var payload map[string]json.RawMessage
	if json.Unmarshal(ev.Payload, &payload) != nil || payload == nil {
		return &brokle.BatchEventError{Code: "invalid_payload", Message: "Invalid payload format", Details: "payload must be a JSON object"}
	}
	if payload["otlp"] != nil { // a span or log record of OpenTelemetry, which says in its own words what others must say in ours
		return nil
	}
	for _, alternatives := range required[typ] {
		if !holdsOne(payload, alternatives) {
			details := string(typ) + " needs payload." + alternatives[0]
			switch alternatives[0] {
			case "name":
				details += ", a string of 1 to 1000 characters"
			case "id":
				details += ", a string of 1 to 255 characters"
			}
			return missing(alternatives[0], details)
		}
	}
	return nil
}

// required are the fields of each type, with the names that stand for them.
var required = map[brokle.EventType][][]string{
	brokle.TraceCreate:         {{"name"}},
	brokle.TraceUpdate:         {{"id", "trace_id", "external_trace_id"}},
	brokle.ObservationCreate:   {{"name", "operation", "endpoint", "type"}},
	brokle.ObservationUpdate:   {{"id", "observation_id", "external_observation_id", "span_id"}},
	brokle.ObservationComplete: {{"id", "observation_id", "external_observation_id", "span_id"}},
	brokle.QualityScoreCreate: {{"trace_id", "observation_id"}, {"name", "score_name"},
		{"value", "score_value", "string_value"}},
	brokle.QualityScoreUpdate: {{"id", "score_id"}},
}

func holdsOne(payload map[string]json.RawMessage, names []string) bool {
	for _, n := range names {
		if v, ok := payload[n]; ok && string(v) != "null" && string(v) != `""` {
			return true
		}
	}
	return false
}

func missing(field, details string) *brokle.BatchEventError {
	return &brokle.BatchEventError{Code: "missing_field", Message: "Missing required field '" + field + "'", Details: details}
}

func (s *Server) getJob(w http.ResponseWriter, r *http.Request) {
	find(s, w, s.jobs, r.PathValue("id"))
}
func (s *Server) getBatch(w http.ResponseWriter, r *http.Request) {
	find(s, w, s.batches, r.PathValue("id"))
}

func find[T any](s *Server, w http.ResponseWriter, in map[string]*T, id string) {
	s.mu.Lock()
	v := in[id]
	s.mu.Unlock()
	if v == nil {
		notFound().write(w)
		return
	}
	writeJSON(w, http.StatusOK, v)
}

func (s *Server) getReceipt(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	s.mu.Lock()
	kept, isStored := s.where[id]
	bad, isFailed := s.failed[id]
	s.mu.Unlock()
	switch {
	case isStored:
		writeJSON(w, http.StatusOK, kept.receipt)
	case isFailed:
		writeJSON(w, http.StatusOK, bad)
	default:
		notFound().write(w)
	}
}
