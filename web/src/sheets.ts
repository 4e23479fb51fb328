// What the rows of each list are as a CSV: columns by the names that the API has for them.
import type { Column, Sheet } from "./export.ts";
import type { Observation, Score, SessionSummary, Totals, TraceSummary, UserSummary } from "./types.ts";

// plain are columns of members that are texts or numbers.
const plain = <T>(...names: (keyof T & string)[]): Column<T>[] =>
  names.map(name => [name, row => row[name] as string | number | null]);

const sum: (keyof Totals & string)[] = [
  "trace_count",
  "observation_count",
  "error_count",
  "total_tokens",
  "total_cost",
  "unpriced_count",
];

export const traceSheet: Sheet<TraceSummary> = {
  name: "traces",
  path: "/v1/traces",
  columns: [
    ...plain<TraceSummary>("id", "name", "user_id", "session_id", "environment"),
    ["tags", t => t.tags.join(" ")],
    ...plain<TraceSummary>("start_time", "end_time", "latency_ms", "observation_count", "error_count"),
    ...plain<TraceSummary>("total_tokens", "total_cost"),
    ["models", t => t.models.join(" ")],
  ],
  scores: t => t.scores,
};

export const observationSheet: Sheet<Observation> = {
  name: "observations",
  path: "/v1/observations",
  columns: [
    ...plain<Observation>("id", "trace_id", "parent_observation_id", "type", "name", "environment"),
    ...plain<Observation>("start_time", "end_time", "latency_ms", "time_to_first_token_ms", "level", "status_message"),
    ...plain<Observation>("model", "provider", "prompt_tokens", "completion_tokens", "total_tokens", "total_cost"),
    ...plain<Observation>("cost_source", "input_preview", "output_preview"),
  ],
};

export const sessionSheet: Sheet<SessionSummary> = {
  name: "sessions",
  path: "/v1/sessions",
  columns: [
    ...plain<SessionSummary>("id", "first_seen", "last_seen"),
    ["user_ids", s => s.user_ids.join(" ")],
    ["environments", s => s.environments.join(" ")],
    ...plain<SessionSummary>(...sum),
  ],
};

export const userSheet: Sheet<UserSummary> = {
  name: "users",
  path: "/v1/users",
  columns: plain<UserSummary>("id", "first_seen", "last_seen", "session_count", ...sum),
};

export const scoreSheet: Sheet<Score> = {
  name: "scores",
  path: "/v1/scores",
  columns: [
    ...plain<Score>("id", "trace_id", "observation_id", "name", "data_type", "value", "string_value", "source"),
    ...plain<Score>("evaluator_name", "evaluator_version", "author_user_id", "comment", "environment", "timestamp"),
  ],
};
