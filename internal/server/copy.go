package server

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// CopyLine is a line of the answer of POST /v1/warehouse/copy.
type CopyLine struct {
	Step   string      `json:"step"` // copy, check, compare, done or failed
	At     uint64      `json:"at"`   // the place in the log that it has come to; of compare, answers
	Of     uint64      `json:"of"`   // the end of the log then
	Result *CopyResult `json:"result,omitempty"`
	Error  string      `json:"error,omitempty"`
}

// CopyResult is what a copy found when it compared.
type CopyResult struct {
	Whole       bool     `json:"whole"`
	Events      int64    `json:"events"`
	Elsewhere   int64    `json:"elsewhere"`
	Sampled     int64    `json:"sampled"`
	Missing     int      `json:"missing"`
	Differing   int      `json:"differing"`
	Doubled     int      `json:"doubled"`
	Surplus     int      `json:"surplus"`
	Answers     int      `json:"answers"`
	Rows        int      `json:"rows"`
	Traces      int      `json:"traces"`
	TraceEvents int      `json:"trace_events"`
	Differences []string `json:"differences"`
	Moving      []string `json:"moving"`
}

// copyRequest is the body of POST /v1/warehouse/copy.
type copyRequest struct {
	URL string `json:"url"`
}

// mostCopyURL bounds the body.
const mostCopyURL = 16 << 10

// postCopy is POST /v1/warehouse/copy: the node copies its data to a ClickHouse, and tells how far it is, a line of JSON at a time. A client that goes away ends it.
func postCopy(ctx context.Context, s *Server, c *call) (*answer, error) {
	switch {
	case c.caller.SignIn != "":
		return nil, problemf(http.StatusForbidden, codeForbidden, "a session copies nothing: send the key")
	case c.caller.Project != operatorProject:
		return nil, problemf(http.StatusForbidden, codeForbidden, "a copy holds every project: it takes an admin key of the project %q", operatorProject)
	case s.o.Copy == nil:
		return nil, problemf(http.StatusConflict, codeShared, "this server shares its warehouse: there is nothing to copy")
	case s.stopping.Err() != nil:
		return nil, s.unavailable(nil)
	}
	var asked copyRequest
	d := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, mostCopyURL))
	d.DisallowUnknownFields()
	if err := d.Decode(&asked); err != nil || asked.URL == "" {
		return nil, problemf(http.StatusBadRequest, codeInvalidParameter, `the body must be {"url": "clickhouse://user:password@host:9000/database"}`)
	}
	over := time.NewTimer(copyWait)
	defer over.Stop()
	select {
	case s.copying <- struct{}{}:
		return &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"application/x-ndjson"}}, stream: func() { s.copy(c, asked.URL) }}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-over.C:
		p := s.unavailable(nil)
		p.code, p.message = codeOverloaded, "another copy is under way"
		return nil, p
	}
}

// copyWait is how long a copy waits for another one, whose client may just have gone.
const copyWait = 15 * time.Second

// tellEvery is the least time between two lines of one step.
const tellEvery = 200 * time.Millisecond

// copy runs the copy and sends its lines.
func (s *Server) copy(c *call, url string) {
	defer func() { <-s.copying }()
	began := time.Now()
	ctx, cancel := context.WithCancel(c.r.Context())
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)() // a shutdown does not wait for it
	control := http.NewResponseController(c.w)
	_ = control.SetReadDeadline(time.Time{})
	w := &patient{ctx: ctx, w: c.w, control: control, each: s.o.WriteTimeout}
	defer w.giveBack()
	defer context.AfterFunc(ctx, w.hurry)()
	var last CopyLine
	var sent time.Time
	tell := func(line CopyLine) {
		if line.Step == last.Step && time.Since(sent) < tellEvery {
			return
		}
		last, sent = line, time.Now()
		raw, err := json.Marshal(line)
		if err == nil {
			_, err = w.Write(append(raw, '\n'))
		}
		if err == nil {
			err = control.Flush()
		}
		if err != nil { // nobody listens
			cancel()
		}
	}
	if err := s.o.Copy(ctx, url, tell); err != nil {
		s.o.Logger.Warn("a copy to a shared warehouse was not completed; the next one goes on", "by", c.caller.KeyID, "error", err)
		tell(CopyLine{Step: "failed", Error: err.Error()})
		return
	}
	s.o.Logger.Info("the data were copied to a shared warehouse", "by", c.caller.KeyID, "took", time.Since(began), "whole", last.Result != nil && last.Result.Whole)
}
