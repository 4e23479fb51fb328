package server

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/store"
)

const (
	// eraseWait bounds how long an erasure waits for jobs and for the indexer.
	eraseWait = 20 * time.Second
	// eraseRead is how many records an erasure takes from the Log at once.
	eraseRead = 1000
	// maxUserID bounds the user's id of a path, in bytes.
	maxUserID = 4 << 10
)

// erasure is the answer to a DELETE of telemetry.
type erasure struct {
	Erased   erased   `json:"erased"`
	TraceIDs []string `json:"trace_ids"` // sorted
}

// erased counts what is gone.
type erased struct {
	Traces       int `json:"traces"`
	Observations int `json:"observations"`
	Scores       int `json:"scores"`
	Events       int `json:"events"`
}

// deleteTrace erases a trace: its events, those of its observations and scores, and
// generic events that name it.
func deleteTrace(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	return s.erase(ctx, c, &eraser{Server: s, project: c.caller.Project, traces: map[string]bool{id: true}})
}

// deleteUser erases a user: every trace that has to do with them, and every
// other event that names them.
func deleteUser(ctx context.Context, s *Server, c *call) (*answer, error) {
	id, err := givenID(c)
	if err != nil {
		return nil, err
	}
	if id == "" || len(id) > maxUserID || !query.Clean(id) {
		return nil, store.ErrNotFound
	}
	return s.erase(ctx, c, &eraser{Server: s, project: c.caller.Project, user: id, traces: map[string]bool{}})
}

// erase finds what the eraser is for and removes it. Once begun it does not end
// with the client; one erasure runs at a time.
func (s *Server) erase(ctx context.Context, c *call, e *eraser) (*answer, error) {
	waiting, cancel := context.WithTimeout(ctx, eraseWait)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	select {
	case s.erasing <- struct{}{}:
		defer func() { <-s.erasing }()
	case <-waiting.Done():
		return nil, s.unavailable(fmt.Errorf("wait for another erasure: %w", waiting.Err()))
	}
	if err := s.resume(waiting); err != nil {
		return nil, s.unavailable(fmt.Errorf("end an earlier erasure: %w", err))
	}
	if err := s.o.Ingest.WaitJobs(waiting, e.project); err != nil {
		return nil, s.unavailable(fmt.Errorf("erase: wait for jobs: %w", err))
	}
	// What the indexer has in hand must not come after its erasure: nothing behind upto goes.
	e.upto = s.o.Log.Head()
	if err := s.o.Indexer.CatchUp(waiting); err != nil {
		return nil, s.unavailable(fmt.Errorf("erase: %w", err))
	}
	ctx = context.WithoutCancel(ctx)
	if err := e.find(ctx); err != nil {
		return nil, err
	}
	if len(e.seqs) == 0 {
		return nil, store.ErrNotFound
	}
	if err := s.remove(ctx, Erasure{Project: e.project, Seqs: slices.Sorted(maps.Keys(e.seqs))}); err != nil {
		return nil, err
	}
	out := e.answer()
	s.o.Logger.Info("telemetry was erased", "project", e.project, "by", c.caller.KeyID, "events", out.Erased.Events, "traces", out.Erased.Traces)
	return &answer{status: http.StatusOK, body: out}, nil
}

// eraser finds the events of traces or of a user. What it finds grows until nothing is
// added: a trace that the user is named in brings its observations, and they their scores.
type eraser struct {
	*Server
	project string
	upto    entity.Seq      // the last record to look at
	user    string          // "" when only traces are asked for
	traces  map[string]bool // that go

	observations map[observationOf]bool // that go
	newest       map[string]bool        // ids of which the newest observation goes
	scores       map[string]bool
	seqs         map[entity.Seq]bool
	bundles      map[string]*bundle // by observation id: those of which something may go
	grew         bool               // another walk is needed
	partial      bool               // a bundle is not whole
}

// observationOf is what an observation is known by.
type observationOf struct{ trace, id string }

// find asks the Warehouse for the traces, and then goes through the Log: it alone has
// the records in quarantine, and says which generic events name somebody.
func (e *eraser) find(ctx context.Context) error {
	e.newest, e.scores, e.bundles = map[string]bool{}, map[string]bool{}, map[string]*bundle{}
	if e.user != "" {
		ids, err := store.UserTraces(ctx, e.o.Warehouse, e.project, e.user)
		if err != nil {
			return err
		}
		for _, id := range ids {
			e.traces[id] = true
		}
	}
	for e.grew = true; e.grew; {
		e.grew = false
		if err := e.walk(ctx); err != nil {
			return err
		}
	}
	return nil
}

// walk looks at every record up to upto.
func (e *eraser) walk(ctx context.Context) error {
	e.seqs, e.observations, e.partial = map[entity.Seq]bool{}, map[observationOf]bool{}, false
	for id := range e.bundles {
		e.bundles[id] = newBundle()
	}
	for at := entity.Seq(0); at < e.upto; {
		recs, next, err := e.o.Log.Read(ctx, at, eraseRead)
		if err != nil {
			return err
		}
		for i := range recs {
			if recs[i].Project == e.project && recs[i].Seq <= e.upto {
				e.look(&recs[i])
			}
		}
		at = next
	}
	if !e.partial {
		e.divide()
	}
	return nil
}

// look takes a record in when it belongs to what goes.
func (e *eraser) look(rec *entity.Record) {
	fields := rec.Fields
	if fields == nil {
		read, failure := extract.Extract(&rec.Event)
		if failure != nil {
			return // nothing in it can be read
		}
		fields = read
	}
	text := func(f entity.Field) string {
		v, _ := fields.Get(f)
		return v.Text
	}
	named := e.user != "" && (text(entity.UserID) == e.user || text(entity.AuthorUserID) == e.user)
	trace := text(entity.TraceID)
	switch fields.Kind {
	case entity.TraceKind:
		if named {
			e.add(e.traces, fields.EntityID)
		}
		named = e.traces[fields.EntityID]
	case entity.ObservationKind:
		if named && trace != "" {
			e.add(e.traces, trace)
		}
		e.collect(rec, fields, trace, named)
		return
	case entity.ScoreKind:
		about := trace == "" && e.newest[text(entity.ObservationID)]
		named = named || e.traces[trace] || about || e.scores[fields.EntityID]
		if named {
			e.add(e.scores, fields.EntityID)
		}
	default:
		named = e.traces[trace] || e.user != "" && genericUser(rec.Event.Payload) == e.user
	}
	if named {
		e.seqs[rec.Seq] = true
	}
}

// genericUser is the user that an event_create names; it is no typed field of it.
func genericUser(payload []byte) string {
	var p struct {
		UserID json.RawMessage `json:"user_id"`
	}
	if json.Unmarshal(payload, &p) != nil {
		return ""
	}
	if id, quoted := rawjson.Unquote(p.UserID); quoted {
		return id
	}
	if string(p.UserID) == "null" {
		return ""
	}
	return string(p.UserID) // a number counts as the text that it is written as
}

// add grows a set.
func (e *eraser) add(to map[string]bool, id string) {
	if id != "" && !to[id] {
		to[id], e.grew = true, true
	}
}

func (e *eraser) answer() *erasure {
	return &erasure{
		Erased: erased{
			Traces: len(e.traces), Observations: len(e.observations), Scores: len(e.scores), Events: len(e.seqs),
		},
		TraceIDs: append([]string{}, slices.Sorted(maps.Keys(e.traces))...),
	}
}
