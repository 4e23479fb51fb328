package server

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// data is what an answer has under data.
func data[T any](h *house, rep reply) T {
	h.tb.Helper()
	if rep.status != 200 {
		h.tb.Fatalf("%d %s", rep.status, rep.body)
	}
	v := decoded[success[T]](h.tb, rep)
	if !v.Success {
		h.tb.Fatalf("no success: %s", rep.body)
	}
	return v.Data
}

func (h *house) dataset(name string) string {
	h.tb.Helper()
	return data[dataset.Info](h, h.send("POST", "/v1/datasets", []byte(`{"name":"`+name+`"}`))).ID
}

func (h *house) rows(path string) (items []dataset.Item, total int) {
	h.tb.Helper()
	page := decoded[datasetPage[dataset.Item]](h.tb, h.get(path))
	return page.Data, page.Meta.Pagination.Total
}

func TestDatasets(t *testing.T) { inBothForms(t, testDatasets) }

func testDatasets(t *testing.T, place store.DatasetLines) {
	t.Parallel()
	h := open(t, setup{datasets: place})
	id := h.dataset("questions")
	if rep := h.send("POST", "/v1/datasets", []byte(`{"name":"questions"}`)); rep.status != 409 || rep.code(t) != "dataset_exists" {
		t.Errorf("a name twice: %d %s", rep.status, rep.body)
	}
	put := data[imported](h, h.send("POST", "/v1/datasets/"+id+"/items", []byte(`{"items":[{"id":"a","input":{"q":1},"expected":"x","metadata":{"m":1}},{"input":"b"}]}`)))
	if put.Created != 2 || put.Version != 1 || put.Errors == nil {
		t.Errorf("%+v", put)
	}
	if items, total := h.rows("/v1/datasets/questions/items?limit=1&page=2"); total != 2 || len(items) != 1 || string(items[0].Input) != `"b"` || items[0].Source != "sdk" || items[0].DatasetID != id {
		t.Errorf("%d: %+v", total, items)
	}
	data[dataset.Version](h, h.send("DELETE", "/v1/datasets/"+id+"/items/a", nil))
	if items, _ := h.rows("/v1/datasets/" + id + "/items"); len(items) != 1 {
		t.Errorf("%+v", items)
	}
	if items, _ := h.rows("/v1/datasets/" + id + "/items?version=1"); len(items) != 2 {
		t.Errorf("version 1: %+v", items)
	}
	if info := data[dataset.Info](h, h.send("POST", "/v1/datasets/"+id+"/pin", []byte(`{"version_id":"v1"}`))); info.ItemCount != 2 || *info.CurrentVersion != 1 || info.LatestVersion != 2 {
		t.Errorf("%+v", info)
	}
	if items, _ := h.rows("/v1/datasets/" + id + "/items"); len(items) != 2 {
		t.Errorf("pinned: %+v", items)
	}
	versions := decoded[datasetPage[dataset.Version]](t, h.get("/v1/datasets/"+id+"/versions"))
	if len(versions.Data) != 2 || versions.Data[0].Version != 2 || versions.Data[0].ItemCount != 1 {
		t.Errorf("%+v", versions.Data)
	}
	named := data[dataset.Info](h, h.send("PATCH", "/v1/datasets/"+id, []byte(`{"name":"other","description":"d"}`)))
	if named.Name != "other" || named.Description != "d" || h.get("/v1/datasets/other").status != 200 || h.get("/v1/datasets/questions").status != 404 {
		t.Errorf("%+v", named)
	}
	if rep := h.send("DELETE", "/v1/datasets/"+id, nil); rep.status != 204 || h.get("/v1/datasets/"+id).status != 404 {
		t.Errorf("%d", rep.status)
	}
}

// What is wrong is said, with the row; of what a program puts nothing is taken then, of a file the others are.
func TestDatasetRows(t *testing.T) { inBothForms(t, testDatasetRows) }

func testDatasetRows(t *testing.T, place store.DatasetLines) {
	t.Parallel()
	h := open(t, setup{datasets: place})
	id := h.dataset("d")
	items := "/v1/datasets/" + id + "/items"
	for body, says := range map[string]string{
		`{"items":[{"input":1},{"inputs":2},{}]}`: `item 2: there is no member \"inputs\"`,
		`{"items":[]}`: "there are 1 to 10000",
		`{"items":[{"input":"` + strings.Repeat("x", dataset.MaxItem) + `"}]}`: "an item has at most",
		`{"item":[]}`:   `unknown field \"item\"`,
		`[1]`:           "no JSON object",
		`{"items":[{}]`: "no JSON object",
	} {
		if rep := h.send("POST", items, []byte(body)); rep.status != 400 || rep.code(t) != "invalid_body" || !strings.Contains(string(rep.body), says) {
			t.Errorf("%.60s: %d %.300s, not %s", body, rep.status, rep.body, says)
		}
	}
	if _, total := h.rows(items); total != 0 {
		t.Errorf("%d items were taken", total)
	}
	as := func(media string) []string { return []string{"Content-Type", "", "Content-Type", media} }
	rep := h.send("POST", items+"/import?columns=input:q,expected:a,id:n&line=10", []byte(`{"q":"x","a":"y","n":1}`+"\nnot json\n"+`{"a":1,"n":2}`+"\n"+`{"q":"z","n":3}`), as("application/x-ndjson")...)
	if got := data[imported](h, rep); got.Created != 2 || got.Failed != 2 || len(got.Errors) != 2 || !strings.HasPrefix(got.Errors[0], "line 11: it is not JSON") || !strings.HasPrefix(got.Errors[1], "line 12: input") {
		t.Errorf("%+v", got)
	}
	rep = h.send("POST", items+"/import", []byte("id,input,expected\nc1,\"a,b\",5\nc2,only two\n"), as("text/csv")...)
	if got := data[imported](h, rep); got.Created != 1 || got.Failed != 1 || !strings.HasPrefix(got.Errors[0], "line 3: it has 2 cells") {
		t.Errorf("%+v", got)
	}
	if rep := h.send("POST", items+"/import", []byte("x"), as("text/plain")...); rep.status != 415 {
		t.Errorf("text/plain: %d %s", rep.status, rep.body)
	}
	for _, query := range []string{"columns=input", "columns=output:x", "columns=id:a,id:b", "line=0", "deduplicate=perhaps"} {
		if rep := h.send("POST", items+"/import?"+query, []byte("{}"), as("application/x-ndjson")...); rep.status != 400 || rep.code(t) != "invalid_parameter" {
			t.Errorf("%s: %d %s", query, rep.status, rep.body)
		}
	}
	for _, format := range []string{"jsonl", "csv"} {
		exported := h.get(items + "/export?format=" + format)
		if exported.status != 200 || exported.header.Get("Brokle-Dataset-Version") != "2" {
			t.Fatalf("%s: %d %s", format, exported.status, exported.body)
		}
		other := h.dataset(format)
		media := map[string]string{"jsonl": "application/x-ndjson", "csv": "text/csv"}[format]
		if got := data[imported](h, h.send("POST", "/v1/datasets/"+other+"/items/import", exported.body, as(media)...)); got.Created != 3 || got.Failed != 0 {
			t.Errorf("%s is imported as %+v", format, got)
		}
		was, _ := h.rows(items)
		is, _ := h.rows("/v1/datasets/" + other + "/items")
		for i := range was {
			if was[i].ID != is[i].ID || string(was[i].Input) != string(is[i].Input) || string(was[i].Expected) != string(is[i].Expected) {
				t.Errorf("%s: %+v became %+v", format, was[i], is[i])
			}
		}
	}
}

func TestItemsFromTraces(t *testing.T) { inBothForms(t, testItemsFromTraces) }

func testItemsFromTraces(t *testing.T, place store.DatasetLines) {
	t.Parallel()
	h := open(t, setup{datasets: place})
	h.post(
		event("1", "trace_create", `{"id":"t1","name":"own","input":{"q":"x","lang":"en"},"output":"y"}`),
		event("2", "trace_create", `{"id":"t2","name":"of its root"}`),
		event("3", "observation_create", `{"id":"o1","trace_id":"t2","name":"root","input":"in","output":["out"]}`),
		event("4", "observation_create", `{"id":"o2","trace_id":"t2","parent_observation_id":"o1","name":"inner","input":"deep","output":"er"}`),
		event("5", "trace_create", `{"id":"t3","name":"says nothing"}`),
	)
	h.settle()
	id := h.dataset("d")
	got := data[imported](h, h.send("POST", "/v1/datasets/"+id+"/items/from-traces", []byte(`{"trace_ids":["t1","t2","t3","absent"]}`)))
	if got.Created != 2 || got.Failed != 2 || !slices.Equal(got.Errors, []string{"trace t3: it has no input", "trace absent: there is none of this id in the project of this key"}) {
		t.Errorf("%+v", got)
	}
	data[imported](h, h.send("POST", "/v1/datasets/"+id+"/items/from-spans", []byte(`{"span_ids":["o2"],"trace_id":"t2"}`)))
	data[imported](h, h.send("POST", "/v1/datasets/"+id+"/items/from-traces", []byte(`{"trace_ids":["t1"],"keys_mapping":{"input_keys":["q"],"metadata_keys":["lang"]}}`)))
	items, _ := h.rows("/v1/datasets/" + id + "/items")
	var all []string
	for _, it := range items {
		all = append(all, fmt.Sprintf("%s %s %s %s %s %s", it.Input, it.Expected, it.Metadata, it.Source, it.SourceTraceID, it.SourceSpanID))
	}
	want := []string{`{"q":"x","lang":"en"} "y"  trace t1 `, `"in" ["out"]  trace t2 `, `"deep" "er"  span t2 o2`, `{"q":"x"} "y" {"lang":"en"} trace t1 `}
	if !slices.Equal(all, want) {
		t.Errorf("%q, not %q", all, want)
	}
	if again := data[imported](h, h.send("POST", "/v1/datasets/"+id+"/items/from-traces", []byte(`{"trace_ids":["t1"]}`))); again.Skipped != 1 || again.Created != 0 {
		t.Errorf("added twice: %+v", again)
	}
	writer := h.newKey("one", "ingest")
	if rep := h.send("POST", "/v1/datasets/"+id+"/items/from-traces", []byte(`{"trace_ids":["t1"]}`), "X-API-Key", "", "X-API-Key", writer); rep.status != 403 {
		t.Errorf("with a key that may not read: %d %s", rep.status, rep.body)
	}
	// What is erased is gone from the datasets, too: from all versions, and from the disk.
	if rep := h.send("DELETE", "/v1/traces/t1", nil); rep.status != 200 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	if items, total := h.rows("/v1/datasets/" + id + "/items?version=1"); total != 1 || items[0].SourceTraceID != "t2" {
		t.Errorf("%+v", items)
	}
	if place != nil { // TestErase of the package has what the tables have
		return
	}
	raw, err := os.ReadFile(filepath.Join(h.dir, "datasets", "project-one", id+".jsonl"))
	if err != nil || strings.Contains(string(raw), `"lang"`) {
		t.Errorf("the file has what was erased: %v", err)
	}
}

// An experiment whose results are sent as Brokle's clients do: each is a trace, its scores count, and sent again nothing is there twice.
func TestExperimentResults(t *testing.T) { inBothForms(t, testExperimentResults) }

func testExperimentResults(t *testing.T, place store.DatasetLines) {
	t.Parallel()
	h := open(t, setup{datasets: place})
	id := h.dataset("d")
	h.send("POST", "/v1/datasets/"+id+"/items", []byte(`{"items":[{"id":"i1","input":1},{"id":"i2","input":2},{"id":"i3","input":3},{"id":"i4","input":4}]}`))
	begin := func(name string) dataset.Experiment {
		return data[dataset.Experiment](h, h.send("POST", "/v1/experiments", []byte(`{"name":"`+name+`","dataset_id":"`+id+`","status":"running"}`)))
	}
	a, b := begin("a"), begin("b")
	if a.DatasetVersion != 1 {
		t.Errorf("%+v", a)
	}
	result := func(item string, score float64) string {
		return fmt.Sprintf(`{"dataset_item_id":%q,"input":{"x":1},"output":"o-%s","trial_number":1,"scores":[{"name":"exact","value":%v,"type":"BOOLEAN","string_value":null,"reason":"because","metadata":null,"scoring_failed":false},{"name":"broken","value":0,"type":"NUMERIC","scoring_failed":true}]}`, item, item, score)
	}
	send := func(x dataset.Experiment, results ...string) {
		t.Helper()
		got := data[resultsTold](h, h.send("POST", "/v1/experiments/"+x.ID+"/items", []byte(`{"items":[`+strings.Join(results, ",")+`]}`)))
		if got.Created != len(results) {
			t.Errorf("%+v", got)
		}
	}
	send(a, result("i1", 1), result("i2", 0), result("i3", 0), `{"dataset_item_id":"i4","input":4,"output":null,"trial_number":1,"scores":[],"error":"Task failed: no"}`)
	send(b, result("i1", 1), result("i2", 1), result("i3", 1))
	send(a, result("i1", 1), result("i2", 0))
	h.settle()
	view := data[experimentView](h, h.get("/v1/experiments/"+a.ID))
	if view.Results != 4 || view.Errors != 1 || len(view.Summary) != 1 || view.Summary[0].N != 3 || view.Summary[0].Low >= view.Summary[0].High {
		t.Errorf("%+v", view)
	}
	rows := decoded[datasetPage[dataset.Result]](t, h.get("/v1/experiments/"+a.ID+"/rows?limit=3"))
	if len(rows.Data) != 3 || rows.NextCursor == nil {
		t.Fatalf("%+v", rows)
	}
	more := decoded[datasetPage[dataset.Result]](t, h.get("/v1/experiments/"+a.ID+"/rows?limit=3&cursor="+*rows.NextCursor))
	seen := map[string]dataset.Result{}
	for _, r := range append(rows.Data, more.Data...) {
		seen[r.ItemID] = r
	}
	if len(seen) != 4 || seen["i1"].Scores["exact"] != 1 || !strings.Contains(seen["i1"].Output, "o-i1") || seen["i4"].Status != "error" || len(seen["i1"].Scores) != 1 {
		t.Errorf("%+v", seen)
	}
	v := data[comparedView](h, h.get("/v1/experiments/compare?a="+a.ID+"&b="+b.ID))
	if fmt.Sprint(slices.Sorted(maps.Keys(v.Counts)), v.Counts["better"], v.Counts["same"], v.Counts["only_a"]) != "[better only_a same] 2 1 1" || v.Total != 4 || v.Rows[0].A.Output == "" {
		t.Errorf("%+v", v)
	}
	if s := v.Scores[0]; s.Name != "exact" || s.N != 3 || s.Better != 2 || s.Significant {
		t.Errorf("two of three may be chance: %+v", s)
	}
	if only := data[comparedView](h, h.get("/v1/experiments/compare?a=a&b=b&change=better")); only.Total != 2 || len(only.Rows) != 2 {
		t.Errorf("by name, those that got better: %+v", only)
	}
	told := data[comparisonTold](h, h.send("POST", "/v1/experiments/compare", []byte(`{"experiment_ids":["`+a.ID+`","`+b.ID+`"]}`)))
	if told.Scores["exact"][b.ID].Mean != 1 || told.Diffs["exact"][b.ID].Difference.Difference <= 0.6 || told.BaselineID != a.ID {
		t.Errorf("%+v", told)
	}
	done := data[dataset.Experiment](h, h.send("PATCH", "/v1/experiments/"+a.ID, []byte(`{"status":"completed"}`)))
	if done.EndedAt == nil {
		t.Errorf("%+v", done)
	}
	again := data[dataset.Experiment](h, h.send("POST", "/v1/experiments/"+a.ID+"/rerun", []byte(`{}`)))
	if again.Status != "pending" || again.DatasetID != id || !strings.HasPrefix(again.Name, "a-rerun-") {
		t.Errorf("%+v", again)
	}
	if rep := h.send("POST", "/v1/experiments/"+a.ID+"/items", []byte(`{"items":[{"dataset_item_id":"a b","input":1}]}`)); rep.status != 400 {
		t.Errorf("%d %s", rep.status, rep.body)
	}
	list := decoded[datasetPage[dataset.Experiment]](t, h.get("/v1/experiments?dataset_id="+id))
	if list.Meta.Pagination.Total != 3 {
		t.Errorf("%+v", list.Meta)
	}
}

// Whatever is sent: it is taken, or refused with what is wrong, and the server never fails.
func FuzzDatasetBodies(f *testing.F) {
	for _, body := range []string{
		`{"items":[{"id":"a","input":{"q":1},"expected":null}],"deduplicate":true}`, `{"input":"x"}` + "\nx", "input,expected\n\"a\",b\n",
		`{"content":"q\n\"x","column_mapping":{"input_column":"q"},"has_header":false}`, `{"items":[{"q":1}],"keys_mapping":{"input_keys":["q"]}}`,
		`{"trace_ids":["a"],"span_ids":["b"]}`, `{"items":[{"dataset_item_id":"a","input":1,"output":"x","scores":[{"name":"s","value":1e300,"string_value":""}]}]}`,
		`{"name":"n","status":"running","metadata":{"a":[1]}}`, `{"experiment_ids":["x","x"],"baseline_id":"y"}`, `{"version_id":"v1"}`,
	} {
		f.Add([]byte(body))
	}
	h := open(f, setup{})
	id := h.dataset("d")
	x := data[dataset.Experiment](h, h.send("POST", "/v1/experiments", []byte(`{"name":"x"}`))).ID
	f.Fuzz(func(t *testing.T, body []byte) {
		for path, media := range map[string]string{
			"/items": "application/json", "/items/import": "application/x-ndjson", "/items/import?deduplicate=false": "text/csv", "/items/import-json": "application/json",
			"/items/import-csv": "application/json", "/items/from-traces": "application/json", "/items/from-spans": "application/json", "/versions": "application/json", "/pin": "application/json",
		} {
			refusedOrTaken(t, h, "/v1/datasets/"+id+path, body, media)
		}
		for _, path := range []string{"/v1/datasets", "/v1/experiments", "/v1/experiments/" + x + "/items", "/v1/experiments/" + x + "/rerun", "/v1/experiments/compare"} {
			refusedOrTaken(t, h, path, body, "application/json")
		}
	})
}

func refusedOrTaken(t *testing.T, h *house, path string, body []byte, media string) {
	t.Helper()
	rep, err := h.try("POST", path, bytes.NewReader(body), "Content-Type", "", "Content-Type", media)
	if err != nil {
		t.Fatal(err)
	}
	switch rep.status {
	case 200:
	case 400, 404, 409, 413:
		rep.code(t)
	default:
		t.Errorf("%s: %d %s", path, rep.status, rep.body)
	}
}
