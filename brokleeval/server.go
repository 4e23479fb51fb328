package brokleeval

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// The tags by which a trace says to what it belongs.
const (
	experimentTag = "experiment:"
	itemTag       = "item:"
	trialTag      = "trial:"
)

// server is where an experiment is recorded. A nil one records nothing.
type server struct {
	client *brokle.Client
	host   string
	key    string
	http   *http.Client
	lost   atomic.Int64 // events that were not kept
}

// connect makes a server of the configuration and the environment; nil without a key.
func connect(cfg brokle.Config) (*server, error) {
	s := &server{http: cfg.HTTPClient}
	s.host = strings.TrimSuffix(cmp.Or(cfg.Host, os.Getenv("BROKLE_HOST"), brokle.DefaultHost), "/")
	s.key = cmp.Or(cfg.APIKey, os.Getenv("BROKLE_API_KEY"))
	if s.http == nil {
		s.http = &http.Client{Timeout: time.Minute}
	}
	told := cfg.OnOutcome
	cfg.OnOutcome = func(o brokle.Outcome) {
		if o.Kind != brokle.Delivered && o.Kind != brokle.Duplicate {
			s.lost.Add(1)
		}
		if told != nil {
			told(o)
		}
	}
	client, err := brokle.New(cfg)
	if err != nil {
		return nil, err
	}
	if client.Err() != nil { // no key, or turned off
		return nil, nil
	}
	s.client = client
	return s, nil
}

// close sends what is left.
func (s *server) close(ctx context.Context) error {
	if s == nil {
		return nil
	}
	err := s.client.Close(ctx)
	if n := s.lost.Load(); n > 0 && err == nil {
		err = fmt.Errorf("%d events of the experiment were not recorded; the log of package brokle says why", n)
	}
	return err
}

// trace begins the trace of an item.
func (s *server) trace(ctx context.Context, of *Result, it Item, trial int) (context.Context, traced) {
	if s == nil {
		return ctx, traced{}
	}
	tags := []string{experimentTag + of.ExperimentID, itemTag + it.ID}
	if trial > 1 {
		tags = append(tags, trialTag+strconv.Itoa(trial))
	}
	about := map[string]any{"experiment": of.Name}
	if it.Expected != nil {
		about["expected"] = it.Expected
	}
	var t traced
	ctx, t.trace = s.client.StartTrace(ctx, of.Name, brokle.Tags(tags...), brokle.Input(it.Input), brokle.Metadata(about))
	ctx, t.task = brokle.StartSpan(ctx, "task", brokle.Input(it.Input))
	return ctx, t
}

// traced is the trace of an item, and the span of its task. Where nothing is recorded both are nil.
type traced struct {
	trace *brokle.ActiveTrace
	task  *brokle.ActiveObservation
}

// ran ends the span of the task.
func (t traced) ran(row *Row) {
	if row.Error != nil {
		t.task.End(brokle.Error(row.Error))
		return
	}
	t.task.End(brokle.Output(row.JSON))
}

// record ends the trace of a row, with its scores.
func (t traced) record(row *Row) {
	end := []brokle.Option{brokle.Output(row.JSON)}
	if row.Cached {
		end = append(end, brokle.Metadata(map[string]any{"cached": true}))
	}
	if row.Error != nil {
		end = []brokle.Option{brokle.Error(row.Error)}
	}
	for name, score := range row.Scores {
		opts := []brokle.Option{brokle.Source("EVAL")}
		if score.Reason != "" {
			opts = append(opts, brokle.Comment(score.Reason))
		}
		t.trace.Score(name, score.Value, opts...)
	}
	t.trace.End(end...)
}

// begin makes the record of an experiment, and returns its id.
func (s *server) begin(ctx context.Context, e Experiment, in loaded) (string, error) {
	body := map[string]any{"name": e.Name, "status": "running"}
	if in.id != "" {
		body["dataset_id"], body["dataset_version"] = in.id, in.version
	}
	if len(e.Metadata) > 0 {
		body["metadata"] = e.Metadata
	}
	var told struct{ ID string }
	if err := s.call(ctx, http.MethodPost, "/v1/experiments", body, &told); err != nil {
		return "", fmt.Errorf("begin the experiment: %w", err)
	}
	return told.ID, nil
}

func (s *server) finish(ctx context.Context, id, status string) error {
	if err := s.call(ctx, http.MethodPatch, "/v1/experiments/"+id, map[string]any{"status": status}, nil); err != nil {
		return fmt.Errorf("end the experiment: %w", err)
	}
	return nil
}

// dataset reads a dataset of the server.
func (s *server) dataset(ctx context.Context, name string, version int) (in loaded, err error) {
	var info struct {
		ID      string `json:"id"`
		Latest  int    `json:"latest_version"`
		Current *int   `json:"current_version"`
	}
	if err := s.call(ctx, http.MethodGet, "/v1/datasets/"+url.PathEscape(name), nil, &info); err != nil {
		return in, fmt.Errorf("dataset %q: %w", name, err)
	}
	in.id, in.version = info.ID, version
	if version == 0 {
		if in.version = info.Latest; info.Current != nil {
			in.version = *info.Current
		}
	}
	if in.version == 0 { // it never had an item
		return in, nil
	}
	const limit = 500
	for page := 1; ; page++ {
		var rows []row
		path := fmt.Sprintf("/v1/datasets/%s/items?version=%d&limit=%d&page=%d", info.ID, in.version, limit, page)
		if err := s.call(ctx, http.MethodGet, path, nil, &rows); err != nil {
			return in, fmt.Errorf("dataset %q: %w", name, err)
		}
		for _, r := range rows {
			in.items = append(in.items, r.item())
		}
		if len(rows) < limit {
			return in, nil
		}
	}
}

// call asks the server, and decodes what its answer has as data.
func (s *server) call(ctx context.Context, method, path string, body, data any) error {
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.host+path, sent)
	if err != nil {
		return err
	}
	req.Header.Set("X-API-Key", s.key)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.http.Do(req)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(res.Body)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return err
	}
	var told struct {
		Data  json.RawMessage `json:"data"`
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(raw, &told); err != nil {
		return fmt.Errorf("the server answered %d with what is not JSON", res.StatusCode)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the server answered %d: %s", res.StatusCode, told.Error.Message)
	}
	if data == nil {
		return nil
	}
	return json.Unmarshal(told.Data, data)
}
