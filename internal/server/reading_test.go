package server

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// tenTraces sends t-0 … t-9: trace i starts i minutes after 12:00, runs i
// seconds, costs i, and is of model m-(i mod 2) and user u-(i mod 3); t-9 failed.
func tenTraces(h *house) {
	h.tb.Helper()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for i := range 10 {
		start := noon.Add(time.Duration(i) * time.Minute)
		level := "default"
		if i == 9 {
			level = "error"
		}
		h.post(
			fmt.Sprintf(`{"event_id":"tt-%d","event_type":"trace_create","timestamp":%d,"payload":{"id":"t-%[1]d","name":"trace %[1]d","user_id":"u-%[3]d","session_id":"s","tags":["tag-%[3]d"]}}`, i, start.Unix(), i%3),
			fmt.Sprintf(`{"event_id":"to-%d","event_type":"observation_create","payload":{"id":"o-%[1]d","trace_id":"t-%[1]d","name":"call","type":"llm","model":"m-%d","level":%q,"start_time":%q,"end_time":%q,"total_cost":%[1]d,"total_tokens":10}}`,
				i, i%2, level, start.Format(time.RFC3339), start.Add(time.Duration(i)*time.Second).Format(time.RFC3339)),
			fmt.Sprintf(`{"event_id":"ts-%d","event_type":"quality_score_create","timestamp":%d,"payload":{"trace_id":"t-%[1]d","name":"quality","value":%[3]g}}`, i, start.Unix(), float64(i)/10),
		)
	}
	h.settle()
}

// ids are those of a page of anything, in its order.
func ids(t *testing.T, rep reply) []string {
	t.Helper()
	if rep.status != http.StatusOK {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	out := []string{}
	for _, row := range decoded[wire.Page[struct{ ID string }]](t, rep).Data {
		out = append(out, row.ID)
	}
	return out
}

func TestTraceFilters(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	for query, want := range map[string]string{
		"":                                     "9 8 7 6 5 4 3 2 1 0",
		"sort=start_time&limit=3":              "0 1 2",
		"sort=-total_cost&limit=2":             "9 8",
		"sort=latency_ms&limit=2":              "0 1",
		"name=trace+4":                         "4",
		"user_id=u-0":                          "9 6 3 0",
		"session_id=s&limit=1":                 "9",
		"session_id=other":                     "",
		"environment=default":                  "9 8 7 6 5 4 3 2 1 0",
		"tag=tag-1":                            "7 4 1",
		"model=m-1&user_id=u-1":                "7 1",
		"level=error":                          "9",
		"has_error=true":                       "9",
		"has_error=false&limit=2":              "8 7",
		"min_latency_ms=7000":                  "9 8 7",
		"max_latency_ms=1000":                  "1 0",
		"min_cost=8":                           "9 8",
		"score=quality%3E%3D0.8":               "9 8",
		"score=quality>=0.8":                   "9 8",
		"score=quality%3C0.2":                  "1 0",
		"score=quality!=0.9&limit=1":           "8",
		"score=quality>0.3&score=quality<=0.5": "5 4",
		"score=quality=0.7":                    "7",
		"from=2026-03-01T12:08:00Z":            "9 8",
		"to=2026-03-01T12:02:00Z":              "1 0",
		"from=2026-03-01T13:08:00+01:00":       "9 8", // a plus that was not escaped
		fmt.Sprintf("from=%d&to=%d", time.Date(2026, 3, 1, 12, 5, 0, 0, time.UTC).Unix(), time.Date(2026, 3, 1, 12, 7, 0, 0, time.UTC).Unix()): "6 5",
	} {
		var got []string
		for _, id := range ids(t, h.get("/v1/traces?"+query)) {
			got = append(got, strings.TrimPrefix(id, "t-"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
}

func TestOtherLists(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	h.post(event("so-3", "quality_score_create", `{"observation_id":"o-3","name":"tone","value":"kind"}`))
	h.settle()
	for path, want := range map[string]string{
		"/v1/observations?limit=2":                                                "o-9 o-8",
		"/v1/observations?type=llm&model=m-0&min_cost=6":                          "o-8 o-6",
		"/v1/observations?trace_id=t-4":                                           "o-4",
		"/v1/observations?level=ERROR":                                            "o-9",
		"/v1/scores?trace_id=t-4":                                                 "ts-4",
		"/v1/scores?name=quality&sort=value&limit=2":                              "ts-0 ts-1",
		"/v1/scores?data_type=categorical":                                        "so-3",
		"/v1/scores?data_type=numeric&sort=-timestamp&limit=1":                    "ts-9",
		"/v1/scores?observation_id=o-1":                                           "",
		"/v1/scores?user_id=u-1":                                                  "ts-7 ts-4 ts-1",
		"/v1/scores?session_id=s&limit=2":                                         "ts-9 ts-8",
		"/v1/scores?session_id=none":                                              "",
		"/v1/scores?model=m-1":                                                    "so-3",
		"/v1/scores?type=llm&level=default":                                       "so-3",
		"/v1/scores?level=error":                                                  "",
		"/v1/scores?tag=tag-1":                                                    "ts-7 ts-4 ts-1",
		"/v1/observations?from=2026-03-01T12:09:00Z&to=" + "2026-03-02T00:00:00Z": "o-9",
	} {
		if got := strings.Join(ids(t, h.get(path)), " "); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// Pages put together are the whole list, with ties and with inserts between them (property 25).
func TestPaging(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	for _, path := range []string{"/v1/traces", "/v1/traces?sort=total_tokens", "/v1/observations?sort=-total_tokens", "/v1/scores?sort=-value"} {
		sep := "?"
		if strings.Contains(path, "?") {
			sep = "&"
		}
		whole := ids(t, h.get(path))
		var got []string
		cursor := ""
		for range 20 {
			rep := h.get(path + sep + "limit=3&cursor=" + url.QueryEscape(cursor))
			got = append(got, ids(t, rep)...)
			next := decoded[wire.Page[struct{}]](t, rep).NextCursor
			if next == nil {
				break
			}
			cursor = *next
		}
		if !slices.Equal(got, whole) || len(got) != 10 {
			t.Errorf("%s: pages give %v, the list is %v", path, got, whole)
		}
	}
	rep := h.get("/v1/traces?limit=3")
	cursor := decoded[wire.Page[struct{}]](t, rep).NextCursor
	for _, path := range []string{"/v1/traces?cursor=nonsense", "/v1/traces?sort=total_cost&cursor=" + url.QueryEscape(*cursor), "/v1/scores?cursor=" + url.QueryEscape(*cursor)} {
		if rep := h.get(path); rep.status != 400 || rep.code(t) != "invalid_parameter" {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
}

func TestStats(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	for path, want := range map[string]string{
		"":                                `[{"count":10}]`,
		"?of=traces":                      `[{"count":10}]`,
		"?of=events":                      `[{"count":30}]`,
		"?of=scores&metrics=count":        `[{"count":10}]`,
		"?metrics=cost,tokens,error_rate": `[{"cost":45,"error_rate":0.1,"tokens":100}]`,
		"?metrics=cost&metrics=count":     `[{"cost":45,"count":10}]`,
		"?metrics=count&model=m-1":        `[{"count":5}]`,
		"?of=traces&has_error=true":       `[{"count":1}]`,
		"?metrics=score_count:none":       `[{"score_count:none":0}]`,
		"?name=absent":                    `[{"count":0}]`,
	} {
		rep := h.get("/v1/stats" + path)
		if got, want := string(rep.body), `{"data":`+want+`,"next_cursor":null}`; rep.status != 200 || got != want {
			t.Errorf("%s: %d %s, want %s", path, rep.status, got, want)
		}
	}
	rows := decoded[wire.Page[map[string]any]](t, h.get("/v1/stats?group_by=model&metrics=count,cost&interval=5m"))
	if len(rows.Data) != 4 {
		t.Fatalf("%v", rows.Data)
	}
	for _, row := range rows.Data {
		at, err := time.Parse("2006-01-02T15:04:05.000000Z", row["time"].(string))
		if err != nil || at.Minute()%5 != 0 || row["model"] == nil || row["count"] == nil {
			t.Errorf("%v %v", row, err)
		}
	}
}

func TestWrongParameters(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, c := range []struct{ path, param, code string }{
		{"/v1/scores?q=x", "q", "unknown_parameter"}, {"/v1/traces?Limit=5", "Limit", "unknown_parameter"},
		{"/v1/traces/x?limit=5", "limit", "unknown_parameter"}, {"/v1/stats?sort=count", "sort", "unknown_parameter"},
		{"/v1/telemetry/jobs/x?timeout=1s", "timeout", "unknown_parameter"}, {"/v1/scores?min_cost=1", "min_cost", "unknown_parameter"}, {"/v1/scores?has_error=true", "has_error", "unknown_parameter"},
		{"/v1/traces?limit=0", "limit", "invalid_parameter"}, {"/v1/traces?limit=1001", "limit", "invalid_parameter"}, {"/v1/traces?limit=ten", "limit", "invalid_parameter"},
		{"/v1/traces?limit=1&limit=2", "limit", "invalid_parameter"}, {"/v1/traces?sort=colour", "sort", "invalid_parameter"}, {"/v1/traces?sort=-", "sort", "invalid_parameter"},
		{"/v1/traces?sort=start_time;drop", "", "invalid_parameter"}, {"/v1/traces?sort=id'--", "sort", "invalid_parameter"},
		{"/v1/traces?from=yesterday", "from", "invalid_parameter"}, {"/v1/traces?to=-5", "to", "invalid_parameter"}, {"/v1/traces?from=20&to=10", "to", "invalid_parameter"},
		{"/v1/traces?min_cost=NaN", "min_cost", "invalid_parameter"}, {"/v1/traces?min_latency_ms=1e999", "min_latency_ms", "invalid_parameter"},
		{"/v1/traces?has_error=maybe", "has_error", "invalid_parameter"}, {"/v1/traces?score=quality", "score", "invalid_parameter"},
		{"/v1/traces?score=>1", "score", "invalid_parameter"}, {"/v1/traces?score=a>b", "score", "invalid_parameter"}, {"/v1/traces?name=%ff", "name", "invalid_parameter"},
		{"/v1/traces?name=a%00b", "name", "invalid_parameter"}, {"/v1/traces?cursor=%00", "cursor", "invalid_parameter"},
		{"/v1/stats?of=cats", "of", "invalid_parameter"}, {"/v1/stats?metrics=cats", "metrics", "invalid_parameter"}, {"/v1/stats?group_by=cats", "group_by", "invalid_parameter"},
		{"/v1/stats?interval=1s", "interval", "invalid_parameter"}, {"/v1/stats?interval=2d", "interval", "invalid_parameter"}, {"/v1/stats?interval=99999999999999999d", "interval", "invalid_parameter"},
		{"/v1/stats?interval=1d&tz=Mars/Base", "tz", "invalid_parameter"}, {"/v1/stats?tz=Local", "tz", "invalid_parameter"}, {"/v1/stats?tz=../../etc/passwd", "tz", "invalid_parameter"},
		{"/v1/stats?tz=%2B09:00", "tz", "invalid_parameter"}, {"/v1/traces?tz=UTC", "tz", "unknown_parameter"},
		{"/v1/traces?q=%3F%21", "q", "invalid_parameter"}, {"/v1/observations?q=" + strings.Repeat("x", 30_000), "q", "invalid_parameter"},
		{"/v1/stats?of=traces&q=" + strings.Repeat("a+", 1000), "q", "invalid_parameter"}, {"/v1/traces?q=%ff", "q", "invalid_parameter"},
		{"/v1/traces?q=" + strings.Repeat("a+", 40), "q", "invalid_parameter"}, {"/v1/traces?q=a%00", "q", "invalid_parameter"},
		{"/v1/traces?q=a&q=b", "q", "invalid_parameter"}, {"/v1/stats?of=scores&q=a", "q", "invalid_parameter"},
		{"/v1/telemetry/jobs/x?wait=soon", "wait", "invalid_parameter"}, {"/v1/telemetry/jobs/x?wait=-1s", "wait", "invalid_parameter"},
	} {
		rep := h.get(c.path)
		e := decoded[struct {
			Error struct {
				Code, Message string
				Details       struct{ Parameter string }
			}
		}](t, rep).Error
		if rep.status != 400 || e.Code != c.code || e.Details.Parameter != c.param || !strings.Contains(e.Message, c.param) {
			t.Errorf("%s: %d %s", c.path, rep.status, rep.body)
		}
	}
	for _, path := range []string{"/v1/traces?name=&limit=&from=&score=&has_error=&sort=&cursor=", "/v1/stats?of=&metrics=&interval="} {
		if rep := h.get(path); rep.status != 200 {
			t.Errorf("empty values, %s: %d %s", path, rep.status, rep.body)
		}
	}
	for _, path := range []string{"/v1/traces/%00", "/v1/traces/%ff", "/v1/observations/a%2F..%2Fb", "/v1/telemetry/events/%20", "/v1/telemetry/batch/" + strings.Repeat("x", 2000), "/v1/telemetry/jobs/%F0%9F"} {
		if rep := h.get(path); rep.status != 404 || rep.code(t) != "not_found" {
			t.Errorf("%s: %d %s", path, rep.status, rep.body)
		}
	}
}

// An id may hold what must be escaped in a path.
func TestOddIDs(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for i, id := range []string{"a/b", "..", "ü €", "50%", "a?b#c", "x y+z", strings.Repeat("€", 255)} {
		h.post(event(fmt.Sprintf("odd-%d", i), "trace_create", fmt.Sprintf(`{"id":%q,"name":"n"}`, id)))
		h.settle()
		escaped := strings.ReplaceAll(url.PathEscape(id), ".", "%2E")
		if got := decoded[wire.Trace](t, h.get("/v1/traces/"+escaped)); got.ID != id {
			t.Errorf("%q: %+v", id, got)
		}
	}
}

// An event is found by its receipt, and by itself once the receipt is gone.
func TestEventWithoutReceipt(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	rep := h.send("POST", "/v1/telemetry/batch", []byte(`{"events":[`+event("unmarked", "trace_create", `{"name":"n"}`)+`],"deduplication":{"enabled":false}}`))
	batchID := checked(t, rep).BatchID
	h.settle()
	got := decoded[wire.EventReceipt](t, h.get("/v1/telemetry/events/unmarked"))
	if got.Status != "stored" || got.EventType != wire.TraceCreate || got.BatchID != batchID || got.At.IsZero() {
		t.Errorf("%+v", got)
	}
}

// Statistics of scores take the same filters as their list.
func TestScoreStatsFilters(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	for query, want := range map[string]int64{"tag=tag-1": 3, "user_id=u-0": 4, "session_id=s": 10, "trace_id=t-4": 1, "name=quality": 10, "model=m-1": 0, "tag=none": 0} {
		rows := decoded[wire.Page[struct{ Count int64 }]](t, h.get("/v1/stats?of=scores&"+query)).Data
		if len(rows) != 1 || rows[0].Count != want {
			t.Errorf("%s: %v, want %d", query, rows, want)
		}
		if got := ids(t, h.get("/v1/scores?"+query)); int64(len(got)) != want {
			t.Errorf("%s: the list has %v", query, got)
		}
	}
}

// Every column and metric that docs/api.md names for statistics is there, and no
// column of one subject is silently taken for another.
func TestStatsColumns(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	common := "name environment user_id session_id version release"
	groups := map[string]string{
		"observations": common + " model provider type level trace_id",
		"traces":       common,
		"scores":       common + " model provider type level trace_id data_type source evaluator_name evaluator_version string_value value_bucket",
		"events":       common + " model provider type level trace_id event_type",
	}
	metrics := map[string]string{
		"observations": "count,error_rate,latency_p50,latency_p95,latency_p99,tokens,cost,score_avg:quality,score_count:quality",
		"traces":       "count,error_rate,latency_p50,latency_p95,latency_p99,tokens,cost,score_avg:quality,score_count:quality",
		"scores":       "count,score_avg:quality,score_count:quality",
		"events":       "count,error_rate,tokens,cost",
	}
	count := map[string]float64{"observations": 10, "traces": 10, "scores": 10, "events": 30}
	for of := range groups {
		for group := range strings.FieldsSeq(groups["scores"] + " event_type tags id") {
			rep := h.get("/v1/stats?of=" + of + "&group_by=" + group + "&interval=1d&metrics=" + metrics[of])
			if !slices.Contains(strings.Fields(groups[of]), group) {
				if rep.status != 400 || !strings.Contains(string(rep.body), `"parameter":"group_by"`) {
					t.Errorf("%s by %s: %d %s", of, group, rep.status, rep.body)
				}
				continue
			}
			if rep.status != 200 {
				t.Errorf("%s by %s: %d %s", of, group, rep.status, rep.body)
				continue
			}
			sum := 0.0
			for _, row := range decoded[wire.Page[map[string]any]](t, rep).Data {
				for key := range strings.SplitSeq(group+",time,"+metrics[of], ",") {
					if _, there := row[key]; !there {
						t.Errorf("%s by %s: no %s in %v", of, group, key, row)
					}
				}
				sum += row["count"].(float64)
			}
			if sum != count[of] {
				t.Errorf("%s by %s: the groups have %g, not %g", of, group, sum, count[of])
			}
		}
	}
	for _, query := range []string{"of=scores&metrics=tokens", "of=events&metrics=latency_p50", "of=events&metrics=score_avg:quality", "metrics=score_avg"} {
		if rep := h.get("/v1/stats?" + query); rep.status != 400 || !strings.Contains(string(rep.body), `"parameter":"metrics"`) {
			t.Errorf("%s: %d %s", query, rep.status, rep.body)
		}
	}
}

// A cursor that somebody changed is refused, not a fault of the server.
func TestChangedCursors(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	tenTraces(h)
	for _, path := range []string{"/v1/stats?limit=1&of=scores&group_by=name,value_bucket&interval=1m", "/v1/traces?limit=1", "/v1/traces?limit=1&sort=total_cost", "/v1/users?limit=1&sort=total_cost"} {
		rep := h.get(path)
		next := decoded[wire.Page[struct{}]](t, rep).NextCursor
		if next == nil {
			t.Fatalf("%s: %s", path, rep.body)
		}
		raw, err := base64.RawURLEncoding.DecodeString(*next)
		if err != nil {
			t.Fatal(err)
		}
		for _, change := range []struct{ old, by string }{
			{`"k":\[.*\]`, `"k":["=x","=quality","=0.5","=0.6"]`}, {`"k":\[.*\]`, `"k":["=1","=quality","=half","=0.6"]`}, {`"k":\[.*\]`, `"k":["x"]`},
			{`"k":\[.*\]`, `"k":["=99999999999999999999","=quality","=1e999","=NaN"]`}, {`"k":\[.*\]`, `"k":["1","quality","1","1"]`},
			{`"v":"[^"]*"`, `"v":"x"`}, {`"v":"[^"]*"`, `"v":"NaN"`}, {`"v":"[^"]*"`, `"v":"1e999"`}, {`"v":"[^"]*"`, `"v":"99999999999999999999"`},
			{`"i":"[^"]*"`, `"i":"\\u0000\\ud800"`}, {`"k":\[.*\]`, `"k":["=1","=\u0000","=1","=1"]`},
		} {
			changed := regexp.MustCompile(change.old).ReplaceAll(raw, []byte(change.by))
			rep := h.get(path + "&cursor=" + base64.RawURLEncoding.EncodeToString(changed))
			if rep.status >= 500 {
				t.Errorf("%s: %s: %d %s", path, changed, rep.status, rep.body)
			}
		}
	}
}
