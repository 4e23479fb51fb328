package server

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/dataset"
)

// imported says what became of the rows of an import.
type imported struct {
	Created int      `json:"created"` // items that are new
	Updated int      `json:"updated"` // items that were there with other content
	Skipped int      `json:"skipped"` // rows that are there as they are
	Failed  int      `json:"failed"`  // rows that were not taken
	Errors  []string `json:"errors"`  // what is wrong with each of these, by its line; at most a hundred
	Version int      `json:"version"` // of the dataset, in which all of it is
}

// listItems is GET /v1/datasets/{id}/items.
func listItems(ctx context.Context, s *Server, c *call) (*answer, error) {
	page, before, limit, err := paging(c)
	if err != nil {
		return nil, err
	}
	version, err := versionParam(c)
	if err != nil {
		return nil, err
	}
	items, total, _, err := s.items(ctx, c, version, before, limit)
	if err == nil && c.params.Has("offset") { // as those clients read it that count rows
		return enveloped(s, versionItems{items, total}, nil)
	}
	return ok(&datasetPage[dataset.Item]{Success: true, Data: items, Meta: datasetTop{datasetPaging{page, limit, total}}}, err)
}

// items reads items of the dataset that a request names, and takes the room for an answer with them.
func (s *Server) items(ctx context.Context, c *call, version, offset, limit int) (items []dataset.Item, total, of int, err error) {
	_, set, err := s.dataset(c)
	if err != nil {
		return nil, 0, 0, err
	}
	bytes, err := set.Size(version, offset, limit)
	if err != nil {
		return nil, 0, 0, s.datasetProblem(err)
	}
	if c.question != nil {
		if err := c.question.need(ctx, 3*bytes+smallAnswer); err != nil {
			return nil, 0, 0, err
		}
	}
	items, total, of, err = set.Items(version, offset, limit)
	return append([]dataset.Item{}, items...), total, of, s.datasetProblem(err)
}

// versionItems is the answer of the items of a version.
type versionItems struct {
	Items []dataset.Item `json:"items"`
	Total int            `json:"total"`
}

func listVersionItems(ctx context.Context, s *Server, c *call) (*answer, error) {
	n, err := pathVersion(c)
	if err != nil {
		return nil, err
	}
	limit, err := numberParam(c, "limit", 50, 1, mostPage)
	if err != nil {
		return nil, err
	}
	offset, err := numberParam(c, "offset", 0, 0, dataset.MaxItems)
	if err != nil {
		return nil, err
	}
	items, total, _, err := s.items(ctx, c, n, offset, limit)
	if err != nil {
		return nil, err
	}
	return enveloped(s, versionItems{items, total}, nil)
}

func getItem(_ context.Context, s *Server, c *call) (*answer, error) {
	version, err := versionParam(c)
	if err != nil {
		return nil, err
	}
	_, set, err := s.dataset(c)
	if err != nil {
		return nil, err
	}
	it, _, err := set.Item(version, c.r.PathValue("item"))
	return enveloped(s, it, err)
}

func deleteItem(_ context.Context, s *Server, c *call) (*answer, error) {
	_, set, err := s.writableDataset(c)
	if err != nil {
		return nil, err
	}
	v, err := set.Remove([]string{c.r.PathValue("item")}, c.caller.KeyID)
	return enveloped(s, v, err)
}

// newItems is the body of POST /v1/datasets/{id}/items.
type newItems struct {
	Items       []json.RawMessage `json:"items"`       // 1 to 10000 items, of which only input must be there
	Deduplicate bool              `json:"deduplicate"` // skip an item without an id whose input and expected another one has
}

// mostItems is how many items one request has at most.
const mostItems = 10_000

// postItems is POST /v1/datasets/{id}/items: all of them, or none.
func postItems(_ context.Context, s *Server, c *call) (*answer, error) {
	var body newItems
	set, done, err := s.itemsBody(c, &body)
	if err != nil {
		return nil, err
	}
	defer done()
	var rows dataset.Rows
	for i, raw := range body.Items {
		rows.Add(fmt.Sprintf("item %d", i+1), raw, dataset.Fields{})
	}
	switch {
	case len(body.Items) == 0 || len(body.Items) > mostItems:
		return nil, problemf(http.StatusBadRequest, codeInvalidBody, "items: there are 1 to %d", mostItems)
	case rows.Wrong > 0:
		p := problemf(http.StatusBadRequest, codeInvalidBody, "nothing was changed: %d of %d items are wrong, the first is %s", rows.Wrong, len(body.Items), rows.Errors[0])
		p.details = rows.Errors
		return nil, p
	}
	return s.put(c, set, rows, dataset.Putting{Source: dataset.SourceSDK, Deduplicate: body.Deduplicate})
}

// put puts what was read, and answers with what became of it.
func (s *Server) put(c *call, set *dataset.Dataset, rows dataset.Rows, how dataset.Putting) (*answer, error) {
	how.By = c.caller.KeyID
	put, err := set.Put(rows.Items, how)
	return enveloped(s, imported{put.Created, put.Updated, put.Skipped, rows.Wrong, append([]string{}, rows.Errors...), put.Version}, err)
}

// itemsBody reads a body that may be large and is a JSON object; done gives the memory of the body back.
func (s *Server) itemsBody(c *call, v any) (set *dataset.Dataset, done func(), err error) {
	set, text, done, err := s.largeBody(c, "application/json")
	if err != nil {
		return nil, nil, err
	}
	if err := objectOf(text, v); err != nil {
		done()
		return nil, nil, err
	}
	return set, done, nil
}

// largeBody reads a body for a dataset, within the limits that bodies of telemetry have.
func (s *Server) largeBody(c *call, media ...string) (set *dataset.Dataset, text []byte, done func(), err error) {
	if !isOneOf(c.r.Header.Get("Content-Type"), media) {
		return nil, nil, nil, problemf(http.StatusUnsupportedMediaType, codeUnsupportedMedia, "Content-Type must be %s", strings.Join(media, " or "))
	}
	if _, set, err = s.writableDataset(c); err != nil {
		return nil, nil, nil, err
	}
	h := &hold{from: s.inFlight}
	body, err := s.readBody(c, h)
	if err != nil {
		h.release()
		return nil, nil, nil, err
	}
	return set, body.data, h.release, nil // the buffer is left to the collector
}

// isOneOf says that a Content-Type is one of these; none at all is the first.
func isOneOf(given string, media []string) bool {
	kind, _, _ := strings.Cut(given, ";")
	if kind = strings.ToLower(strings.TrimSpace(kind)); kind == "" {
		return true
	}
	for _, m := range media {
		if kind == m {
			return true
		}
	}
	return false
}

// exportTypes are the forms of an export besides the JSON of other answers.
func exportType(format string) string {
	return map[string]string{"jsonl": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}[format]
}

// exportItems is GET /v1/datasets/{id}/items/export.
func exportItems(ctx context.Context, s *Server, c *call) (*answer, error) {
	version, err := versionParam(c)
	if err != nil {
		return nil, err
	}
	format := c.params.Get("format")
	media := exportType(format)
	if media == "" && format != "" && format != "json" {
		return nil, badParameter("format", "must be json, jsonl or csv")
	}
	items, total, of, err := s.items(ctx, c, version, 0, dataset.MaxItems)
	if err != nil {
		return nil, err
	}
	if media == "" {
		return ok(&datasetPage[dataset.Item]{Success: true, Data: items, Meta: datasetTop{datasetPaging{1, total, total}}}, nil)
	}
	var b bytes.Buffer
	write := dataset.WriteLines
	if format == "csv" {
		write = dataset.WriteCSV
	}
	if err := write(&b, items); err != nil {
		return nil, err
	}
	return &answer{status: http.StatusOK, media: media, bytes: b.Bytes(), header: http.Header{"Brokle-Dataset-Version": {fmt.Sprint(of)}}}, nil
}
