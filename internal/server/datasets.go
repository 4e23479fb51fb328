package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Answers about datasets and experiments have the form that Brokle's own clients read: {"success": true, "data": …}, lists with how many there are.
type (
	// datasetPage is a page of a list.
	datasetPage[T any] struct {
		Success    bool       `json:"success"` // true
		Data       []T        `json:"data"`
		NextCursor *string    `json:"next_cursor"` // of results of an experiment: leads to the ones behind these; else null
		Meta       datasetTop `json:"meta"`
	}
	datasetTop struct {
		Pagination datasetPaging `json:"pagination"`
	}
	datasetPaging struct {
		Page  int `json:"page"` // from 1
		Limit int `json:"limit"`
		Total int `json:"total"` // in all pages; of results of an experiment, on this one
	}
)

func datasetRoutes() []route {
	const read, write = keyring.ScopeRead, keyring.ScopeIngest
	one, items := "/v1/datasets/{id}", "/v1/datasets/{id}/items"
	paged := []string{"limit", "page", "offset"}
	return []route{
		{method: http.MethodGet, path: "/v1/datasets", scope: read, params: paged, light: true, handle: listDatasets},
		{method: http.MethodPost, path: "/v1/datasets", scope: write, handle: postDataset},
		{method: http.MethodGet, path: one, scope: read, params: []string{"id"}, light: true, handle: getDataset},
		{method: http.MethodGet, path: one + "/info", scope: read, light: true, handle: getDataset},
		{method: http.MethodPatch, path: one, scope: write, handle: patchDataset},
		{method: http.MethodPost, path: one + "/pin", scope: write, handle: pinVersion},
		{method: http.MethodGet, path: one + "/versions", scope: read, light: true, handle: listVersions},
		{method: http.MethodPost, path: one + "/versions", scope: write, handle: postVersion},
		{method: http.MethodGet, path: one + "/versions/{version}", scope: read, light: true, handle: getVersion},
		{method: http.MethodGet, path: one + "/versions/{version}/items", scope: read, params: []string{"limit", "offset"}, handle: listVersionItems},
		{method: http.MethodGet, path: items, scope: read, params: append(slices.Clone(paged), "version"), handle: listItems},
		{method: http.MethodPost, path: items, scope: write, handle: postItems},
		{method: http.MethodGet, path: items + "/export", scope: read, params: []string{"format", "version"}, handle: exportItems},
		{method: http.MethodPost, path: items + "/import", scope: write, params: []string{"columns", "deduplicate", "line"}, handle: importItems},
		{method: http.MethodPost, path: items + "/import-json", scope: write, handle: importJSON},
		{method: http.MethodPost, path: items + "/import-csv", scope: write, handle: importCSV},
		{method: http.MethodPost, path: items + "/from-traces", scope: write, handle: itemsFromTraces},
		{method: http.MethodPost, path: items + "/from-spans", scope: write, handle: itemsFromSpans},
		{method: http.MethodGet, path: items + "/{item}", scope: read, params: []string{"version"}, light: true, handle: getItem},
		{method: http.MethodDelete, path: items + "/{item}", scope: write, handle: deleteItem},
		{method: http.MethodDelete, path: one, scope: keyring.ScopeAdmin, handle: deleteDataset},
	}
}

// datasets are all, of which what any node has acknowledged of the caller's project is known.
func (s *Server) datasets(c *call) (*dataset.Datasets, error) {
	return s.o.Datasets, s.o.Datasets.Fresh(c.r.Context(), c.caller.Project)
}

// admitted says that something may be written: not while the disk is full.
func (s *Server) admitted() error {
	if err := s.o.Admit(); err != nil {
		return s.unavailable(err)
	}
	return nil
}

// dataset is the one that a request names.
func (s *Server) dataset(c *call) (*dataset.Datasets, *dataset.Dataset, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, nil, err
	}
	all, err := s.datasets(c)
	if err != nil {
		return nil, nil, err
	}
	set, err := all.Find(c.caller.Project, id)
	return all, set, s.datasetProblem(err)
}

// writableDataset is dataset, for what writes.
func (s *Server) writableDataset(c *call) (*dataset.Datasets, *dataset.Dataset, error) {
	if err := s.admitted(); err != nil {
		return nil, nil, err
	}
	return s.dataset(c)
}

// datasetProblem is the answer to what went wrong.
func (s *Server) datasetProblem(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, dataset.ErrUnknown):
		p := problemf(http.StatusNotFound, codeNotFound, "the project of this key has no such dataset, item, version or experiment")
		if what := strings.TrimPrefix(err.Error(), dataset.ErrUnknown.Error()+": "); what != err.Error() {
			p.message = "the project of this key has no " + what
		}
		return p
	case errors.Is(err, dataset.ErrExists):
		return problemf(http.StatusConflict, codeDatasetExists, "the project has a dataset of this name")
	case errors.Is(err, dataset.ErrInvalid):
		return wrongLines(codeInvalidBody, err, dataset.ErrInvalid)
	case errors.Is(err, dataset.ErrWrite):
		return s.unavailable(err)
	}
	return err
}

// enveloped is the answer with a value, or the error.
func enveloped[T any](s *Server, v T, err error) (*answer, error) {
	return ok(&success[T]{Success: true, Data: v}, s.datasetProblem(err))
}

// mostPage is how many rows a page of these lists has at most.
const mostPage = 1000

// pageCut cuts the page that was asked for out of all rows.
func pageCut[T any](c *call, all []T) (*answer, error) {
	page, from, limit, err := paging(c)
	if err != nil {
		return nil, err
	}
	total := len(all)
	from = min(from, total)
	all = all[from:min(from+limit, total)]
	return ok(&datasetPage[T]{Success: true, Data: append([]T{}, all...), Meta: datasetTop{datasetPaging{page, limit, total}}}, nil)
}

// paging is the page that was asked for, and how many rows are before it: some clients count pages, and others rows.
func paging(c *call) (page, before, limit int, err error) {
	if limit, err = numberParam(c, "limit", 50, 1, mostPage); err != nil {
		return 0, 0, 0, err
	}
	if page, err = numberParam(c, "page", 1, 1, 1<<20); err != nil {
		return 0, 0, 0, err
	}
	if !c.params.Has("offset") {
		return page, (page - 1) * limit, limit, nil
	}
	if c.params.Has("page") {
		return 0, 0, 0, badParameter("offset", "goes not with page")
	}
	before, err = numberParam(c, "offset", 0, 0, 1<<30)
	return before/limit + 1, before, limit, err
}

// numberParam is a parameter that is a whole number, within bounds; one that is not there is usual.
func numberParam(c *call, name string, usual, least, most int) (int, error) {
	raw := c.params.Get(name)
	if raw == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < least || n > most {
		return 0, badParameter(name, "must be a whole number from %d to %d", least, most)
	}
	return n, nil
}

// versionParam is the version that is asked for: a number or an id, latest, or nothing for the current one.
func versionParam(c *call) (int, error) {
	switch raw := c.params.Get("version"); raw {
	case "":
		return dataset.Current, nil
	case "latest":
		return dataset.Latest, nil
	default:
		n, ok := dataset.ParseVersion(raw)
		if !ok {
			return 0, badParameter("version", "must be a number, such as 3, or latest")
		}
		return n, nil
	}
}

// maxDatasetBody bounds what is said of a dataset or an experiment, in bytes.
const maxDatasetBody = 256 << 10

// readObject reads a small body that is a JSON object of this kind.
func (s *Server) readObject(c *call, what string, v any) error {
	text, err := s.readText(c, maxDatasetBody, what)
	if err != nil {
		return err
	}
	return objectOf(text, v)
}

func objectOf(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		p := problemf(http.StatusBadRequest, codeInvalidBody, "nothing was changed: the body is no JSON object of this kind: %s", strings.TrimPrefix(err.Error(), "json: "))
		p.details = []string{strings.TrimPrefix(err.Error(), "json: ")}
		return p
	}
	return nil
}

func listDatasets(_ context.Context, s *Server, c *call) (*answer, error) {
	all, err := s.datasets(c)
	if err != nil {
		return nil, err
	}
	return pageCut(c, all.List(c.caller.Project))
}

func postDataset(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := s.admitted(); err != nil {
		return nil, err
	}
	var n dataset.Named
	if err := s.readObject(c, "datasets", &n); err != nil {
		return nil, err
	}
	all, err := s.datasets(c)
	if err != nil {
		return nil, err
	}
	info, err := all.Create(c.caller.Project, c.caller.KeyID, n)
	if err == nil {
		s.o.Logger.Info("saved", "what", "dataset", "id", info.ID, "project", c.caller.Project, "by", c.caller.KeyID)
	}
	return enveloped(s, info, err)
}

func getDataset(_ context.Context, s *Server, c *call) (*answer, error) {
	_, set, err := s.dataset(c)
	if err != nil {
		return nil, err
	}
	info, err := set.Info()
	return enveloped(s, info, err)
}

func patchDataset(_ context.Context, s *Server, c *call) (*answer, error) {
	all, set, err := s.writableDataset(c)
	if err != nil {
		return nil, err
	}
	var n dataset.Named
	if err := s.readObject(c, "datasets", &n); err != nil {
		return nil, err
	}
	info, err := all.Update(set, c.caller.KeyID, n)
	return enveloped(s, info, err)
}

func deleteDataset(_ context.Context, s *Server, c *call) (*answer, error) {
	all, set, err := s.dataset(c) // also while the disk is full
	if err != nil {
		return nil, err
	}
	info, err := set.Info()
	if err == nil {
		err = all.Delete(set, c.caller.KeyID)
	}
	if err != nil {
		return nil, s.datasetProblem(err)
	}
	s.o.Logger.Info("removed", "what", "dataset", "id", info.ID, "project", c.caller.Project, "by", c.caller.KeyID)
	return &answer{status: http.StatusNoContent}, nil
}

// newVersion is what people say of a version.
type newVersion struct {
	Description string          `json:"description,omitempty"`
	Metadata    json.RawMessage `json:"metadata,omitempty"`
}

func postVersion(_ context.Context, s *Server, c *call) (*answer, error) {
	_, set, err := s.writableDataset(c)
	if err != nil {
		return nil, err
	}
	var said newVersion
	if err := s.readObject(c, "versions", &said); err != nil {
		return nil, err
	}
	v, err := set.Snapshot(c.caller.KeyID, said.Description, said.Metadata)
	return enveloped(s, v, err)
}

func listVersions(_ context.Context, s *Server, c *call) (*answer, error) {
	_, set, err := s.dataset(c)
	if err != nil {
		return nil, err
	}
	all, err := set.Versions()
	if err != nil {
		return nil, s.datasetProblem(err)
	}
	total := len(all)
	all = all[:min(total, mostPage)]
	return ok(&datasetPage[dataset.Version]{Success: true, Data: all, Meta: datasetTop{datasetPaging{1, mostPage, total}}}, nil)
}

// pathVersion is the version that a path names.
func pathVersion(c *call) (int, error) {
	n, ok := dataset.ParseVersion(c.r.PathValue("version"))
	if !ok {
		return 0, store.ErrNotFound
	}
	return n, nil
}

func getVersion(_ context.Context, s *Server, c *call) (*answer, error) {
	_, set, err := s.dataset(c)
	if err != nil {
		return nil, err
	}
	n, err := pathVersion(c)
	if err != nil {
		return nil, err
	}
	all, err := set.Versions()
	if err != nil || n > len(all) {
		return nil, s.datasetProblem(errors.Join(dataset.ErrUnknown, err))
	}
	return enveloped(s, all[len(all)-n], nil)
}

// pinned is which version is to be read when none is asked for; null: the latest.
type pinned struct {
	VersionID *string `json:"version_id"`
}

func pinVersion(_ context.Context, s *Server, c *call) (*answer, error) {
	_, set, err := s.writableDataset(c)
	if err != nil {
		return nil, err
	}
	var p pinned
	if err := s.readObject(c, "versions", &p); err != nil {
		return nil, err
	}
	n := 0
	if p.VersionID != nil {
		known := false
		if n, known = dataset.ParseVersion(*p.VersionID); !known {
			return nil, s.datasetProblem(dataset.ErrUnknown)
		}
	}
	if err := set.Pin(c.caller.KeyID, n); err != nil {
		return nil, s.datasetProblem(err)
	}
	info, err := set.Info()
	return enveloped(s, info, err)
}
