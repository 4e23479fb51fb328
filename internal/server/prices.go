package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// Prices says what calls cost, and takes a project's own prices.
type Prices interface {
	entity.Pricer
	Freeze() pricing.Frozen
	SetOwn(project string, text []byte, from time.Time) error
	Own(project string) ([]pricing.OwnSet, error)
	InForce() (book string, cost pricing.Choice)
	Repricings(project string) []pricing.Repricing
}

// maxPrices bounds own prices, in bytes.
const maxPrices = 4 << 20

// priceList is what a project's calls are priced by.
type priceList struct {
	Book    string           `json:"book"`    // the version of the book
	Cost    pricing.Choice   `json:"cost"`    // the setting --cost
	Prices  json.RawMessage  `json:"prices"`  // its own prices, the last that were set
	History []pricing.OwnSet `json:"history"` // all that were set, the oldest first
}

// listPrices is GET /v1/prices.
func listPrices(_ context.Context, s *Server, c *call) (*answer, error) {
	return s.priceList(c.caller.Project)
}

func (s *Server) priceList(project string) (*answer, error) {
	history, err := s.o.Prices.Own(project)
	if err != nil {
		return nil, err
	}
	list := &priceList{Prices: json.RawMessage("[]"), History: history}
	list.Book, list.Cost = s.o.Prices.InForce()
	if n := len(list.History); n > 0 {
		list.Prices = list.History[n-1].Prices
	}
	return ok(list, nil)
}

// putPrices is PUT /v1/prices: the body takes the place of all own prices of the project, for calls that come.
func putPrices(_ context.Context, s *Server, c *call) (*answer, error) {
	q := query.Reader{Values: c.params}
	from := q.Time("from")
	if q.Err != nil {
		return nil, q.Err
	}
	if from.IsZero() {
		from = s.o.Now()
	}
	text, err := s.readText(c, maxPrices, "own prices")
	if err != nil {
		return nil, err
	}
	err = s.o.Prices.SetOwn(c.caller.Project, text, from)
	if errors.Is(err, pricing.ErrInvalid) {
		return nil, wrongLines(codeInvalidPrices, err, pricing.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	s.o.Logger.Info("own prices were set", "project", c.caller.Project, "by", c.caller.KeyID, "from", from)
	return s.priceList(c.caller.Project)
}

// readText reads a whole body of JSON, of at most so many bytes; what says what it is.
func (s *Server) readText(c *call, most int64, what string) ([]byte, error) {
	if must := wireformat.NotJSON(c.r.Header); must != "" {
		return nil, problemf(http.StatusUnsupportedMediaType, codeUnsupportedMedia, "Content-Type must be %s", must)
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(s.o.BodyTimeout))
	text, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, most))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, problemf(http.StatusRequestEntityTooLarge, codeBodyTooLarge, "%s have at most %d bytes", what, most)
	case err != nil:
		return nil, problemf(http.StatusBadRequest, codeIncompleteBody, "the body was not read whole")
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	c.bodyRead = true
	return text, nil
}

// wrongLines is the answer to what was not taken: err has a line for each thing that is wrong, behind the error that it wraps. The message has the first of them, for
// clients that show nothing else.
func wrongLines(code string, err, wraps error) *problem {
	lines := strings.Split(strings.TrimPrefix(err.Error(), wraps.Error()+": "), "\n")
	p := problemf(http.StatusBadRequest, code, "nothing was changed: %s", lines[0])
	if n := len(lines) - 1; n > 0 {
		p.message += fmt.Sprintf(" (details has a line for this, and for each of %d more)", n)
	}
	p.details = lines
	return p
}

// costAnswer is what one observation costs, and how that came about.
type costAnswer struct {
	ID      string `json:"id"`
	TraceID string `json:"trace_id"`
	// What answers show of it.
	TotalCost  *float64 `json:"total_cost"`
	CostSource string   `json:"cost_source"`
	CostReason string   `json:"cost_reason,omitempty"`
	// DuplicateOf is which observation has the cost of the call; "" is this one.
	DuplicateOf string `json:"duplicate_of"`
	*pricing.Breakdown
}

// getCost is GET /v1/observations/{id}/cost.
func getCost(ctx context.Context, s *Server, c *call) (*answer, error) {
	row, _, err := s.wholeObservation(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := s.markTwins(ctx, c, row); err != nil {
		return nil, err
	}
	prices := s.o.Prices.Freeze()
	how := prices.Explain(c.caller.Project, row)
	entity.Tariff{Prices: prices, Project: c.caller.Project}.Price(row)
	return ok(&costAnswer{row.ID, row.TraceID, row.TotalCost, row.CostSource, row.CostReason, row.DuplicateOf, how}, nil)
}
