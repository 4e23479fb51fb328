// The wire's types, as docs/api.md and /openapi.json describe them.
import type { Sent } from "./json.ts";

export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

export interface TraceSummary {
  id: string;
  name: string;
  user_id: string;
  session_id: string;
  environment: string;
  tags: string[];
  start_time: string;
  end_time: string | null;
  latency_ms: number | null;
  latency_reason?: string; // why there is an end and no latency
  observation_count: number;
  error_count: number;
  total_tokens: number;
  total_cost: number;
  scores: Record<string, number | string>;
  models: string[];
}

export interface Observation {
  id: string;
  trace_id: string;
  parent_observation_id: string;
  type: string;
  name: string;
  environment: string;
  start_time: string;
  start_time_inferred: boolean;
  end_time: string | null;
  latency_ms: number | null;
  latency_reason?: string; // why there is an end and no latency
  level: string;
  status_message: string;
  version: string;
  model: string; // what answered
  requested_model: string; // what was asked for
  provider: string;
  finish_reason: string;
  prompt_tokens: number | null; // with those read from and written to a cache
  completion_tokens: number | null; // with those of reasoning
  total_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  reasoning_tokens: number | null;
  audio_input_tokens: number | null;
  audio_output_tokens: number | null;
  input_cost: number | null;
  output_cost: number | null;
  total_cost: number | null;
  counted: boolean; // false: tokens or a cost of it stand for what hangs below it, and are in no sum
  quality_score: number | null;
  tags: string[];
  input_preview: string;
  output_preview: string;
  model_parameters?: Sent | null;
  metadata?: Sent | null;
  input?: Sent | null;
  output?: Sent | null;
  children?: Observation[];
  ambiguous?: boolean; // other traces have this id, none was named, and this is the newest
}

export interface Score {
  id: string;
  trace_id: string;
  observation_id: string;
  name: string;
  value: number | null;
  string_value: string;
  data_type: string;
  source: string;
  evaluator_name: string;
  evaluator_version: string;
  comment: string;
  author_user_id: string;
  environment: string;
  timestamp: string;
  metadata?: Sent | null;
}

export interface Trace extends TraceSummary {
  version?: string;
  release?: string;
  parent_trace_id?: string;
  metadata: Sent | null;
  input: Sent | null;
  output: Sent | null;
  observations: Observation[];
  score_list: Score[];
}

/** Totals is what a number of traces add up to. */
export interface Totals {
  trace_count: number;
  observation_count: number;
  error_count: number;
  total_tokens: number;
  total_cost: number;
  first_seen: string;
  last_seen: string;
}

export interface SessionSummary extends Totals {
  id: string;
  user_ids: string[];
  environments: string[];
}

export interface SessionTrace extends TraceSummary {
  input: Sent | null;
  output: Sent | null;
}

export interface TraceSession extends SessionSummary {
  traces: SessionTrace[]; // oldest first
  next_cursor: string | null;
}

export interface UserSummary extends Totals {
  id: string;
  session_count: number;
}

export type StatRow = { time?: string } & Record<string, string | number | null>;

export interface Session {
  project: string;
  key_id: string;
  key_name: string;
  scopes: string[];
  expires_at: string;
}

/** FailureGroup is why events were refused, with the last of them. */
export interface FailureGroup {
  code: string;
  count: number;
  last: { event_id: string; event_type: string; error: string; batch_id: string; time: string }[];
}

/** Audit is what one node did with the project's events since it started. */
export interface Audit {
  since: string;
  processed_events: number;
  duplicate_events: number;
  failed_events: number;
  batches: number;
  failures: FailureGroup[];
  backlog_events: number;
  dedup: string;
  pending_jobs: number;
  quarantined_events: number;
}

/** RefusedRequest counts requests of one kind that were refused where telemetry comes in, since the node started. */
export interface RefusedRequest {
  method: string;
  path: string; // "…" stands for words that the server does not know
  status: number;
  code: string;
  client: string; // "none" without a User-Agent, "other" for one that is not known
  caller: "project" | "unknown";
  count: number;
  last: string;
}

export interface EventReceipt {
  event_id: string;
  status: string;
  event_type: string;
  batch_id: string;
  at: string;
  error?: { code: string; error: string };
}

export interface ApiKey {
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  created_at: string;
  last_used_at?: string | null;
  revoked_at?: string | null;
}

export interface Project {
  id?: string;
  name: string;
}
