package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/e2e/rig"
)

// fieldOptions are the options that say something of an observation, and what the server's answer about it then has.
var fieldOptions = map[string]struct {
	option brokle.Option
	want   string        // members of the answer, as JSON
	with   brokle.Option // without which the option says nothing
}{
	"Usage":                {brokle.Usage(100, 50), `{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150,"token_source":"reported"}`, nil},
	"InputTokens":          {brokle.InputTokens(7), `{"prompt_tokens":7,"completion_tokens":null,"total_tokens":7}`, nil},
	"OutputTokens":         {brokle.OutputTokens(8), `{"completion_tokens":8}`, nil},
	"CacheReadTokens":      {brokle.CacheReadTokens(80), `{"cache_read_tokens":80}`, nil},
	"CacheWriteTokens":     {brokle.CacheWriteTokens(10), `{"cache_write_tokens":10}`, nil},
	"CacheWrite1hTokens":   {brokle.CacheWrite1hTokens(5), `{"cache_write_tokens":10,"cache_write_1h_tokens":5}`, brokle.CacheWriteTokens(10)},
	"ServiceTier":          {brokle.ServiceTier("priority"), `{"service_tier":"priority"}`, nil},
	"RequestedServiceTier": {brokle.RequestedServiceTier("flex"), `{"requested_service_tier":"flex"}`, nil},
	"ReasoningTokens":      {brokle.ReasoningTokens(30), `{"reasoning_tokens":30}`, nil},
	"AudioInputTokens":     {brokle.AudioInputTokens(3), `{"audio_input_tokens":3}`, nil},
	"AudioOutputTokens":    {brokle.AudioOutputTokens(4), `{"audio_output_tokens":4}`, nil},
	"Count":                {brokle.Count("pages", 3), `{"usage":{"pages":3}}`, nil},
	"ProviderUsage": {brokle.ProviderUsage(json.RawMessage(`{"input_tokens":20,"cache_read_input_tokens":80,"cache_creation_input_tokens":10,"output_tokens":50}`)),
		`{"prompt_tokens":110,"completion_tokens":50,"cache_read_tokens":80,"cache_write_tokens":10}`, nil},
	"Cost":             {brokle.Cost(0.1, 0.2), `{"input_cost":0.1,"output_cost":0.2,"total_cost":0.3,"cost_source":"reported"}`, nil},
	"InputCost":        {brokle.InputCost(0.5), `{"input_cost":0.5}`, nil},
	"OutputCost":       {brokle.OutputCost(0.25), `{"output_cost":0.25}`, nil},
	"CacheReadCost":    {brokle.CacheReadCost(0.01), `{"input_cost":0.5,"cache_read_cost":0.01}`, brokle.InputCost(0.5)},
	"CacheWriteCost":   {brokle.CacheWriteCost(0.02), `{"input_cost":0.5,"cache_write_cost":0.02}`, brokle.InputCost(0.5)},
	"TotalCost":        {brokle.TotalCost(1.5), `{"total_cost":1.5}`, nil},
	"TimeToFirstToken": {brokle.TimeToFirstToken(120 * time.Millisecond), `{"time_to_first_token_ms":120}`, nil},
	"FinishReason":     {brokle.FinishReason("max_tokens"), `{"finish_reason":"length","finish_reason_original":"max_tokens"}`, nil},
	"ResponseID":       {brokle.ResponseID("resp_1"), `{"response_id":"resp_1"}`, nil},
	"Model":            {brokle.Model("gpt-4o-mini-2024-07-18"), `{"model":"gpt-4o-mini-2024-07-18"}`, nil},
	"RequestedModel":   {brokle.RequestedModel("gpt-4o-mini"), `{"requested_model":"gpt-4o-mini"}`, nil},
	"Provider":         {brokle.Provider("openai"), `{"provider":"openai"}`, nil},
	"Prompt":           {brokle.Prompt("greeting", "3"), `{"prompt_name":"greeting","prompt_version":"3","attributes":{"gen_ai.prompt.name":"greeting","gen_ai.prompt.version":"3"}}`, nil},
	"Attribute":        {brokle.Attribute("tier", "gold"), `{"attributes":{"tier":"gold"}}`, nil},
	"Error": {brokle.Error(&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}),
		`{"level":"ERROR","status":"error","status_message":"open x: file does not exist","error_type":"fs.PathError"}`, nil},
	"ErrorType":     {brokle.ErrorType("rate_limit"), `{"error_type":"rate_limit"}`, nil},
	"Level":         {brokle.Level("WARNING"), `{"level":"WARN","status":"ok"}`, nil},
	"StatusMessage": {brokle.StatusMessage("slow"), `{"status_message":"slow"}`, nil},
	"CodeVersion":   {brokle.CodeVersion("v2"), `{"version":"v2"}`, nil},
	"Tags":          {brokle.Tags("b", "a"), `{"tags":["a","b"]}`, nil},
	"Metadata":      {brokle.Metadata(map[string]any{"k": 1}), `{"metadata":{"k":1}}`, nil},
	"ModelParameters": {brokle.ModelParameters(map[string]any{"temperature": 0.5}),
		`{"model_parameters":{"temperature":0.5}}`, nil},
	"Input":  {brokle.Input("why"), `{"input":"why"}`, nil},
	"Output": {brokle.Output("because"), `{"output":"because"}`, nil},
}

// Every option is stored and shown by the server, whether it is said at the start, in an update or at the end.
func TestEveryOptionIsStoredAndShown(t *testing.T) {
	n := startNode(t, t.TempDir())
	client, err := brokle.New(brokle.Config{APIKey: rig.Key, Host: n.URL})
	if err != nil {
		t.Fatal(err)
	}
	ctx, trace := client.StartTrace(t.Context(), "fields")
	for name, tc := range fieldOptions {
		_, o := brokle.StartGeneration(ctx, name, tc.option, tc.with, brokle.ID(name+"-start"))
		o.End()
		_, o = brokle.StartGeneration(ctx, name, brokle.ID(name+"-update"))
		o.Update(tc.option, tc.with)
		o.End()
		_, o = brokle.StartGeneration(ctx, name, brokle.ID(name+"-end"))
		o.End(tc.option, tc.with)
	}
	if err := client.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	checkAccounting(t, client)
	for name, tc := range fieldOptions {
		for _, when := range []string{"-start", "-update", "-end"} {
			var got map[string]any
			n.GetJSON(t, "/v1/observations/"+name+when+"?trace_id="+trace.ID(), &got)
			requireMembers(t, name+when, got, tc.want)
		}
	}
	var found brokle.Page[brokle.Observation]
	n.GetJSON(t, "/v1/observations?attributes.gen_ai.prompt.name=greeting", &found)
	if len(found.Data) != 3 {
		t.Errorf("%d observations are found by the prompt's name, want 3", len(found.Data))
	}
}

// requireMembers fails the test unless got has the members of want, a JSON object; of an object in it, its members.
func requireMembers(t *testing.T, what string, got map[string]any, want string) {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(want), &members); err != nil {
		t.Fatal(err)
	}
	for key, v := range members {
		if inner, ok := v.(map[string]any); ok {
			b, _ := json.Marshal(inner)
			sub, _ := got[key].(map[string]any)
			requireMembers(t, what+" "+key, sub, string(b))
			continue
		}
		a, _ := json.Marshal(v)
		b, _ := json.Marshal(got[key])
		if string(a) != string(b) {
			t.Errorf("%s: %s is %s, want %s", what, key, b, a)
		}
	}
}

// What a trace says of itself, what contexts carry to it, also from another process, and what is said of it later by its id.
func TestATraceOfTwoProcessesIsOne(t *testing.T) {
	n := startNode(t, t.TempDir())
	open := func() *brokle.Client {
		c, err := brokle.New(brokle.Config{APIKey: rig.Key, Host: n.URL})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for id, ids := range map[string]string{"of W3C's form": "", "of our own": "order 17, ü=1"} {
		t.Run(id, func(t *testing.T) {
			first, second, third := open(), open(), open()
			ctx := brokle.WithUser(brokle.WithTags(t.Context(), "a, b", "c"), "ada ü")
			ctx, trace := first.StartTrace(ctx, "outer", brokle.ID(ids), brokle.SessionID("s1"))
			ctx = brokle.WithMetadata(ctx, map[string]any{"k": 1})
			ctx, asks := brokle.StartSpan(ctx, "asks", brokle.ID(ids))
			h := http.Header{}
			brokle.Inject(ctx, h)

			there := brokle.Extract(brokle.WithClient(context.Background(), second), h)
			there, inner := brokle.StartSpan(there, "inner")
			slog.New(&brokle.LogHandler{}).WarnContext(there, "low on disk", "left", 3)
			_, apart := second.StartTrace(there, "apart")
			inner.End(brokle.Error(errors.New("no")))
			asks.End()
			trace.End(brokle.Error(&fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}))
			for _, c := range []*brokle.Client{second, first} {
				if err := c.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := third.ScoreTrace(trace.ID(), "good", true, brokle.UserID("judge")); err != nil {
				t.Fatal(err)
			}
			if _, err := third.ScoreObservation(trace.ID(), inner.ID(), "tone", "rude"); err != nil {
				t.Fatal(err)
			}
			if err := third.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			got, err := first.Traces.Get(t.Context(), trace.ID())
			if err != nil {
				t.Fatal(err)
			}
			if got.UserID != "ada ü" || got.SessionID != "s1" || len(got.Tags) != 2 || got.Tags[0] != "a, b" || string(got.Metadata) != `{"k":1}` ||
				got.Status != "error" || got.ErrorType != "fs.PathError" || got.StatusMessage != "open x: file does not exist" || got.InnerErrors != 1 {
				t.Errorf("%+v", got)
			}
			if len(got.Observations) != 1 || len(got.Observations[0].Children) != 1 || len(got.Observations[0].Children[0].Children) != 1 {
				t.Fatalf("not one tree: %+v", got.Observations)
			}
			if log := got.Observations[0].Children[0].Children[0]; log.Name != "low on disk" || log.Type != "event" || log.Level != "WARN" || string(log.Metadata) != `{"left":3}` {
				t.Errorf("%+v", log)
			}
			if got.Scores["good"] != 1.0 || got.Scores["tone"] != "rude" || len(got.ScoreList) != 2 || got.ScoreList[0].AuthorUserID+got.ScoreList[1].AuthorUserID != "judge" {
				t.Errorf("%+v", got.ScoreList)
			}
			of, err := first.Traces.Get(t.Context(), apart.ID())
			if err != nil || of.UserID != "ada ü" || of.SessionID != "s1" || len(of.Tags) != 2 || of.Status != "ok" {
				t.Errorf("%v, %+v", err, of)
			}
		})
	}
}
