package mcp

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// fieldsText says what the members of rows mean.
func fieldsText() string {
	var out strings.Builder
	out.WriteString("# Fields\n\nA trace is one run of an application, an observation one step of it, a score a judgement of either. Times are UTC, costs US dollars, latencies milliseconds; what nobody said is absent.\n")
	for _, kind := range []struct {
		name    string
		columns []string
	}{
		{"traces", slices.Compact(slices.Concat(columnsOf[wire.TraceSummary](), columnsOf[wire.Trace]()))},
		{"observations", columnsOf[wire.Observation]()},
		{"scores", columnsOf[wire.Score]()},
	} {
		out.WriteString("\n## " + kind.name + "\n\n")
		seen := map[string]bool{}
		for _, name := range kind.columns {
			if says := meaning(kind.name, name); says != "" && !seen[name] {
				out.WriteString("- " + name + ": " + says + "\n")
			}
			seen[name] = true
		}
	}
	return out.String()
}

// meaning is what a field of a kind says; "" when that is not written down here.
func meaning(kind, name string) string {
	if says := meanings[kind+"."+name]; says != "" {
		return says
	}
	return meanings[name]
}

// meanings has one for each field, and others for fields that mean something else in rows of a kind.
var meanings = map[string]string{
	"id":                "its id",
	"name":              "its name",
	"user_id":           "the user whom the application served",
	"session_id":        "the conversation that it belongs to",
	"environment":       "production, staging and the like",
	"key_id":            "the API key that brought it",
	"tags":              "labels that the application gave",
	"start_time":        "when it began",
	"end_time":          "when it ended",
	"latency_ms":        "end minus start",
	"latency_reason":    "why there is an end and no latency",
	"observation_count": "how many observations it has",
	"error_count":       "observations of level ERROR",
	"inner_errors":      "of them, those below the outermost: errors that it may have mended",
	"status":            "ok, error or aborted",
	"traces.status":     "ok, error or aborted: what the trace says itself, else that of the outermost observation",
	"unpriced_count":    "calls of a model whose cost is not known",
	"total_tokens":      "tokens in and out",
	"total_cost":        "what it cost; absent when that is not known",
	"scores":            "by name the mean of the numeric scores, else the last text",
	"models":            "the models that were called",
	"input_preview":     "the beginning of what went in",
	"output_preview":    "the beginning of what came out",
	"highlights":        "where the words of a search stand",
	"version":           "the version of the step or the application, as it says",
	"release":           "the release of the application",
	"parent_trace_id":   "the trace that began this one",
	"metadata":          "whatever the application keeps beside it",
	"input":             "what went in",
	"output":            "what came out",
	"status_message":    "what it says of its status, such as an error",
	"error_type":        "the class of the error",
	"observations":      "its observations as a tree",
	"score_list":        "its scores and those of its observations",

	"trace_id":               "the trace that it belongs to",
	"parent_observation_id":  "the observation around it",
	"type":                   "generation or llm (a call of a model), embedding, tool, agent, chain, retrieval, event or span",
	"start_time_inferred":    "nobody sent a start: it is the time of its first event",
	"level":                  "DEBUG, INFO, DEFAULT, WARN or ERROR",
	"model":                  "the model that answered",
	"requested_model":        "the model that was asked for",
	"provider":               "who runs the model",
	"service_tier":           "batch, flex, priority, fast or standard, as the answer says",
	"requested_service_tier": "the same, as it was asked for",
	"prompt_name":            "the prompt that the input was made of",
	"prompt_version":         "the version of that prompt",
	"response_id":            "the provider's name of its answer",
	"finish_reason":          "why the answer ended: stop, length, tool_calls, content_filter or error",
	"finish_reason_original": "the provider's own word for it",
	"prompt_tokens":          "tokens in, with those read from and written to a cache",
	"completion_tokens":      "tokens out, with those of reasoning",
	"cache_read_tokens":      "of the tokens in, those read from a cache",
	"cache_write_tokens":     "of the tokens in, those written to a cache",
	"cache_write_1h_tokens":  "of these, those that are kept for an hour",
	"reasoning_tokens":       "of the tokens out, those of reasoning",
	"audio_input_tokens":     "of the tokens in, those of sound",
	"audio_output_tokens":    "of the tokens out, those of sound",
	"token_source":           "reported, estimated or none",
	"input_cost":             "of the cost, that of the tokens in",
	"cache_read_cost":        "of that, what was read from a cache",
	"cache_write_cost":       "of that, what was written to a cache",
	"output_cost":            "of the cost, that of the tokens out",
	"cost_source":            "reported (by the client), computed (by the price that held) or none; explain_cost says how",
	"cost_reason":            "why there is no cost, or why one that was sent does not count",
	"time_to_first_token_ms": "from the start to the first token of the answer",
	"duplicate_of":           "the observation that reports the same call and counts in its place",
	"duplicate_of_trace":     "the trace of that",
	"source":                 "how it came: by which protocol and library",
	"scores.source":          "who gave it: API, AUTO (code), EVAL (a model) or HUMAN",
	"counted":                "false when its tokens and cost stand for those of what hangs below it, and are in no sum",
	"quality_score":          "a score that the application sent with it",
	"model_parameters":       "temperature and the like",
	"usage":                  "what was counted beside the tokens",
	"attributes":             "attributes of the span",
	"messages_in":            "what went in, as messages of one shape",
	"messages_out":           "what came out, the same",
	"tools":                  "the tools that the model was offered",
	"resource":               "of a span: the program that sent it",
	"events":                 "events of the span",
	"links":                  "spans that it is linked with",
	"ambiguous":              "other traces have an observation of this id",

	"observation_id":    "the observation that it is about; absent when it is about the whole trace",
	"value":             "a number, or 1 and 0 for yes and no",
	"string_value":      "a category",
	"data_type":         "NUMERIC, CATEGORICAL or BOOLEAN",
	"evaluator_name":    "what gave it",
	"evaluator_version": "and its version",
	"comment":           "why, in words",
	"author_user_id":    "who gave it",
	"timestamp":         "when it was given",
}
