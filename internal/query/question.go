package query

import (
	"fmt"
	"net/url"
	"time"

	"github.com/brokle-ai/brokle-go/internal/store"
)

// Question is one number that statistics are asked for again and again, each time about another span of time.
type Question struct {
	Metric string   // as rows have it
	Groups []string // the columns it is grouped by
	values url.Values
}

// ReadQuestion reads a question as an address has it behind "?": one metric, of, group_by and filters, and nothing of a time.
func ReadQuestion(question string) (*Question, error) {
	if err := CheckStats(question); err != nil {
		return nil, err
	}
	values, err := url.ParseQuery(question)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"from", "to", "interval", "tz", "limit", "cursor"} {
		if values.Has(name) {
			return nil, &store.QueryError{Param: name, Message: "is not a part of the question: what it is asked about is said beside it"}
		}
	}
	q, _, err := ParseStats(values)
	if err != nil {
		return nil, err
	}
	if len(q.Metrics) != 1 {
		return nil, &store.QueryError{Param: "metrics", Message: fmt.Sprintf("is one, not %d", len(q.Metrics))}
	}
	plan, _, err := statsPlan("", &q)
	if err != nil {
		return nil, err
	}
	return &Question{Metric: q.Metrics[0], Groups: plan.Groups, values: values}, nil
}

// Within is the question of what is at from or later and before to, as GET /v1/stats takes it; of as many rows as a page can have.
func (q *Question) Within(from, to time.Time) url.Values {
	const form = "2006-01-02T15:04:05.000000Z07:00"
	values := url.Values{}
	for name, v := range q.values {
		values[name] = v
	}
	values.Set("from", from.UTC().Format(form))
	values.Set("to", to.UTC().Format(form))
	values.Set("limit", fmt.Sprint(MaxLimit))
	return values
}
