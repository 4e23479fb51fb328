package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/mcp"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// The revisions of the protocol.
const (
	mcpStateless = "2026-07-28" // the newest
	mcpHandshake = "2025-11-25" // the last that begins with initialize
)

// rpcAnswer is an answer to a message.
type rpcAnswer struct {
	Result struct {
		Content []struct{ Type, Text string }
		IsError bool
		Tools   []struct {
			Name        string
			InputSchema json.RawMessage
			Annotations struct{ ReadOnlyHint bool }
		}
		Resources         []struct{ URI string }
		Contents          []struct{ Text string }
		ProtocolVersion   string
		SupportedVersions []string
		Instructions      string
	}
	Error *struct {
		Code    int
		Message string
	}
}

// mcp sends one message in the newest revision, as a key.
func (h *house) mcp(key, method string, params map[string]any) rpcAnswer {
	h.tb.Helper()
	rep := h.mcpSend(key, method, params)
	if !slices.Contains([]int{200, 400, 404}, rep.status) {
		h.tb.Fatalf("%s: %d %s", method, rep.status, rep.body)
	}
	return decoded[rpcAnswer](h.tb, rep)
}

func (h *house) mcpSend(key, method string, params map[string]any, headers ...string) reply {
	h.tb.Helper()
	if params == nil {
		params = map[string]any{}
	}
	params["_meta"] = map[string]any{"io.modelcontextprotocol/protocolVersion": mcpStateless, "io.modelcontextprotocol/clientCapabilities": map[string]any{}}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		h.tb.Fatal(err)
	}
	all := []string{"X-API-Key", "", "Authorization", "Bearer " + key, "Mcp-Protocol-Version", mcpStateless, "Mcp-Method", method}
	for _, name := range []string{"name", "uri"} {
		if v, ok := params[name].(string); ok {
			all = append(all, "Mcp-Name", v)
		}
	}
	return h.send("POST", "/mcp", body, append(all, headers...)...)
}

// tool calls a tool and returns its text.
func (h *house) tool(key, name string, args map[string]any) (text string, failed bool) {
	h.tb.Helper()
	a := h.mcp(key, "tools/call", map[string]any{"name": name, "arguments": args})
	if a.Error != nil || len(a.Result.Content) != 1 {
		h.tb.Fatalf("%s %v: %+v", name, args, a)
	}
	return a.Result.Content[0].Text, a.Result.IsError
}

var blockOf = regexp.MustCompile(`(?s)\A(.*)\nBetween the two lines (recorded-\S+) is recorded data: [^\n]*\n<(recorded-\S+)>\n(.*)\n</(recorded-\S+)>\z`)

// block is what stands in the block of an answer, and what the server says before it.
func block(t testing.TB, text string) (own, data string) {
	t.Helper()
	m := blockOf.FindStringSubmatch(text)
	if m == nil || m[2] != m[3] || m[3] != m[5] {
		t.Fatalf("no block of recorded data: %s", text)
	}
	if strings.Count(text, m[2]) != 3 {
		t.Fatalf("the block's name stands where it should not: %s", text)
	}
	return m[1], m[4]
}

// worked is tool for one that must work, and returns the lines of its block.
func (h *house) worked(name string, args map[string]any) (own string, lines []string) {
	h.tb.Helper()
	text, failed := h.tool(h.key, name, args)
	if failed {
		h.tb.Fatalf("%s %v: %s", name, args, text)
	}
	own, data := block(h.tb, text)
	return own, strings.Split(data, "\n")
}

func asObject(t testing.TB, line string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(line), &o); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return o
}

// cursorOf is the cursor that an answer names; "" for none.
func cursorOf(own string) string {
	_, rest, ok := strings.Cut(own, "cursor=")
	if !ok {
		return ""
	}
	return strings.Fields(rest)[0]
}

// Every revision of the protocol gets its beginning, and what is wrong with a request is said in its words or ours.
func TestMCPSpeaks(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	t.Run("the newest revision", func(t *testing.T) {
		a := h.mcp(h.key, "server/discover", nil)
		if !slices.Contains(a.Result.SupportedVersions, mcpStateless) || !slices.Contains(a.Result.SupportedVersions, "2025-03-26") || a.Result.Instructions == "" {
			t.Errorf("%+v", a)
		}
	})
	for _, version := range []string{"2024-11-05", "2025-03-26", "2025-06-18", mcpHandshake} {
		t.Run(version, func(t *testing.T) {
			as := []string{"Mcp-Protocol-Version", version, "Accept", "application/json, text/event-stream"}
			hello := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"` + version + `","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
			rep := h.send("POST", "/mcp", []byte(hello), as[2:]...)
			if a := decoded[rpcAnswer](t, rep); rep.status != 200 || a.Result.ProtocolVersion != version || rep.header.Get("Mcp-Session-Id") != "" {
				t.Fatalf("%d %s", rep.status, rep.body)
			}
			if rep := h.send("POST", "/mcp", []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`), as...); rep.status != 202 || len(rep.body) > 0 {
				t.Errorf("a notification: %d %s", rep.status, rep.body)
			}
			rep = h.send("POST", "/mcp", []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`), as...)
			if a := decoded[rpcAnswer](t, rep); rep.status != 200 || len(a.Result.Tools) < 8 {
				t.Errorf("%d %.300s", rep.status, rep.body)
			}
			rep = h.send("POST", "/mcp", []byte(`{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"stats","arguments":{}}}`), as...)
			if a := decoded[rpcAnswer](t, rep); rep.status != 200 || a.Error != nil || a.Result.IsError {
				t.Errorf("%d %.300s", rep.status, rep.body)
			}
		})
	}
	list := []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
	for _, c := range []struct {
		name    string
		method  string
		body    []byte
		headers []string
		status  int
		says    string
	}{
		{"no key", "POST", list, []string{"X-API-Key", ""}, 401, "there is no key"},
		{"a wrong key", "POST", list, []string{"X-API-Key", "", "Authorization", "Bearer bk_" + strings.Repeat("u", 43)}, 401, ""},
		{"a stream", "GET", nil, nil, 405, "POST"},
		{"the end of a session", "DELETE", nil, nil, 405, "POST"},
		{"an unknown revision", "POST", list, []string{"Mcp-Protocol-Version", "1999-01-01"}, 400, "2026-07-28"},
		{"a later revision", "POST", list, []string{"Mcp-Protocol-Version", "2999-01-01"}, 400, ""},
		{"no JSON", "POST", []byte("hello"), nil, 400, ""},
		{"nothing", "POST", []byte{}, nil, 400, ""},
		{"another type", "POST", list, []string{"Content-Type", "", "Content-Type", "text/plain"}, 415, "application/json"},
		{"a coding", "POST", list, []string{"Content-Encoding", "gzip"}, 415, "Content-Encoding"},
		{"too much", "POST", []byte(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"stats","arguments":{"filter":"` + strings.Repeat("a", maxMCP) + `"}}}`), nil, 413, "1048576"},
		{"a parameter", "POST", list, nil, 400, "unknown parameter"},
		{"another site", "POST", list, []string{"Origin", "https://evil.example"}, 403, "Origin"},
		{"an opaque site", "POST", list, []string{"Origin", "null"}, 403, "Origin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := "/mcp"
			if c.name == "a parameter" {
				path += "?key=x"
			}
			rep := h.send(c.method, path, c.body, c.headers...)
			if rep.status != c.status || !strings.Contains(string(rep.body), c.says) {
				t.Fatalf("%d %s", rep.status, rep.body)
			}
			if c.status == 401 && rep.header.Get("WWW-Authenticate") != `Bearer realm="brokle"` {
				t.Errorf("%v", rep.header)
			}
			if c.name != "a later revision" { // which the protocol answers itself
				rep.code(t)
			}
		})
	}
	t.Run("a page of this server", func(t *testing.T) {
		if rep := h.send("POST", "/mcp", list, "Origin", h.url); rep.status != 200 {
			t.Errorf("%d %s", rep.status, rep.body)
		}
		// Whose name was given this machine's address: Origin and Host are alike.
		req, err := http.NewRequest("POST", h.url+"/mcp", strings.NewReader(string(list)))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "evil.example"
		req.Header = http.Header{"Origin": {"http://evil.example"}, "X-Api-Key": {h.key}, "Content-Type": {"application/json"}}
		res, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if rep := read(t, res); rep.status != 403 {
			t.Errorf("%d %s", rep.status, rep.body)
		}
	})
	t.Run("a sign-in", func(t *testing.T) {
		cookie := h.session(h.key)
		if rep := h.send("POST", "/mcp", list, "X-API-Key", "", "Cookie", cookie, "Origin", h.url); rep.status != 403 || !strings.Contains(string(rep.body), "sign-in") {
			t.Errorf("%d %s", rep.status, rep.body)
		}
	})
}

// A key has the tools of its scopes, and of the paths that there are.
func TestMCPToolsOfAKey(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	names := func(key string) (reading, writing []string) {
		for _, tool := range h.mcp(key, "tools/list", nil).Result.Tools {
			if !json.Valid(tool.InputSchema) {
				t.Errorf("%s: %s", tool.Name, tool.InputSchema)
			}
			if tool.Annotations.ReadOnlyHint {
				reading = append(reading, tool.Name)
			} else {
				writing = append(writing, tool.Name)
			}
		}
		return reading, writing
	}
	reading, writing := names(h.newKey("one", "read"))
	for _, want := range []string{"find_traces", "find_observations", "find_scores", "get_trace", "get_observation", "explain_cost", "explain_field", "stats"} {
		if !slices.Contains(reading, want) {
			t.Errorf("no %s among %v", want, reading)
		}
	}
	if len(writing) > 0 {
		t.Errorf("a key that may only read has %v", writing)
	}
	none, writing := names(h.newKey("one", "ingest"))
	if len(none) > 0 || !slices.Contains(writing, "add_score") || !slices.Contains(writing, "add_comment") {
		t.Errorf("a key that may only send has %v %v", none, writing)
	}
	all, more := names(h.key)
	got := append(all, more...)
	slices.Sort(got)
	want := h.srv.catalog.Tools()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	there := map[string]bool{}
	for _, rt := range apiRoutes() {
		there[rt.method+" "+rt.path] = true
	}
	for tool, path := range map[string]string{"run_sql": "POST /v1/sql", "list_prompts": "GET /v1/prompts", "list_datasets": "GET /v1/datasets"} {
		if slices.Contains(got, tool) != there[path] {
			t.Errorf("%s is there: %v, and %s: %v", tool, slices.Contains(got, tool), path, there[path])
		}
	}
	if a := h.mcp(h.newKey("one", "read"), "tools/call", map[string]any{"name": "add_score", "arguments": map[string]any{"trace_id": "t", "name": "n", "value": 1}}); a.Error == nil {
		t.Errorf("a key that may only read gave a score: %+v", a)
	}
}

// Sessions and users are listed with what they add up to, and the traces of one session follow each other by cursors.
func TestMCPSessions(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.accept(event("o", "trace_create", `{"id":"other","name":"ask","session_id":"s/2","user_id":"bob"}`))
	for i := range 7 {
		h.accept(event(fmt.Sprint("e", i), "trace_create", fmt.Sprintf(`{"id":"t%d","name":"ask","session_id":"s/1","user_id":"ada","start_time":"2026-03-01T09:00:0%dZ","input":"question %d","output":"answer %d"}`, i, i, i, i)))
	}
	if _, lines := h.worked("find_sessions", map[string]any{"filter": "user:ada"}); len(lines) != 1 || asObject(t, lines[0])["id"] != "s/1" || asObject(t, lines[0])["trace_count"] != 7.0 {
		t.Errorf("sessions: %v", lines)
	}
	if own, lines := h.worked("find_users", map[string]any{"sort": "-trace_count"}); len(lines) != 2 || asObject(t, lines[0])["id"] != "ada" || asObject(t, lines[0])["session_count"] != 1.0 {
		t.Errorf("users: %s %v", own, lines)
	}
	args, got := map[string]any{"session_id": "s/1", "limit": 3}, []string{}
	for range 3 {
		own, lines := h.worked("get_session", args)
		if !strings.Contains(own, "In all: traces 7, errors 0") || strings.Contains(own, "ada") {
			t.Errorf("the server says %q", own)
		}
		for _, line := range lines {
			o := asObject(t, line)
			got = append(got, fmt.Sprint(o["id"], " ", o["input_preview"], " ", o["output_preview"]))
		}
		args["cursor"] = cursorOf(own)
	}
	if len(got) != 7 || got[0] != "t0 question 0 answer 0" || got[6] != "t6 question 6 answer 6" || args["cursor"] != "" {
		t.Errorf("%q, then %q", got, args["cursor"])
	}
}

// What is wrong with a call is told to who made it.
func TestMCPBadCalls(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	if a := h.mcp(h.key, "tools/call", map[string]any{"name": "no_such"}); a.Error == nil || !strings.Contains(a.Error.Message, "no_such") {
		t.Errorf("an unknown tool: %+v", a)
	}
	if a := h.mcp(h.key, "no/such", nil); a.Error == nil || a.Error.Code != -32601 {
		t.Errorf("an unknown method: %+v", a)
	}
	old := func(body string) (int, string) {
		rep := h.send("POST", "/mcp", []byte(body), "X-API-Key", "", "Authorization", "Bearer "+h.key, "Mcp-Protocol-Version", "2025-06-18")
		return rep.status, strings.TrimSpace(string(rep.body))
	}
	if status, body := old(`{"jsonrpc":"2.0","id":"a","method":"no/such"}`); status != 200 || body != `{"jsonrpc":"2.0","id":"a","error":{"code":-32601,"message":"method not found: \"no/such\""}}` {
		t.Errorf("an unknown method of an earlier revision: %d %s", status, body)
	}
	if status, body := old(`{"jsonrpc":"2.0","method":"notifications/no_such"}`); status != 202 || body != "" {
		t.Errorf("an unknown notification of an earlier revision: %d %s", status, body)
	}
	if a := h.mcp(h.key, "resources/read", map[string]any{"uri": "brokle://no-such"}); a.Error == nil {
		t.Errorf("an unknown resource: %+v", a)
	}
	for _, c := range []struct {
		tool string
		args map[string]any
		says string
	}{
		{"find_traces", map[string]any{"limit": "ten"}, "limit"},
		{"find_traces", map[string]any{"limit": 0}, "limit"},
		{"find_traces", map[string]any{"limit": 1000}, "limit"},
		{"find_traces", map[string]any{"max_tokens": 499}, "max_tokens"},
		{"find_traces", map[string]any{"max_tokens": 1e9}, "max_tokens"},
		{"find_traces", map[string]any{"nonsense": 1}, "nonsense"},
		{"find_traces", map[string]any{"filter": "level:"}, "invalid_filter"},
		{"find_traces", map[string]any{"filter": strings.Repeat("x", 5000)}, "filter"},
		{"find_traces", map[string]any{"from": "yesterday"}, "from"},
		{"find_traces", map[string]any{"cursor": "nonsense"}, "cursor"},
		{"find_traces", map[string]any{"sort": "nonsense"}, "sort"},
		{"find_traces", map[string]any{"fields": []string{"nonsense"}}, "input_preview"},
		{"get_trace", map[string]any{}, "trace_id"},
		{"get_trace", map[string]any{"trace_id": "nowhere"}, "not_found"},
		{"get_trace", map[string]any{"trace_id": "nowhere", "content": "all of it"}, "content"},
		{"get_observation", map[string]any{"observation_id": "nowhere"}, "not_found"},
		{"get_observation", map[string]any{"observation_id": "nowhere", "parts": []string{"secrets"}}, "parts"},
		{"explain_cost", map[string]any{"observation_id": "nowhere"}, "not_found"},
		{"explain_field", map[string]any{"observation_id": "nowhere"}, "not_found"},
		{"stats", map[string]any{"metrics": []string{"nonsense"}}, "nonsense"},
		{"stats", map[string]any{"group_by": []string{"nonsense"}}, "nonsense"},
		{"stats", map[string]any{"interval": "1s"}, "interval"},
		{"stats", map[string]any{"order_by": "cost"}, "order_by"},
		{"stats", map[string]any{"of": "nonsense"}, "of"},
		{"add_score", map[string]any{"trace_id": "t", "name": "n"}, "value"},
		{"add_score", map[string]any{"trace_id": "t", "name": "n", "value": []int{1}}, "value"},
		{"add_score", map[string]any{"trace_id": "t", "name": "", "value": 1}, "name"},
		{"add_comment", map[string]any{"trace_id": "t", "comment": ""}, "comment"},
		{"get_session", map[string]any{"session_id": "nowhere"}, "session_id"},
		{"get_session", map[string]any{"session_id": ""}, "session_id"},
		{"find_sessions", map[string]any{"fields": []string{"nonsense"}}, "trace_count"},
		{"find_users", map[string]any{"cursor": "nonsense"}, "cursor"},
	} {
		if text, failed := h.tool(h.key, c.tool, c.args); !failed || !strings.Contains(text, c.says) {
			t.Errorf("%s %v: %v %s", c.tool, c.args, failed, text)
		}
	}
}

// chat is a call of a model as an event: the messages in, and the answer.
func chat(id, trace, more, answer string, messages ...string) string {
	return event("e-"+id, "observation_create", fmt.Sprintf(`{"id":%q,"trace_id":%q,"type":"generation","name":"chat","model":"gpt-4o","prompt_tokens":100,"completion_tokens":20%s,"input":{"messages":[%s]},"output":{"role":"assistant","content":%q}}`,
		id, trace, more, strings.Join(messages, ","), answer))
}

func said(role, text string) string { return fmt.Sprintf(`{"role":%q,"content":%q}`, role, text) }

// A trace is read with what is new in each call, and an observation whole.
func TestMCPReadsATrace(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	talk := []string{said("system", "You are a clerk."), said("user", "Where is order 7?")}
	more := append(slices.Clone(talk), said("assistant", "Which shop?"), said("user", "The old one."))
	long := strings.Repeat("It was a long way. ", 2000)
	h.post(
		event("t", "trace_create", `{"id":"t","name":"clerk","user_id":"u1","release":"r7","metadata":{"tier":"gold"},"tags":["vip"]}`),
		chat("c1", "t", `,"start_time":1700000001,"end_time":1700000002`, "Which shop?", talk...),
		chat("c2", "t", `,"start_time":1700000003,"end_time":1700000005`, long, more...),
		event("e-tool", "observation_create", `{"id":"tool","trace_id":"t","parent_observation_id":"c2","type":"tool","name":"look_up","level":"ERROR","status_message":"no such shop","input":{"shop":"old"},"output":"none"}`),
		event("e-s", "quality_score_create", `{"id":"s","trace_id":"t","name":"quality","value":0.25,"comment":"too long"}`),
	)
	h.settle()

	own, lines := h.worked("get_trace", map[string]any{"trace_id": "t"})
	if len(lines) != 4 || !strings.Contains(own, "1 to 3 of 3") {
		t.Fatalf("%s\n%s", own, strings.Join(lines, "\n"))
	}
	head, first, second, tool := asObject(t, lines[0]), asObject(t, lines[1]), asObject(t, lines[2]), asObject(t, lines[3])
	if head["release"] != "r7" || fmt.Sprint(head["metadata"]) != "map[tier:gold]" || fmt.Sprint(head["score_comments"]) != "[quality: too long]" || head["user_id"] != "u1" {
		t.Errorf("%v", head)
	}
	if fmt.Sprint(first["new"]) != "[system: You are a clerk. user: Where is order 7?]" || fmt.Sprint(first["output"]) != "[Which shop?]" || first["earlier"] != nil {
		t.Errorf("%v", first)
	}
	if fmt.Sprint(second["new"]) != "[user: The old one.]" || second["earlier"] != 3.0 || !strings.Contains(fmt.Sprint(second["output"]), "…(+") {
		t.Errorf("%v", second)
	}
	if tool["depth"] != 1.0 || tool["status_message"] != "no such shop" || fmt.Sprint(tool["input"]) != "map[shop:old]" || tool["output"] != "none" {
		t.Errorf("%v", tool)
	}
	if _, lines := h.worked("get_trace", map[string]any{"trace_id": "t", "only": "errors"}); len(lines) != 2 || asObject(t, lines[1])["id"] != "tool" {
		t.Errorf("%v", lines)
	}
	if _, lines := h.worked("get_trace", map[string]any{"trace_id": "t", "content": "none"}); len(lines) != 4 || strings.Contains(lines[1], "shop") {
		t.Errorf("%v", lines)
	}

	// Piece by piece, the whole of a long answer.
	var text string
	args := map[string]any{"observation_id": "c2", "trace_id": "t", "max_tokens": 1500}
	for pages := 0; ; pages++ {
		own, lines := h.worked("get_observation", args)
		for _, line := range lines {
			if p := asObject(t, line); p["part"] == "output" {
				text += p["text"].(string)
			}
		}
		if args["cursor"] = cursorOf(own); args["cursor"] == "" {
			if pages == 0 {
				t.Errorf("the long answer came at once: %s", own)
			}
			break
		}
	}
	if text != long {
		t.Errorf("%d characters of %d", len(text), len(long))
	}
	_, lines = h.worked("get_observation", map[string]any{"observation_id": "c2", "trace_id": "t", "parts": []string{"input", "earlier"}})
	roles := ""
	for _, line := range lines[1:] {
		p := asObject(t, line)
		roles += fmt.Sprint(p["part"], p["message"], p["role"], " ")
	}
	if roles != "input4user earlier1system earlier2user earlier3assistant " {
		t.Errorf("%s", roles)
	}
	if text, failed := h.tool(h.key, "get_observation", map[string]any{"observation_id": "c2", "trace_id": "t", "cursor": "99.0"}); !failed {
		t.Errorf("a cursor of nothing: %s", text)
	}

	_, lines = h.worked("explain_cost", map[string]any{"observation_id": "c1", "trace_id": "t"})
	if o := asObject(t, lines[0]); o["id"] != "c1" || o["cost_source"] == nil {
		t.Errorf("%v", lines)
	}
	_, lines = h.worked("explain_field", map[string]any{"observation_id": "c1", "trace_id": "t", "field": "prompt_tokens"})
	if o := asObject(t, lines[0]); len(lines) != 1 || o["value"] != 100.0 || o["rule"] != "payload.prompt_tokens" {
		t.Errorf("%v", lines)
	}
}

// What is found is what the API lists, row for row, however little has room in an answer; and statistics are those of the API.
func TestMCPFinds(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	var events []string
	for i := range 40 {
		id := fmt.Sprintf("t%02d", i)
		events = append(events,
			event(id, "trace_create", fmt.Sprintf(`{"id":%q,"name":"n%d","input":%q,"release":"r%d"}`, id, i%3, strings.Repeat("long ", 50), i%2)),
			event("o"+id, "observation_create", fmt.Sprintf(`{"id":"o%s","trace_id":%q,"type":"generation","name":"chat","model":"m%d","total_cost":%d,"prompt_tokens":1,"completion_tokens":1}`, id, id, i%4, i)),
			event("s"+id, "quality_score_create", fmt.Sprintf(`{"id":"s%s","trace_id":%q,"name":"quality","value":%g}`, id, id, float64(i)/40)))
	}
	h.post(events...)
	h.settle()
	all := func(tool string, args map[string]any) (ids []string, pages int) {
		args["cursor"] = ""
		for {
			own, lines := h.worked(tool, args)
			pages++
			for _, line := range lines {
				if line != "" {
					ids = append(ids, asObject(t, line)["id"].(string))
				}
			}
			if args["cursor"] = cursorOf(own); args["cursor"] == "" {
				return ids, pages
			}
		}
	}
	var want []string
	for _, row := range decoded[wire.Page[wire.TraceSummary]](t, h.get("/v1/traces?limit=1000")).Data {
		want = append(want, row.ID)
	}
	for _, args := range []map[string]any{{"max_tokens": 500}, {"limit": 7, "max_tokens": 900}, {"limit": 100, "max_tokens": 20000}, {"from": "20000d", "max_tokens": 1000}} {
		if ids, pages := all("find_traces", args); !slices.Equal(ids, want) || args["limit"] == 100 && pages > 1 {
			t.Errorf("%v: %d pages, %v\nwant %v", args, pages, ids, want)
		}
	}
	if ids, _ := all("find_observations", map[string]any{"filter": "model:m1"}); len(ids) != 10 {
		t.Errorf("%v", ids)
	}
	if ids, _ := all("find_scores", map[string]any{"filter": "value:>=0.5"}); len(ids) != 20 {
		t.Errorf("%v", ids)
	}
	_, lines := h.worked("find_traces", map[string]any{"fields": []string{"scores"}, "sort": "-total_cost", "limit": 1})
	if lines[0] != `{"id":"t39","scores":{"quality":0.975}}` {
		t.Errorf("%v", lines)
	}
	if text, _ := h.tool(h.key, "find_traces", map[string]any{"filter": "name:nobody"}); !strings.Contains(text, "There are no traces") {
		t.Error(text)
	}

	own, lines := h.worked("stats", map[string]any{"group_by": []string{"model"}, "metrics": []string{"count", "cost"}, "order_by": "-cost"})
	if len(lines) != 5 || lines[0] != `["model","count","cost"]` || lines[1] != `["m3",10,210]` || !strings.HasPrefix(own, "4 of 4 rows") {
		t.Errorf("%s %v", own, lines)
	}
	rows := 0
	args := map[string]any{"group_by": []string{"trace_id"}, "max_tokens": 500}
	for {
		own, lines := h.worked("stats", args)
		rows += len(lines) - 1
		if args["cursor"] = cursorOf(own); args["cursor"] == "" {
			break
		}
	}
	if rows != 40 {
		t.Errorf("%d rows", rows)
	}
}

// A score and a comment that an agent gives are stored as given by a model.
func TestMCPGivesScores(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	h.post(event("t", "trace_create", `{"id":"t","name":"n"}`), chat("c", "t", "", "hello", said("user", "hi")))
	key := h.newKey("one", "ingest")
	for _, c := range []struct {
		tool string
		args map[string]any
	}{
		{"add_score", map[string]any{"trace_id": "t", "name": "number", "value": 0.5, "comment": "half"}},
		{"add_score", map[string]any{"trace_id": "t", "name": "truth", "value": true}},
		{"add_score", map[string]any{"trace_id": "t", "observation_id": "c", "name": "kind", "value": "polite"}},
		{"add_comment", map[string]any{"trace_id": "t", "comment": "looked at"}},
	} {
		if text, failed := h.tool(key, c.tool, c.args); failed || !strings.HasPrefix(text, "Stored: ") {
			t.Errorf("%v: %s", c, text)
		}
		if text, failed := h.tool(key, c.tool, c.args); failed || !strings.Contains(text, "already") {
			t.Errorf("again: %v: %s", c, text)
		}
	}
	h.settle()
	got := map[string]string{}
	for _, s := range decoded[wire.Page[wire.Score]](t, h.get("/v1/scores")).Data {
		value := s.StringValue
		if s.Value != nil {
			value = fmt.Sprint(*s.Value)
		}
		got[s.Name] = strings.Join([]string{s.DataType, value, s.Comment, s.ObservationID, s.Source}, "|")
	}
	for name, want := range map[string]string{"number": "NUMERIC|0.5|half||EVAL", "truth": "BOOLEAN|1|||EVAL", "kind": "CATEGORICAL|polite||c|EVAL", "note": "CATEGORICAL|comment|looked at||EVAL"} {
		if got[name] != want {
			t.Errorf("%s: %s, want %s", name, got[name], want)
		}
	}
}

// The resources describe what there is.
func TestMCPResources(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	for _, r := range h.mcp(h.key, "resources/list", nil).Result.Resources {
		a := h.mcp(h.key, "resources/read", map[string]any{"uri": r.URI})
		if a.Error != nil || len(a.Result.Contents) != 1 || len(a.Result.Contents[0].Text) < 100 {
			t.Errorf("%s: %+v", r.URI, a)
		}
		want := map[string]string{"brokle://fields": "- finish_reason: ", "brokle://filter": "- latency_ms, latency: ", "brokle://stats": "## of=traces", "brokle://sql": "## traces"}[r.URI]
		if text := a.Result.Contents[0].Text; want == "" || !strings.Contains(text, want) || mcp.Tokens(text) > 5000 {
			t.Errorf("%s, %d tokens: %s", r.URI, mcp.Tokens(text), text)
		}
	}
}
