package otel_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/otel"
)

// everyRecorded calls each for all recorded spans.
func everyRecorded(t *testing.T, each func(name string, s *otel.Span)) {
	t.Helper()
	for _, dir := range []string{"otlp", "recorded"} {
		files, err := os.ReadDir(filepath.Join("testdata", dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if name, ok := strings.CutSuffix(f.Name(), ".traces.pb"); ok {
				for _, s := range recorded(t, filepath.Join(dir, name)) {
					s.Logs = nil // what they say is explained by themselves
					each(dir+"/"+name, s)
				}
			}
		}
	}
}

// set are the members of a Meaning that hold something, by the names of fields.
func set(m *otel.Meaning) map[string]string {
	names := map[string]string{
		"Name": "name", "Type": "type", "Status": "status", "Level": "level", "StatusMessage": "status_message", "ErrorType": "error_type",
		"Model": "model", "RequestedModel": "requested_model", "Provider": "provider", "ResponseID": "response_id", "FinishReason": "finish_reason",
		"FinishReasonOriginal": "finish_reason_original", "Parameters": "model_parameters", "Prompt": "prompt_tokens", "Completion": "completion_tokens",
		"Total": "total_tokens", "CacheRead": "cache_read_tokens", "CacheWrite": "cache_write_tokens", "Reasoning": "reasoning_tokens",
		"AudioInput": "audio_input_tokens", "AudioOut": "audio_output_tokens", "TokenSource": "token_source", "TotalCost": "total_cost",
		"InputCost": "input_cost", "OutputCost": "output_cost", "CacheReadCost": "cache_read_cost", "CacheWriteCost": "cache_write_cost",
		"FirstToken": "time_to_first_token_ms", "SessionID": "session_id", "UserID": "user_id", "Environment": "environment", "Release": "release",
		"CodeVersion": "version", "Tags": "tags", "TraceName": "trace_name", "Input": "input", "Output": "output", "Metadata": "metadata",
	}
	all := map[string]string{}
	v := reflect.ValueOf(*m)
	for member, field := range names {
		switch x := v.FieldByName(member).Interface().(type) {
		case string:
			if x != "" {
				all[field] = x
			}
		case otel.Count:
			if x.Sent {
				all[field] = fmt.Sprint(x.N)
			}
		case otel.Number:
			if x.Sent {
				all[field] = fmt.Sprint(x.V)
			}
		case []string:
			if len(x) > 0 {
				all[field] = strings.Join(x, ",")
			}
		}
	}
	return all
}

// Every field that a recorded span says has a rule, and a rule that names an attribute names one that says it.
func TestEveryFieldHasARule(t *testing.T) {
	t.Parallel()
	rules := map[string]bool{}
	everyRecorded(t, func(name string, s *otel.Span) {
		m := otel.Explain(s)
		if plain := otel.Read(s); !maps.Equal(set(plain), set(m)) {
			t.Errorf("%s: Explain reads otherwise than Read", name)
		}
		sent := map[string]string{}
		for _, a := range s.Attributes {
			sent[a.Key] = a.Value.String()
		}
		for field, value := range set(m) {
			rule := m.Why[field]
			rules[m.Dialect+" "+field] = true
			if rule == "" {
				t.Errorf("%s: %s %s is %.40s and has no rule", name, m.Dialect, field, value)
			}
			if got, isKey := sent[rule]; isKey && (strings.HasSuffix(field, "_tokens") || strings.HasSuffix(field, "model") || strings.HasSuffix(field, "_id")) && got != value {
				t.Errorf("%s: %s is %s by %s, which is %s", name, field, value, rule, got)
			}
			if strings.HasSuffix(field, "_tokens") && field != "total_tokens" && sent[rule] == "" && !strings.HasPrefix(rule, "= ") && !strings.Contains(rule, ": ") {
				t.Errorf("%s: %s is %s by %q, which is no attribute", name, field, value, rule)
			}
		}
	})
	if len(rules) < 150 {
		t.Errorf("only %d pairs of dialect and field were seen", len(rules))
	}
}

// A count that had the cache added says so, with the numbers.
func TestAddedCacheIsExplained(t *testing.T) {
	t.Parallel()
	rules := map[string]bool{}
	everyRecorded(t, func(name string, s *otel.Span) {
		rules[name+" "+otel.Explain(s).Why["prompt_tokens"]] = true
	})
	for _, want := range []string{
		"recorded/L = 20 + 80 cache read + 10 cache write: scope openlit.instrumentation.anthropic is exclusive",
		"recorded/M = 20 + 80 cache read + 10 cache write: Anthropic's usage is exclusive",
		"recorded/M mlflow.spanOutputs: usage.prompt_tokens",
		"otlp/I-call1 llm.token_count.prompt",
		"recorded/S langsmith.metadata.usage_metadata: input_tokens",
	} {
		if !rules[want] {
			t.Errorf("no span says %q of %q", want, slices.Sorted(maps.Keys(rules)))
		}
	}
}
