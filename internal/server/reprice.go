package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/repricing"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// repricingRow is a repricing; one that was asked for just now has what it does to the calls of each model.
type repricingRow struct {
	pricing.Repricing
	Difference float64           `json:"difference"` // of new_cost from former_cost
	Models     []repricedOfModel `json:"models,omitempty"`
}

// repricedOfModel is what becomes of the calls of a model.
type repricedOfModel struct {
	store.Repriced
	Difference float64 `json:"difference"`
}

// postReprice is POST /v1/prices/reprice. What has begun goes on whatever becomes of the client.
func postReprice(ctx context.Context, s *Server, c *call) (*answer, error) {
	if c.r.ContentLength != 0 { // whoever narrows it there would have all repriced
		return nil, problemf(http.StatusBadRequest, codeInvalidParameter, "the body must be empty: what is repriced stands in the query, as in ?from=2026-11-01&dry_run=true")
	}
	q := query.Reader{Values: c.params}
	ask := pricing.Ask{Project: c.caller.Project, From: dated(&q, "from", false, s.o.Now()), To: dated(&q, "to", false, s.o.Now()), Model: q.Text("model"), Book: dated(&q, "book", true, s.o.Now())}
	dry := q.Is("dry_run")
	if q.Err != nil {
		return nil, q.Err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	do := s.o.Repricer.Begin
	if dry {
		do = s.o.Repricer.Look
	}
	told, err := do(ctx, ask)
	switch {
	case errors.Is(err, pricing.ErrAsk):
		return nil, problemf(http.StatusBadRequest, codeInvalidParameter, "%v", err)
	case errors.Is(err, pricing.ErrUnderway):
		return nil, problemf(http.StatusConflict, codeRepricing, "another repricing is under way: GET /v1/prices/reprice tells how far it is")
	case err != nil:
		return nil, err
	}
	row := repricedRow(told)
	if told.State != pricing.StateRunning && told.State != pricing.StateDone {
		return ok(row, nil)
	}
	s.o.Logger.Info("calls are repriced", "project", c.caller.Project, "by", c.caller.KeyID, "from", ask.From, "to", told.To, "model", ask.Model, "calls", told.Calls, "changed", told.Changed)
	return &answer{status: http.StatusAccepted, body: row, header: http.Header{"Location": {"/v1/prices/reprice"}}}, nil
}

// dated is a time or a date, of which the first moment counts in UTC, or with end the last one that has come by now.
func dated(q *query.Reader, name string, end bool, now time.Time) time.Time {
	day, err := time.Parse(time.DateOnly, q.Text(name))
	if err != nil {
		moment := query.Reader{Values: q.Values}
		at := moment.Time(name)
		if moment.Err != nil {
			q.Fail(name, "must be a date such as 2026-11-01, RFC 3339 or Unix seconds, from 1970 to 9999")
		}
		return at
	}
	if last := day.AddDate(0, 0, 1).Add(-time.Microsecond); end && (last.Before(now) || day.After(now)) {
		return last
	} else if end {
		return now
	}
	return day
}

func repricedRow(told *repricing.Told) *repricingRow {
	row := &repricingRow{Repricing: told.Repricing, Difference: difference(told.New, told.Former), Models: []repricedOfModel{}}
	for _, m := range told.Models {
		row.Models = append(row.Models, repricedOfModel{m, difference(m.New, m.Former)})
	}
	return row
}

// difference is exact, as sums of costs are; what is not known is 0 in it.
func difference(is, was *float64) float64 {
	var m entity.Money
	if is != nil {
		m.Add(*is)
	}
	if was != nil {
		m.Add(-*was)
	}
	return m.Sum()
}

// listRepricings is GET /v1/prices/reprice; ?wait=5s answers as soon as none is under way, or with how far it is when the time is over.
func listRepricings(ctx context.Context, s *Server, c *call) (*answer, error) {
	q := query.Reader{Values: c.params}
	wait, err := time.ParseDuration(q.Text("wait"))
	if q.Text("wait") != "" && (err != nil || wait < 0) {
		q.Fail("wait", "must be a duration such as 5s")
	}
	if q.Err != nil {
		return nil, q.Err
	}
	waiting, cancel := context.WithTimeout(ctx, min(wait, s.o.MaxWait))
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	s.o.Repricer.Wait(waiting)
	page := &wire.Page[repricingRow]{Data: []repricingRow{}}
	all := s.o.Prices.Repricings(c.caller.Project)
	slices.Reverse(all)
	for _, r := range all {
		page.Data = append(page.Data, repricingRow{Repricing: r, Difference: difference(r.New, r.Former)})
	}
	return ok(page, nil)
}
