package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/pricing"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat/otlphttp"
)

// tenancyRow says how TestScopesAndTenants asks a route.
type tenancyRow struct {
	id      string   // kind of the id in the path; "" for a path without
	body    string   // of the request
	media   string   // of the body; "" is JSON
	queries []string // that name the other project's things by id: FOREIGN is put in
	removes bool     // the project's own thing is gone afterwards
	makes   bool     // what has the id is there afterwards: another project's is in nobody's way
	status  int      // of a success; 0 is 200
	// operator: it is about all projects, and refused to the keys of this one.
	operator bool
}

// tenancyRows has a row for each route of the API: a route without one fails the test.
func tenancyRows() map[string]tenancyRow {
	one := string(batch(event("matrix", "event_create", `{}`)))
	filters := []string{"trace_id=FOREIGN-trace", "name=FOREIGN-name", "user_id=FOREIGN-user", "session_id=FOREIGN-session", "tag=FOREIGN-tag", "q=FOREIGN", "filter=FOREIGN", "filter=name:FOREIGN*", "filter=user:FOREIGN-user,x", "limit=1000"}
	rows := map[string]tenancyRow{
		"POST /v1/telemetry/batch": {body: one}, "POST /v1/ingest/batch": {body: one},
		"POST /api/v1/telemetry/bulk":                    {body: `{"telemetry":[{"a":1}],"timestamp":1}`},
		"POST /v1/scores":                                {body: `{"trace_id":"matrix","name":"n","value":1}`},
		"POST /v1/scores/batch":                          {body: `{"scores":[{"trace_id":"matrix","name":"n","value":1}]}`},
		"POST /api/public/ingestion":                     {body: `{"batch":[{"id":"lf","type":"trace-create","body":{"id":"matrix"}}]}`, status: 207},
		"POST /api/public/scores":                        {body: `[{"traceId":"matrix","name":"n","value":1}]`, status: 202},
		"POST /api/public/media":                         {body: `{"sha256Hash":"` + strings.Repeat("A", 43) + `="}`, status: 404},
		"GET /api/public/projects":                       {},
		"GET /api/public/traces/{id}":                    {id: "trace"},
		"GET /api/public/v2/observations":                {queries: []string{"traceId=FOREIGN-trace", "name=FOREIGN-name", "userId=FOREIGN-user", "sessionId=FOREIGN-session", "limit=1000"}},
		"GET /api/public/v3/scores":                      {queries: []string{"traceId=FOREIGN-trace", "observationId=FOREIGN-observation", "name=FOREIGN-score-name"}},
		"POST /mcp":                                      {body: `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`},
		"GET /v1/telemetry/jobs/{id}":                    {id: "job"},
		"GET /v1/telemetry/batch/{id}":                   {id: "batch"},
		"GET /v1/telemetry/events":                       {queries: []string{"trace_id=FOREIGN-trace", "limit=1000"}},
		"GET /v1/telemetry/events/{id}":                  {id: "event"},
		"GET /v1/telemetry/stream":                       {queries: []string{"last_event_id=0&trace_id=FOREIGN-trace"}},
		"GET /v1/media/{id}":                             {id: "medium"},
		"GET /v1/telemetry/audit":                        {},
		"POST /v1/auth/validate-key":                     {body: `{}`},
		"GET /v1/ingest/refused":                         {},
		"GET /v1/keys":                                   {},
		"POST /v1/keys":                                  {body: `{"name":"made","scopes":["read"]}`, status: 201},
		"DELETE /v1/keys/{id}":                           {id: "key", removes: true, status: 204},
		"GET /v1/projects":                               {},
		"GET /v1/prices":                                 {},
		"PUT /v1/prices":                                 {body: `[]`},
		"GET /v1/budgets":                                {},
		"PUT /v1/budgets":                                {body: `[]`},
		"GET /v1/alerts":                                 {},
		"GET /v1/alerts/{id}":                            {id: "saved"},
		"PUT /v1/alerts/{id}":                            {id: "saved", body: tenancyAlert, makes: true},
		"DELETE /v1/alerts/{id}":                         {id: "saved", removes: true, status: 204},
		"GET /v1/alerts/{id}/deliveries":                 {id: "saved"},
		"POST /v1/alerts/{id}/test":                      {id: "saved"},
		"GET /v1/prompts":                                {},
		"POST /v1/prompts":                               {body: `{"name":"matrix","template":{"content":"hello"}}`},
		"GET /v1/prompts/{id}":                           {id: "saved"},
		"GET /v1/prompts/{id}/versions":                  {id: "saved"},
		"PUT /v1/prompts/{id}/labels":                    {id: "saved", body: `{"label":"staging","version":1}`},
		"DELETE /v1/prompts/{id}/labels":                 {id: "saved", status: 400},
		"DELETE /v1/prompts/{id}":                        {id: "saved", removes: true, status: 204},
		"GET /api/public/v2/prompts/{id}":                {id: "saved"},
		"POST /api/public/v2/prompts":                    {body: `{"name":"matrix","prompt":"hello"}`},
		"GET /v1/judges":                                 {},
		"GET /v1/judges/{id}":                            {id: "saved"},
		"PUT /v1/judges/{id}":                            {id: "saved", body: tenancyJudge, makes: true},
		"DELETE /v1/judges/{id}":                         {id: "saved", removes: true, status: 204},
		"GET /v1/score-definitions":                      {},
		"PUT /v1/score-definitions/{id}":                 {id: "saved", body: `{"data_type":"BOOLEAN"}`, makes: true},
		"DELETE /v1/score-definitions/{id}":              {id: "saved", removes: true, status: 204},
		"GET /v1/charts":                                 {},
		"PUT /v1/charts/{id}":                            {id: "saved", body: `{"question":"metrics=cost","look":"line"}`, makes: true},
		"DELETE /v1/charts/{id}":                         {id: "saved", removes: true, status: 204},
		"GET /v1/views":                                  {},
		"PUT /v1/views/{id}":                             {id: "saved", body: `{"page":"traces"}`, makes: true},
		"DELETE /v1/views/{id}":                          {id: "saved", removes: true, status: 204},
		"GET /v1/datasets":                               {},
		"POST /v1/datasets":                              {body: `{"name":"matrix"}`, status: 409}, // the second time
		"GET /v1/datasets/{id}":                          {id: "saved"},
		"GET /v1/datasets/{id}/info":                     {id: "saved"},
		"PATCH /v1/datasets/{id}":                        {id: "saved", body: `{"description":"d"}`},
		"DELETE /v1/datasets/{id}":                       {id: "saved", removes: true, status: 204},
		"POST /v1/datasets/{id}/pin":                     {id: "saved", body: `{"version_id":"v1"}`},
		"GET /v1/datasets/{id}/versions":                 {id: "saved"},
		"POST /v1/datasets/{id}/versions":                {id: "saved", body: `{}`},
		"GET /v1/datasets/{id}/versions/{version}":       {id: "saved"},
		"GET /v1/datasets/{id}/versions/{version}/items": {id: "saved"},
		"GET /v1/datasets/{id}/items":                    {id: "saved"},
		"POST /v1/datasets/{id}/items":                   {id: "saved", body: `{"items":[{"input":"new"}]}`},
		"GET /v1/datasets/{id}/items/export":             {id: "saved"},
		"POST /v1/datasets/{id}/items/import":            {id: "saved", body: `{"input":"imported"}`, media: "application/x-ndjson"},
		"POST /v1/datasets/{id}/items/import-json":       {id: "saved", body: `{"items":[{"q":"x"}]}`},
		"POST /v1/datasets/{id}/items/import-csv":        {id: "saved", body: `{"content":"q\nx\n","column_mapping":{"input_column":"q"}}`},
		"POST /v1/datasets/{id}/items/from-traces":       {id: "saved", body: `{"trace_ids":["elsewhere"]}`},
		"POST /v1/datasets/{id}/items/from-spans":        {id: "saved", body: `{"span_ids":["elsewhere"]}`},
		"GET /v1/datasets/{id}/items/{item}":             {id: "saved"},
		"DELETE /v1/datasets/{id}/items/{item}":          {id: "saved", removes: true},
		"GET /v1/experiments":                            {},
		"POST /v1/experiments":                           {body: `{"name":"matrix"}`},
		"GET /v1/experiments/compare":                    {status: 400},
		"POST /v1/experiments/compare":                   {body: `{"experiment_ids":["a","b"]}`, status: 404},
		"GET /v1/experiments/{id}":                       {id: "saved"},
		"PATCH /v1/experiments/{id}":                     {id: "saved", body: `{"status":"completed"}`},
		"DELETE /v1/experiments/{id}":                    {id: "saved", removes: true, status: 204},
		"POST /v1/experiments/{id}/rerun":                {id: "saved", body: `{}`},
		"GET /v1/experiments/{id}/rows":                  {id: "saved"},
		"POST /v1/experiments/{id}/items":                {id: "saved", body: `{"items":[{"dataset_item_id":"item","input":1,"output":2,"scores":[{"name":"s","value":1}]}]}`},
		"GET /v1/prices/reprice":                         {},
		"POST /v1/prices/reprice":                        {},
		"GET /v1/backup":                                 {operator: true, status: 403},
		"POST /v1/warehouse/copy":                        {operator: true, status: 403, body: `{"url":"clickhouse://127.0.0.1/d"}`},
		"GET /v1/traces":                                 {queries: filters[1:]},
		"GET /v1/traces/{id}":                            {id: "trace"},
		"GET /v1/traces/{id}/history":                    {id: "trace"},
		"DELETE /v1/traces/{id}":                         {id: "trace", removes: true},
		"DELETE /v1/traces":                              {id: "trace", removes: true},
		"DELETE /v1/users":                               {id: "user", removes: true},
		"DELETE /v1/users/{id}":                          {id: "user", removes: true},
		"GET /v1/observations":                           {queries: filters},
		"GET /v1/observations/{id}":                      {id: "observation"},
		"GET /v1/observations/{id}/span":                 {id: "observation", status: 404}, // those here came as no spans; see TestSpanOfSeveralExports
		"GET /v1/observations/{id}/explain":              {id: "observation"},
		"GET /v1/observations/{id}/cost":                 {id: "observation"},
		"GET /v1/observations/{id}/history":              {id: "observation"},
		"GET /v1/scores":                                 {queries: []string{"trace_id=FOREIGN-trace", "observation_id=FOREIGN-observation", "name=FOREIGN-score-name"}},
		"GET /v1/scores/{id}/history":                    {id: "score"},
		"GET /v1/sessions":                               {queries: []string{"session_id=FOREIGN-session", "user_id=FOREIGN-user"}},
		"GET /v1/sessions/{id}":                          {id: "session"},
		"GET /v1/users":                                  {queries: []string{"user_id=FOREIGN-user"}},
		"GET /v1/environments":                           {queries: []string{"limit=1000"}},
		"POST /v1/sql":                                   {body: `{"query":"select * from traces full join observations using (id) full join scores using (id)"}`},
		"GET /v1/stats":                                  {queries: []string{"of=events", "of=traces&user_id=FOREIGN-user", "of=scores&group_by=name", "of=observations&trace_id=FOREIGN-trace", "of=events&group_by=name,environment"}},
	}
	for _, path := range (otlphttp.Format{}).Paths() {
		rows["POST "+path] = tenancyRow{body: `{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"matrix"}]}]}]}`}
	}
	return rows
}

// tenancyJudge is a judge.
const tenancyJudge = `{"score":{"name":"s","data_type":"BOOLEAN"},"kind":"webhook","url":"https://judge.invalid/"}`

// tenancyAlert is an alert.
const tenancyAlert = `{"question":"metrics=cost","window":"5m","comparison":"above","alert":1}`

// tenant fills a project with one of everything and returns the ids by kind.
func (h *house) tenant(project string) (ids map[string]string, key string) {
	h.tb.Helper()
	key = h.newKey(project, "ingest", "read", "admin")
	as := []string{"X-API-Key", "", "X-API-Key", key, "X-Environment", project + "-env"}
	p := project + "-"
	events := []string{
		event(p+"event", "trace_create", fmt.Sprintf(`{"id":"%strace","name":"%sname","user_id":"%suser","session_id":"%ssession","tags":["%stag"],"input":"words of %s"}`, p, p, p, p, p, project)),
		event(p+"e2", "observation_create", fmt.Sprintf(`{"id":"%sobservation","trace_id":"%strace","name":"%sname","input":"words of %s"}`, p, p, p, project)),
		event(p+"e3", "quality_score_create", fmt.Sprintf(`{"id":"%sscore","trace_id":"%strace","observation_id":"%sobservation","name":"%sscore-name","value":0.5}`, p, p, p, p)),
		event(p+"e4", "nonsense", `{}`),
	}
	res := decoded[wire.BatchResponse](h.tb, h.send("POST", "/v1/telemetry/batch", batch(events...), as...))
	medium := photo(uint64(project[0]), 20_000)
	h.send("POST", "/v1/telemetry/batch", batch(withPhoto(p+"e6", p+"trace", medium)), as...)
	async := h.send("POST", "/v1/telemetry/batch", []byte(`{"async_mode":true,"events":[`+event(p+"e5", "event_create", `{}`)+`]}`), as...)
	job := decoded[wire.BatchResponse](h.tb, async)
	if res.ProcessedEvents != 3 || res.FailedEvents != 1 || async.status != 202 {
		h.tb.Fatalf("%+v, %d %s", res, async.status, async.body)
	}
	_, made, err := h.keys.Create(project, p+"key-name", []string{"read"})
	if err != nil {
		h.tb.Fatal(err)
	}
	h.until("the job has ended", func() bool {
		return strings.Contains(string(h.get("/v1/telemetry/jobs/"+job.JobID, as...).body), `"completed"`)
	})
	for path, body := range map[string]string{"/v1/score-definitions/": `{"data_type":"BOOLEAN"}`, "/v1/views/": `{"page":"traces"}`, "/v1/charts/": `{"question":"metrics=cost","look":"line"}`, "/v1/alerts/": tenancyAlert, "/v1/judges/": tenancyJudge} {
		if rep := h.send("PUT", path+p+"saved", []byte(body), as...); rep.status != 200 {
			h.tb.Fatalf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	if rep := h.send("POST", "/v1/prompts", []byte(`{"name":"`+p+`saved","template":{"content":"words of `+project+`"},"labels":["production"]}`), as...); rep.status != 200 {
		h.tb.Fatalf("prompts: %d %s", rep.status, rep.body)
	}
	for path, body := range map[string]string{"/v1/datasets": `{"name":"` + p + `saved"}`, "/v1/experiments": `{"name":"` + p + `saved"}`} {
		if rep := h.send("POST", path, []byte(body), as...); rep.status != 200 {
			h.tb.Fatalf("%s: %d %s", path, rep.status, rep.body)
		}
	}
	if rep := h.send("POST", "/v1/datasets/"+p+"saved/items", []byte(`{"items":[{"id":"item","input":"of `+project+`"}]}`), as...); rep.status != 200 {
		h.tb.Fatalf("items: %d %s", rep.status, rep.body)
	}
	ids = map[string]string{"job": job.JobID, "batch": res.BatchID, "key": made.ID, "saved": p + "saved", "medium": hashOf(medium)}
	for _, kind := range []string{"event", "trace", "observation", "score", "session", "user"} {
		ids[kind] = p + kind
	}
	return ids, key
}

// Each route asks for its scope and for no other, and knows nothing of another project's
// things: its answer to their ids is the one to ids that are nowhere (properties 13 and 27).
func TestScopesAndTenants(t *testing.T) {
	t.Parallel()
	h := open(t, setup{cost: pricing.PreferReported, options: func(o *Options) { o.AuthFailures = 1000 }})
	ids, key := h.tenant("shop")
	foreign, _ := h.tenant("rival")
	absent := map[string]string{
		"job": "job_01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "batch": "01K0ZV6B3T8M5Q2Y7R4N1W9XCD", "key": "key_0123456789abcdef",
		"event": "absent-event", "trace": "absent-trace", "observation": "absent-observation", "score": "absent-score", "saved": "absent-saved", "medium": strings.Repeat("0", 64), "session": "absent-session", "user": "absent-user",
	}
	h.settle()
	revoked, revokedKey, err := h.keys.Create("shop", "revoked", []string{"ingest", "read", "admin"})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.keys.Revoke(revokedKey.ID); err != nil {
		t.Fatal(err)
	}
	scoped := map[keyring.Scope]string{}
	for _, scope := range []keyring.Scope{keyring.ScopeIngest, keyring.ScopeRead, keyring.ScopeAdmin} {
		scoped[scope] = h.newKey("shop", scope)
	}
	rows := tenancyRows()
	routes := append(apiRoutes(), pageRoutes()...)
	slices.SortStableFunc(routes, func(a, b route) int { // what removes comes last
		rank := func(rt route) int {
			if rows[rt.method+" "+rt.path].removes {
				return 1
			}
			return 0
		}
		return rank(a) - rank(b)
	})
	seen := 0
	for _, rt := range routes {
		name := rt.method + " " + rt.path
		row, ok := rows[name]
		if !ok && rt.scope == "" {
			continue // the page and its sign-in, which have tests of their own
		}
		if name == "POST /v1/session/link" {
			row, ok = tenancyRow{status: 201}, true
		} else {
			seen++
		}
		if !ok {
			t.Errorf("%s has no row in tenancyRows: say how it is asked, and for what ids", name)
			continue
		}
		ask := func(ids map[string]string, query, key string) reply {
			method := rt.method
			if rt.path == "/v1/telemetry/stream" && key != "" && query == "" {
				method = http.MethodHead // which does not wait for events
			}
			var body []byte
			if row.body != "" {
				body = []byte(row.body)
			}
			if row.id != "" && !strings.Contains(rt.path, "{id}") {
				query = "?id=" + url.QueryEscape(ids[row.id]) // an id that a path would lose
			}
			path := strings.NewReplacer("{id}", ids[row.id], "{version}", "v1", "{item}", "item").Replace(rt.path)
			as := []string{"X-API-Key", "", "X-API-Key", key}
			if row.media != "" {
				as = append(as, "Content-Type", "", "Content-Type", row.media)
			}
			return h.send(method, path+query, body, as...)
		}
		for what, key := range map[string]string{"no": "", "an unknown": "bk_" + strings.Repeat("u", 43), "a revoked": revoked} {
			if rep := ask(ids, "", key); rep.status != 401 || len(rep.body) > 0 && rep.code(t) != "unauthorized" {
				t.Errorf("%s with %s key: %d %s", name, what, rep.status, rep.body)
			}
		}
		for scope, key := range scoped {
			rep := ask(absent, "", key)
			if denied := rep.status == 403; denied != (scope != rt.scope && rt.scope != anyScope || row.operator) || rep.status == 401 || rep.status >= 500 {
				t.Errorf("%s with the scope %s: %d %s", name, scope, rep.status, rep.body)
			}
		}
		if row.id != "" && !row.makes {
			theirs, nobodys := ask(foreign, "", key), ask(absent, "", key)
			if theirs.status != nobodys.status || theirs.status != 404 || alike(theirs, foreign[row.id]) != alike(nobodys, absent[row.id]) {
				t.Errorf("%s: another project's is told from none:\n%d %s\n%d %s", name, theirs.status, theirs.body, nobodys.status, nobodys.body)
			}
		}
		for _, query := range row.queries {
			if rt.path == "/v1/telemetry/stream" {
				s := h.stream("?"+strings.ReplaceAll(query, "FOREIGN", "rival"), "X-API-Key", key)
				if hello, err := s.next(); err != nil || hello.data != "" {
					t.Errorf("%s: %+v %v", query, hello, err)
				}
				s.close()
				continue
			}
			theirs := ask(nil, "?"+strings.ReplaceAll(query, "FOREIGN", "rival"), key)
			nobodys := ask(nil, "?"+strings.ReplaceAll(query, "FOREIGN", "absent"), key)
			if theirs.status != 200 || string(theirs.body) != string(nobodys.body) || strings.Contains(string(theirs.body), "rival") {
				t.Errorf("%s?%s: another project's is told from none:\n%d %s\n%d %s", name, query, theirs.status, theirs.body, nobodys.status, nobodys.body)
			}
		}
		own := ask(ids, "", key)
		// With the only trace of the project, by DELETE /v1/traces.
		gone := slices.Contains([]string{"DELETE /v1/traces/{id}", "DELETE /v1/users/{id}", "DELETE /v1/users"}, name) && own.status == 404
		if want := max(row.status, 200); own.status != want && !gone {
			t.Errorf("%s of the own project: %d %s, want %d", name, own.status, own.body, want)
		}
		if strings.Contains(string(own.body), "rival") {
			t.Errorf("%s shows another project: %s", name, own.body)
		}
	}
	if seen != len(rows) {
		t.Errorf("%d routes have a row, there are %d rows: one is of no route", seen, len(rows))
	}
	if rep := h.get("/v1/traces/rival-trace", "X-API-Key", "", "X-API-Key", h.newKey("rival", "read")); rep.status != 200 {
		t.Errorf("the other project's trace is gone: %d %s", rep.status, rep.body)
	}
}

// alike is an answer without the id that was asked for.
func alike(r reply, id string) string {
	h := r.header.Clone()
	h.Del("Date")
	return fmt.Sprint(h, strings.ReplaceAll(string(r.body), id, "ID"))
}

// The ids of one project's events are not in the way of another's (property 13),
// not even for who asks to be told of duplicates.
func TestIDsOfOtherProjectsAreFree(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("same", "trace_create", `{"id":"t","name":"n"}`))
	body := []byte(`{"deduplication":{"fail_on_duplicate":true},"events":[` + event("same", "trace_create", `{"id":"t","name":"other"}`) + `]}`)
	as := []string{"X-API-Key", "", "X-API-Key", h.newKey("two", "ingest", "read")}
	rep := h.send("POST", "/v1/telemetry/batch", body, as...)
	if res := checked(t, rep); rep.status != 200 || res.ProcessedEvents != 1 {
		t.Fatalf("%d %s", rep.status, rep.body)
	}
	h.settle()
	mine, theirs := h.get("/v1/traces/t"), h.get("/v1/traces/t", as...)
	if !strings.Contains(string(mine.body), `"name":"n"`) || !strings.Contains(string(theirs.body), `"name":"other"`) {
		t.Errorf("%s\n%s", mine.body, theirs.body)
	}
}

// mcpCalls says how TestMCPTenants asks each tool; FOREIGN is put in. A tool without a row fails the test.
func mcpCalls() map[string][]map[string]any {
	return map[string][]map[string]any{
		"find_traces":       {{"filter": "name:FOREIGN-name"}, {"filter": "FOREIGN"}, {"filter": "id:FOREIGN-trace"}, {"limit": 100}},
		"find_observations": {{"filter": "trace_id:FOREIGN-trace"}, {"filter": "FOREIGN"}, {"limit": 100}},
		"find_scores":       {{"filter": "trace_id:FOREIGN-trace"}, {"filter": "observation_id:FOREIGN-observation"}, {"limit": 100}},
		"find_sessions":     {{"filter": "session:FOREIGN-session"}, {"limit": 100}},
		"find_users":        {{"filter": "user:FOREIGN-user"}, {"limit": 100}},
		"get_session":       {{"session_id": "FOREIGN-session"}},
		"get_trace":         {{"trace_id": "FOREIGN-trace"}},
		"get_observation":   {{"observation_id": "FOREIGN-observation"}, {"observation_id": "FOREIGN-observation", "trace_id": "FOREIGN-trace"}},
		"explain_cost":      {{"observation_id": "FOREIGN-observation"}},
		"explain_field":     {{"observation_id": "FOREIGN-observation"}},
		"stats":             {{"of": "traces", "group_by": []string{"name", "user_id"}}, {"filter": "trace_id:FOREIGN-trace"}, {"of": "scores", "group_by": []string{"name"}}, {"of": "events", "group_by": []string{"environment"}}},
		"add_score":         {{"trace_id": "FOREIGN-trace", "name": "from-elsewhere", "value": 1}},
		"add_comment":       {{"trace_id": "FOREIGN-trace", "comment": "from elsewhere"}},
		"run_sql":           {{"query": "SELECT id, name FROM traces"}, {"query": "SELECT * FROM observations WHERE trace_id = 'FOREIGN-trace'"}, {"query": "SELECT * FROM scores"}},
		"list_prompts":      {{}}, "get_prompt": {{"name": "FOREIGN-saved"}}, "add_prompt_version": {{"name": "FOREIGN-saved", "content": "from elsewhere"}},
		"list_datasets": {{}}, "list_dataset_items": {{"dataset_id": "FOREIGN-saved"}}, "add_dataset_item": {{"dataset_id": "FOREIGN-saved", "input": "from elsewhere"}},
		"list_experiments": {{}}, "get_experiment": {{"experiment_id": "FOREIGN-saved"}}, "compare_experiments": {{"a": "FOREIGN-saved", "b": "FOREIGN-saved"}}, "list_experiment_rows": {{"experiment_id": "FOREIGN-saved"}},
	}
}

// Tools know nothing of another project's things: what they answer to their ids is what they answer to ids that are nowhere. What they write is of the own project.
func TestMCPTenants(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	_, key := h.tenant("shop")
	_, theirs := h.tenant("rival")
	h.settle()
	before := h.get("/v1/traces/rival-trace", "X-API-Key", "", "X-API-Key", theirs).body
	calls := mcpCalls()
	for _, tool := range h.srv.catalog.Tools() {
		if len(calls[tool]) == 0 {
			t.Errorf("%s has no row in mcpCalls: say how it is asked", tool)
		}
		for _, args := range calls[tool] {
			asked := func(of string) string {
				text, err := json.Marshal(args)
				if err != nil {
					t.Fatal(err)
				}
				mine := map[string]any{}
				if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "FOREIGN", of)), &mine); err != nil {
					t.Fatal(err)
				}
				answer, _ := h.tool(key, tool, mine)
				return mcpTag.ReplaceAllString(strings.ReplaceAll(answer, of, "ID"), "TAG")
			}
			theirs, nobodys := asked("rival"), asked("absent")
			if strings.HasPrefix(tool, "add_") {
				continue // it is stored, in the own project
			}
			if theirs != nobodys || strings.Contains(theirs, "rival") {
				t.Errorf("%s %v: another project's is told from none:\n%s\n%s", tool, args, theirs, nobodys)
			}
			if strings.Contains(fmt.Sprint(args), "FOREIGN") {
				if own := asked("shop"); own == nobodys {
					t.Errorf("%s %v: the own project's is not told from none: %s", tool, args, own)
				}
			}
		}
	}
	h.settle()
	if after := h.get("/v1/traces/rival-trace", "X-API-Key", "", "X-API-Key", theirs).body; string(after) != string(before) {
		t.Errorf("the other project's trace is another:\n%s\n%s", before, after)
	}
}

// mcpTag is the name of a block, which is another each time.
var mcpTag = regexp.MustCompile(`recorded-[a-z2-7]{10}`)
