// Made from the Go types that answers have: go test ./internal/server -run Generated -update
import type { Sent } from "./json.ts";

/** Page is what every list answers: the rows, and where to go on. */
export interface Page<T> {
  data: T[];
  next_cursor: string | null;
}

/** TraceSummary is one row of GET /v1/traces: the fold of a trace and of what belongs to it. */
export interface TraceSummary {
  id: string;
  name: string;
  user_id: string;
  session_id: string;
  environment: string;
  /** of the key that brought it, not its secret; "" when that is not known */
  key_id: string;
  tags: string[];
  start_time: string;
  /** null while nothing in it has ended */
  end_time: string | null;
  /** end − start; null without an end */
  latency_ms: number | null;
  /** why there is an end and no latency */
  latency_reason?: string;
  observation_count: number;
  /** observations of level ERROR */
  error_count: number;
  /** of them, those below the one that the trace has its status from */
  inner_errors: number;
  /** ok, error or aborted: what the trace says itself, else that of the outermost observation */
  status: string;
  /** calls of a model whose cost is not known */
  unpriced_count: number;
  /** of the observations that are counted */
  total_tokens: number;
  /** total_cost is the same, exactly added, in the currency the client used, usually USD; null when no cost in it is known. */
  total_cost: number | null;
  /** name → mean of the numeric values, else the last text */
  scores: Record<string, number | string>;
  /** distinct, sorted */
  models: string[];
  /** input_preview and output_preview are the first characters of what went in and came out, Highlights where the words of a search are: in lists that were asked for previews. */
  input_preview?: string;
  output_preview?: string;
  highlights?: Highlight[];
}

/** Highlight is a text of a row in which words were found that were searched for, with what stands around them. */
export interface Highlight {
  /** name, input, output, status_message, tags, metadata or attributes */
  field: string;
  segments: Segment[];
}

/** Segment is a part of a text. */
export interface Segment {
  text: string;
  /** it is a word that was searched for */
  match?: boolean;
}

/** Observation is one folded observation: a generation, a span, a tool call, … Its id is its own within its trace. A number that is not known is null. */
export interface Observation {
  id: string;
  trace_id: string;
  parent_observation_id: string;
  type: string;
  name: string;
  environment: string;
  /** of the key that brought it, not its secret; "" when that is not known */
  key_id: string;
  start_time: string;
  /** from an event's timestamp, not sent */
  start_time_inferred: boolean;
  end_time: string | null;
  latency_ms: number | null;
  /** why there is an end and no latency */
  latency_reason?: string;
  level: string;
  status_message: string;
  version: string;
  /** what answered */
  model: string;
  /** what was asked for */
  requested_model: string;
  provider: string;
  /** service_tier is what the answer says: batch, flex, priority, fast or standard; another word as it was sent. "" when nobody said. */
  service_tier: string;
  /** requested_service_tier is what was asked for. It counts when service_tier is "". */
  requested_service_tier: string;
  /** prompt_name is the name of the prompt that the input was made from, as GET /v1/prompts has it; "" when nobody said. */
  prompt_name: string;
  /** prompt_version is its version: a number, or "fallback" for the text that was compiled in. */
  prompt_version: string;
  /** the provider's name of its answer */
  response_id: string;
  /** stop, length, tool_calls, content_filter or error; another word as it was sent */
  finish_reason: string;
  /** finish_reason_original is the provider's own word, where it was sent. */
  finish_reason_original: string;
  /** status is ok, error, or aborted: the reader of a stream left it. */
  status: string;
  /** the class of the error, without its module */
  error_type: string;
  /** with those read from and written to a cache */
  prompt_tokens: number | null;
  /** with those of reasoning */
  completion_tokens: number | null;
  /** the sum of both; what was sent when one is not known */
  total_tokens: number | null;
  cache_read_tokens: number | null;
  cache_write_tokens: number | null;
  /** of the cache writes, kept for an hour */
  cache_write_1h_tokens: number | null;
  reasoning_tokens: number | null;
  audio_input_tokens: number | null;
  audio_output_tokens: number | null;
  /** token_source says where the counts come from: reported, estimated (by the library that sent them) or none. */
  token_source: string;
  /** in USD, as all costs */
  input_cost: number | null;
  cache_read_cost: number | null;
  cache_write_cost: number | null;
  output_cost: number | null;
  total_cost: number | null;
  /** cost_source says where the costs come from: reported (by the client), computed (from the tokens, by the price that was valid) or none. */
  cost_source: string;
  /** cost_reason says why a call of a model has no cost, or why a cost that was sent does not count. */
  cost_reason?: string;
  time_to_first_token_ms: number | null;
  /** duplicate_of is the observation that reports the same call of a provider and is kept in its place; "" when it is the one, or the only one. It may be in another trace. */
  duplicate_of: string;
  duplicate_of_trace: string;
  /** source says how the observation came. */
  source?: ObservationSource;
  /** counted is false when tokens or a cost of it are left out of sums, because they stand for those of what hangs below it. */
  counted: boolean;
  quality_score: number | null;
  tags: string[];
  /** the first characters; lists have no payload */
  input_preview: string;
  /** the same */
  output_preview: string;
  /** in lists that were asked for previews: where the words of a search are */
  highlights?: Highlight[];
  model_parameters?: Sent | null;
  /** an object: what was counted beside the tokens above */
  usage?: Sent | null;
  /** an object, merged key by key */
  attributes?: Sent | null;
  metadata?: Sent | null;
  input?: Sent | null;
  output?: Sent | null;
  /** messages_in and messages_out are what went in and came out in one shape, whichever client sent it: lists of messages, each with a role and parts; null where neither input nor output has messages. */
  messages_in?: Sent | null;
  messages_out?: Sent | null;
  /** a list: what was offered to the model */
  tools?: Sent | null;
  /** an object: of a span of OpenTelemetry */
  resource?: Sent | null;
  /** a list, each with name, time and attributes */
  events?: Sent | null;
  /** a list, each with trace_id, span_id and attributes */
  links?: Sent | null;
  children?: Observation[];
  /** ambiguous says that other traces have an observation of this id, that the request named none, and that this is the newest. */
  ambiguous?: boolean;
}

/** ObservationSource says how an observation came. */
export interface ObservationSource {
  /** brokle, otlp or langfuse */
  door: string;
  /** the instrumentation */
  scope: string;
  /** and its version */
  scope_version: string;
  /** with its version */
  sdk: string;
}

/** Score is one folded quality score. */
export interface Score {
  id: string;
  trace_id: string;
  observation_id: string;
  name: string;
  /** NUMERIC and BOOLEAN (0 or 1); null for CATEGORICAL */
  value: number | null;
  /** CATEGORICAL */
  string_value: string;
  data_type: string;
  source: string;
  evaluator_name: string;
  evaluator_version: string;
  comment: string;
  author_user_id: string;
  environment: string;
  /** of the key that brought it, not its secret; "" when that is not known */
  key_id: string;
  /** of its first event */
  timestamp: string;
  metadata?: Sent | null;
}

/** Trace is one folded trace with what belongs to it: GET /v1/traces/{id}. */
export interface Trace extends TraceSummary {
  version?: string;
  release?: string;
  parent_trace_id?: string;
  /** merged key by key; null when never sent */
  metadata: Sent | null;
  input: Sent | null;
  output: Sent | null;
  /** what the trace says of itself, as the next */
  status_message?: string;
  error_type?: string;
  /** the roots; children hang below */
  observations: Observation[];
  /** every score of the trace and its observations */
  score_list: Score[];
}

/** Totals is what a number of traces add up to. */
export interface Totals {
  trace_count: number;
  observation_count: number;
  /** observations of level ERROR */
  error_count: number;
  total_tokens: number;
  /** calls of a model whose cost is not known */
  unpriced_count: number;
  /** total_cost is in the currency the client used, usually USD; null when no cost in it is known. */
  total_cost: number | null;
  /** first_seen is the earliest start, last_seen the latest start or end. */
  first_seen: string;
  last_seen: string;
}

/** SessionSummary is one row of GET /v1/sessions: the traces that name the same session, such as the turns of one conversation. */
export interface SessionSummary extends Totals {
  id: string;
  /** distinct, sorted */
  user_ids: string[];
  /** distinct, sorted */
  environments: string[];
}

/** SessionTrace is a trace of a session, with what went in and what came out. */
export interface SessionTrace extends TraceSummary {
  /** as sent; null when never sent */
  input: Sent | null;
  output: Sent | null;
}

/** TraceSession is one session with its traces: GET /v1/sessions/{id}. The numbers are those of the whole session, on every page of its traces. */
export interface TraceSession extends SessionSummary {
  /** oldest first */
  traces: SessionTrace[];
  /** next_cursor leads to the traces behind these; null with the last of them. */
  next_cursor: string | null;
}

/** UserSummary is one row of GET /v1/users: the traces that name the same user. */
export interface UserSummary extends Totals {
  id: string;
  /** distinct sessions of the traces */
  session_count: number;
}

/** StatRow is one row of GET /v1/stats: "time" when an interval was asked for, then a key for each group_by and for each metric. */
export type StatRow = { time?: string } & Record<string, string | number | null>;

/** Session says who is signed in. It holds no secret. */
export interface Session {
  project: string;
  key_id: string;
  key_name: string;
  scopes: string[];
  expires_at: string;
}

/** FailedEvent is an event that was refused. It has no payload. */
export interface FailedEvent {
  event_id: string;
  /** as sent, at most 300 bytes */
  event_type: string;
  /** at most 300 bytes */
  error: string;
  batch_id: string;
  time: string;
}

/** FailureGroup is how many events failed with one code. */
export interface FailureGroup {
  code: string;
  count: number;
  /** the last 20, oldest first; none when too many projects had failures since */
  last: FailedEvent[];
}

/** Audit says what became of a project's events since this node started, and what still waits. */
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
  /** Removed by retention: events that grew too old, and those that were when they came. */
  expired_events: number;
  late_events: number;
}

/** RefusedRequest counts requests that were refused, of one kind. It holds nothing that a client made up: no key, no id, no part of a path or of a name that the server does not know. */
export interface RefusedRequest {
  method: string;
  /** a route of the API, or known words and "…" for all others */
  path: string;
  status: number;
  code: string;
  /** by its User-Agent, without the version */
  client: string;
  /** "project", or "unknown" without a valid key */
  caller: string;
  count: number;
  last: string;
}

/** BatchEventError says why one event of a batch failed. */
export interface BatchEventError {
  /** event_id is the id as sent, or "" when the event had none that could be read. */
  event_id: string;
  /** error is the sentence for people; it begins with one of the documented openings. */
  error: string;
  /** details names the rule that was broken and its limit. */
  details: string;
  /** code is stable and listed in docs/api.md. */
  code: string;
  /** retryable is true when the same event may be accepted later. */
  retryable: boolean;
}

/** EventFact is one of the events that were stored under one id. */
export interface EventFact {
  event_type: string;
  batch_id: string;
  /** when the server received it */
  at: string;
  /** what it is about */
  entity_id?: string;
  /** that it names */
  trace_id?: string;
}

/** EventReceipt is the answer of GET /v1/telemetry/events/{event_id}. */
export interface EventReceipt {
  event_id: string;
  /** status is "stored" or "failed". */
  status: string;
  event_type?: string;
  batch_id: string;
  at: string;
  error?: BatchEventError;
  /** facts are the events that were stored under this id, oldest first, when they are several: an id that comes again with other content, once its deduplication has ended or without one, is an event of its own. */
  facts?: EventFact[];
  /** notes say in words what of a stored event is read otherwise than it was sent (see BatchResponse.Notes), and how the server read what was left open: of which trace's observation an event speaks that names none while several have one. */
  notes?: string[];
}

/** ApiKey is a key as the API shows it: never its secret, never its hash. */
export interface ApiKey {
  id: string;
  name: string;
  /** the secret's beginning, with "bk_" */
  prefix: string;
  scopes: string[];
  created_at: string;
  revoked_at: string | null;
}

/** Project is a project as its own keys see it. */
export interface Project {
  name: string;
  active_keys: number;
  /** of its first key */
  created_at: string;
}

/** Budget is what may be spent in each period. */
export interface Budget {
  /** its own within the project: 1 to 64 of a-z, 0-9, dash, underscore and dot */
  name: string;
  /** day or month */
  period: string;
  /** the IANA name of the zone by whose clock it begins; absent: UTC */
  tz?: string;
  /** only what this user spent */
  user_id?: string;
  /** only calls of this model */
  model?: string;
  /** only what is of this environment */
  environment?: string;
  /** only what the key of this id brought, revoked or not */
  key_id?: string;
  /** USD; absent: no such level */
  warn?: number;
  /** the same; not below warn */
  stop?: number;
}

/** BudgetAlert is a level that was reached, with what was known then. */
export interface BudgetAlert {
  /** the same whenever this level of this budget is told of this period */
  id: string;
  /** warn or stop */
  level: string;
  /** how high it was */
  level_usd: number;
  /** what was spent then */
  spend_usd: number;
  /** calls whose cost was not known then */
  unpriced_count: number;
  period_start: string;
  period_end: string;
  /** when that was seen */
  at: string;
  /** delivery is what became of it: pending, sent or dropped; none when there was no webhook. */
  delivery?: string;
}

/** BudgetStatus is a budget and how it stands. */
export interface BudgetStatus extends Budget {
  /** key_name is the name of the key of key_id; absent when it has none, and of a budget of no key. */
  key_name?: string;
  /** period_start is when the present period began; null before the first look. */
  period_start: string | null;
  /** period_end is when it ends; null before the first look. */
  period_end: string | null;
  /** spend_usd is the cost of the calls that began in it, in USD, as GET /v1/stats has it; null before the first look. */
  spend_usd: number | null;
  /** unpriced_count is how many calls have no cost that is known: with them it is more. */
  unpriced_count: number;
  /** expired is true when retention has removed a part of the period: what it cost is not in the spend. */
  expired: boolean;
  /** reached is the highest level that the spend has reached: warn, stop, or "" for none. */
  reached: string;
  /** at is when that was looked at. */
  at: string | null;
  /** fault is true when the last look failed: the figures, if any, are those before. */
  fault: boolean;
  /** alerts are the levels of this period, and late ones of that before, that were told. */
  alerts: BudgetAlert[];
}

/** BudgetList is the budgets of a project. */
export interface BudgetList {
  /** as they are set */
  budgets: Budget[];
  /** the same, each with how it stands by the last look */
  status: BudgetStatus[];
}

/** SQLColumn is a column of an answer. Its type is the engine's name for it. */
export interface SQLColumn {
  name: string;
  type: string;
}

/** SQLAnswer is the answer, where neither CSV nor Parquet was asked for. */
export interface SQLAnswer {
  columns: SQLColumn[];
  /** each a list of values, in the order of columns */
  rows: unknown[][];
  /** there are more rows */
  truncated: boolean;
  took_ms: number;
}

/** AlertDestination is where changes are told. */
export interface AlertDestination {
  /** given by the server; with it what is masked stays as it is */
  id?: string;
  /** webhook, slack or command */
  kind: string;
  /** of a webhook and of Slack; shown without its path, which may be a secret */
  url?: string;
  /** of a webhook: whsec_ and 24 to 64 bytes in base64, by which requests are signed; never shown again. Absent: one is made, and shown once */
  secret?: string;
  /** of a command: its name in the server's --alert-command */
  command?: string;
}

/** AlertRule is what is watched, and what of it is told. */
export interface AlertRule {
  /** its own within the project: 1 to 64 of a-z, 0-9, dash, underscore and dot, a letter or digit first */
  name: string;
  /** what it means and what to do; sent along; at most 2000 characters */
  description?: string;
  /** one metric, of, group_by and filters as GET /v1/stats has them after "?"; at most 8 KiB */
  question: string;
  /** how much time is asked about: 1m to 30d */
  window: string;
  /** how long before now the window ends, so that what comes late counts: 0s to 1d; 1m when absent */
  lag: string;
  /** how far apart the looks are: 30s to 1d; 1m when absent */
  every: string;
  /** above or below: on which side of a threshold a value must be */
  comparison: string;
  /** absent: there is no such level */
  warning?: number;
  /** the same; it is passed later than the warning */
  alert?: number;
  /** how many looks in a row must say so before the state changes, in any direction: 1 to 100; 1 when absent */
  for: number;
  /** what it means that there is no value: ok, keep (the state stays), warning or alert; keep when absent */
  no_data: string;
  /** where changes are told, at most 5; none: they are shown only */
  destinations: AlertDestination[];
  /** nothing is looked at, and the state is ok */
  disabled?: boolean;
}

/** AlertGroup is what the last look found of a rule, or of one of its groups. */
export interface AlertGroup {
  /** the group, by column; absent without group_by */
  by?: Record<string, number | string>;
  /** ok, warning or alert */
  state: string;
  /** since when; null: it never was anything else, or that is long ago */
  since: string | null;
  /** null: there is none */
  value: number | null;
  /** there was no value, and the rule says what that means */
  no_data: boolean;
}

/** AlertRow is a rule and how it stands. Secrets and paths of addresses are masked in it. */
export interface AlertRow extends AlertRule {
  /** metric is what the question asks for. */
  metric: string;
  /** updated_at is when it was last put. */
  updated_at: string;
  /** updated_by is the id of the key that did. */
  updated_by: string;
  /** state is ok, warning or alert: the worst of its groups. */
  state: string;
  /** since is since when it is; null: it never was anything else. */
  since: string | null;
  /** at is when it was last looked at; null: not yet. */
  at: string | null;
  /** fault is why the last look found nothing, or not all; "" when it did. */
  fault: string;
  /** groups is what the last look found, the worst first, at most 100; one without group_by. */
  groups: AlertGroup[];
  /** pending is how many messages of it are still to be sent. */
  pending: number;
}

/** AlertChange is what is told: a rule, or one of its groups, has another state than before. */
export interface AlertChange {
  /** of the change: the same whenever and wherever it is sent */
  id: string;
  project: string;
  /** of the rule */
  name: string;
  /** a sentence for people */
  text: string;
  description?: string;
  /** ok, warning or alert */
  state: string;
  /** what it was */
  state_before: string;
  /** the group, by column; absent without group_by */
  by?: Record<string, number | string>;
  metric: string;
  /** null: there was none */
  value: number | null;
  /** there was no value, and the rule says what that means */
  no_data?: boolean;
  comparison: string;
  warning?: number;
  alert?: number;
  question: string;
  /** what was asked about: from ≤ time < to */
  from: string;
  /** its end */
  to: string;
  /** why, when it is not for a value: the rule was changed, or disabled */
  reason?: string;
  /** when that was seen */
  at: string;
}

/** AlertMessage is the body of a request to a webhook, and what a command reads: type, timestamp and data, as the specification of Standard Webhooks has it. */
export interface AlertMessage {
  /** alert.changed, or alert.test when somebody tries a rule out */
  type: string;
  /** when what it tells happened */
  timestamp: string;
  data: AlertChange;
}

/** AlertDelivery is a message to one destination, and what became of it. */
export interface AlertDelivery {
  /** of the change, which each destination is told under */
  id: string;
  /** its id */
  destination: string;
  /** webhook, slack or command */
  kind: string;
  /** where it goes, without what may be a secret */
  to: string;
  message: AlertMessage;
  /** pending, sent or given_up */
  state: string;
  attempts: number;
  /** when it is tried again */
  next?: string;
  /** what the last attempt came to: a status, an exit code, or why there was none */
  last?: string;
  /** when that was */
  last_at?: string;
}

/** AlertSent is what became of a test message. */
export interface AlertSent {
  /** its id */
  destination: string;
  kind: string;
  to: string;
  taken: boolean;
  /** a status, an exit code, or why there was none */
  answer: string;
}

/** AlertTrial is what a rule finds when it is tried out. */
export interface AlertTrial {
  /** what was asked about: from ≤ time < to */
  from: string;
  /** its end */
  to: string;
  groups: AlertGroup[];
  /** what would be told if it were found as often in a row as the rule asks for */
  messages: AlertMessage[];
  /** what became of test messages; empty when none were sent */
  sent: AlertSent[];
}

/** Judge says which traces are judged, by whom, and what for. */
export interface Judge {
  /** its own within the project: 1 to 64 of a-z, 0-9, dash, underscore and dot, a letter or digit first */
  name: string;
  /** at most 2000 characters */
  description?: string;
  /** which traces, as the filters of lists say it; all when absent */
  filter?: string;
  /** the share of these that is judged, by trace id: above 0, to 1; 1 when absent */
  sample: number;
  /** for how long nothing of a trace has come before it is judged: 1s to 1h; 1m when absent */
  quiet: string;
  score: JudgeScore;
  /** llm or webhook */
  kind: string;
  /** of llm: an endpoint in the shape of OpenAI's chat completions, such as https://api.openai.com/v1/chat/completions; shown without its path */
  url: string;
  /** key is sent as Authorization: Bearer. Shown masked; absent, or as it is shown: it stays what it is. */
  key?: string;
  /** model is that of llm. */
  model?: string;
  /** prompt is what a model is asked, of llm: {{input}}, {{output}}, {{name}} and {{metadata}} stand for the trace's, each cut at 64 KiB. At most 32 KiB. */
  prompt?: string;
  /** parameters are members of the request beside model and messages, of llm, such as {"temperature": 0}. */
  parameters?: Sent | null;
  /** 1 to 100 000; 1000 when absent. Days are UTC's */
  max_calls_per_day: number;
  /** US dollars; absent: there is no bound but the calls */
  max_cost_per_day?: number;
  /** nothing is judged */
  disabled?: boolean;
}

/** JudgeScore says what is given. */
export interface JudgeScore {
  /** at most 200 characters */
  name: string;
  /** NUMERIC, BOOLEAN or CATEGORICAL */
  data_type: string;
  /** of NUMERIC: the lowest value that is taken */
  min?: number;
  /** the highest */
  max?: number;
  /** of CATEGORICAL: 1 to 50 */
  categories?: string[];
}

/** JudgeSpending is what was spent of the budget, of the day that it is in UTC. */
export interface JudgeSpending {
  /** made, failed ones too */
  calls: number;
  /** US dollars, of those whose price is known */
  cost: number;
}

/** JudgeDecided is what became of traces, since the rule was first put. */
export interface JudgeDecided {
  /** have a score */
  judged: number;
  /** the judge had none to give */
  nothing: number;
  /** after five attempts */
  given_up: number;
  /** were left out, because the day's budget was used up */
  over: number;
}

/** JudgeRow is a rule and how it stands. Its key and the path of its address are masked. */
export interface JudgeRow extends Judge {
  /** when it was last put */
  updated_at: string;
  /** the id of the key that did */
  updated_by: string;
  today: JudgeSpending;
  total: JudgeDecided;
  /** why the last look or call failed; "" when it did not */
  fault: string;
}

/** PromptVersion is one version of a prompt: the answer of GET /v1/prompts/{name}. What a version says never changes; its labels move. */
export interface PromptVersion {
  /** NAME@VERSION */
  id: string;
  /** the project of the key */
  project_id: string;
  /** 1 to 100 letters, digits, "-", "_" and "." */
  name: string;
  /** from 1; 0 of a fallback */
  version: number;
  /** text or chat */
  type: string;
  /** description and Tags are the prompt's, of all its versions. */
  description: string;
  tags: string[];
  template: PromptTemplate;
  /** config is an object of what goes with the prompt, such as a model and its parameters; null when there is none. */
  config: Sent | null;
  /** of the template, in the order in which they first stand there */
  variables: string[];
  /** of this version, sorted; the newest one's have latest */
  labels: string[];
  commit_message: string;
  /** the id of the key that made the version */
  created_by: string;
  created_at: string;
  /** of the prompt: a version, a label or the description */
  updated_at: string;
  /** the text that was compiled in, because the server had none */
  is_fallback: boolean;
}

/** PromptTemplate is Content, or Messages. In both {{name}} stands for a variable: a letter or "_", then letters, digits and "_", with or without blanks around it. Other braces are text. */
export interface PromptTemplate {
  content?: string;
  messages?: PromptMessage[];
}

/** PromptMessage is a message of a chat. */
export interface PromptMessage {
  /** system, user, assistant, tool or another word */
  role: string;
  content: string;
  name?: string;
  tool_call_id?: string;
}

/** PromptLabel is a label of a prompt, and the version that has it. */
export interface PromptLabel {
  name: string;
  version: number;
}

/** PromptSummary is a prompt in a list. */
export interface PromptSummary {
  /** its name */
  id: string;
  project_id: string;
  name: string;
  /** text or chat */
  type: string;
  description: string;
  tags: string[];
  /** by name, latest too */
  labels: PromptLabel[];
  latest_version: number;
  /** how many there are */
  versions: number;
  created_at: string;
  updated_at: string;
}

/** PromptPage is a list of prompts, with the pages that clients count. */
export interface PromptPage {
  /** true */
  success: boolean;
  data: PromptSummary[];
  /** null on the last page */
  next_cursor: string | null;
  meta: PromptMeta;
}

/**  */
export interface PromptMeta {
  pagination: PromptPagination;
}

/**  */
export interface PromptPagination {
  /** from 1 */
  page: number;
  /** rows of a page */
  limit: number;
  /** rows of all pages */
  total: number;
  total_pages: number;
}

/** PromptVersions is the versions of a prompt. */
export interface PromptVersions {
  /** true */
  success: boolean;
  data: PromptVersion[];
  /** null: these are all */
  next_cursor: string | null;
}

/** Saved is what every item has. */
export interface Saved {
  /** unique in the project, 1 to 200 characters */
  name: string;
  /** when it was last put */
  updated_at: string;
  /** the id of the key that did */
  updated_by: string;
}

/** ScoreDefinition says how people give a score: which values it may have, and what they mean. Scores that programs send are taken whatever it says. */
export interface ScoreDefinition extends Saved {
  /** NUMERIC, BOOLEAN or CATEGORICAL */
  data_type: string;
  /** of NUMERIC: the lowest value */
  min?: number;
  /** of NUMERIC: the highest value */
  max?: number;
  /** of CATEGORICAL: 1 to 100, in the order in which they are shown */
  categories?: string[];
  /** what the values mean; at most 2000 characters */
  description?: string;
}

/** SavedView is a list as somebody wants to look at it again. */
export interface SavedView extends Saved {
  /** traces, observations, sessions, users or scores */
  page: string;
  /** filters, time and order as the page's address has them after "?"; at most 8 KiB */
  query: string;
  /** those that are shown, in their order; none: the usual ones */
  columns?: ViewColumn[];
}

/** ViewColumn is one column of a view. */
export interface ViewColumn {
  /** as the page calls it */
  key: string;
  /** pixels, 30 to 2000; 0: the usual */
  width?: number;
}

/** SavedChart is a question to statistics that a dashboard draws, for whatever time is looked at. */
export interface SavedChart extends Saved {
  /** metrics, of, group_by and filters as GET /v1/stats has them after "?"; at most 8 KiB */
  question: string;
  /** line, bars or table */
  look: string;
  /** the axis is logarithmic */
  log?: boolean;
}

/** Dataset says what a dataset is. */
export interface Dataset {
  id: string;
  /** the project's name */
  project_id: string;
  /** unique in the project, 1 to 200 characters */
  name: string;
  description?: string;
  /** a JSON object, at most 64 KiB */
  metadata?: Sent | null;
  /** item_count is the items of the version that is read when none is asked for. */
  item_count: number;
  /** current_version is the version that is pinned; null: the latest is read. */
  current_version: number | null;
  current_version_id: string | null;
  /** 0 before there was an item */
  latest_version: number;
  created_at: string;
  /** of the last change, of items, too */
  updated_at: string;
}

/** DatasetItem is one case of a dataset. */
export interface DatasetItem {
  /** 1 to 128 printable ASCII characters without space; made when there is none */
  id: string;
  /** the dataset's */
  dataset_id: string;
  /** any JSON but null */
  input: Sent | null;
  /** any JSON */
  expected?: Sent | null;
  /** a JSON object */
  metadata?: Sent | null;
  /** manual, trace, span, csv, json or sdk */
  source: string;
  /** the trace that it was made of */
  source_trace_id?: string;
  /** the observation that it was made of */
  source_span_id?: string;
  /** when its id was first put */
  created_at: string;
  /** when it was put as it is */
  updated_at: string;
}

/** DatasetVersion is what a change of the items made. */
export interface DatasetVersion {
  /** "v" and the number */
  id: string;
  dataset_id: string;
  /** counts from 1 */
  version: number;
  /** of the whole dataset */
  item_count: number;
  description?: string;
  metadata?: Sent | null;
  /** the id of the key that made it */
  created_by: string;
  created_at: string;
}

/** ImportTold says what became of the rows of an import. */
export interface ImportTold {
  /** items that are new */
  created: number;
  /** items that were there with other content */
  updated: number;
  /** rows that are there as they are */
  skipped: number;
  /** rows that were not taken */
  failed: number;
  /** what is wrong with each of these, by its line; at most a hundred */
  errors: string[];
  /** of the dataset, in which all of it is */
  version: number;
}

/** Experiment is the record of a run over items. What came of it are the traces with its tag. */
export interface Experiment {
  id: string;
  /** 1 to 200 characters; several experiments may have one */
  name: string;
  description?: string;
  /** "" when it is of no dataset */
  dataset_id: string;
  /** whose items it is over; 0 when it is of no dataset */
  dataset_version: number;
  /** pending, running, completed or failed */
  status: string;
  /** dataset or spans */
  source: string;
  metadata?: Sent | null;
  created_at: string;
  updated_at: string;
  /** when it began to run; null before */
  started_at: string | null;
  /** when it was completed or failed; null before */
  ended_at: string | null;
  /** the id of the key that made it */
  created_by: string;
}

/** ScoreMean is a mean with the interval in which it is with 95 % confidence. */
export interface ScoreMean {
  /** how many values it is of */
  n: number;
  mean: number;
  low: number;
  high: number;
}

/** ScoreDifference is how much the values of a second run are above those of a first one, over the items that both have. */
export interface ScoreDifference {
  /** items that both have */
  n: number;
  /** of these, of the first run */
  mean_a: number;
  /** of these, of the second run */
  mean_b: number;
  /** mean_b - mean_a */
  difference: number;
  /** of the difference, with 95 % confidence */
  low: number;
  high: number;
  /** two-sided: how often chance alone gives a difference as large; 1 when there is none */
  p: number;
  /** significant says that the interval is on one side of zero and P is below 0.05. */
  significant: boolean;
}

/** ScoreSummary is what the scores of a name are in an experiment. */
export interface ScoreSummary extends ScoreMean {
  name: string;
  std_dev: number;
  min: number;
  max: number;
}

/** ExperimentSummary is an experiment and what came of it. */
export interface ExperimentSummary extends Experiment {
  /** traces with its tag */
  results: number;
  /** of these, those with the status error */
  errors: number;
  /** its scores by name */
  summary: ScoreSummary[];
}

/** ExperimentResult is what an experiment made of an item: its trace. */
export interface ExperimentResult {
  trace_id: string;
  /** "" when the trace names none */
  item_id: string;
  /** which try it is, from 1 */
  trial: number;
  input_preview: string;
  output_preview: string;
  /** of the trace: ok, error or aborted */
  status: string;
  latency_ms: number | null;
  total_cost: number | null;
  total_tokens: number;
  /** the mean of each name's */
  scores: Record<string, number>;
}

/** ScoreChange is how a score changed from A to B, over the items that have it in both. */
export interface ScoreChange extends ScoreDifference {
  name: string;
  /** items whose value rose */
  better: number;
  /** items whose value fell */
  worse: number;
  same: number;
}

/** ComparedItem is an item in both. */
export interface ComparedItem {
  item_id: string;
  /** better, worse, mixed (some scores rose, some fell), same, or only_a, only_b */
  change: string;
  /** null: A has none */
  a: ExperimentResult | null;
  b: ExperimentResult | null;
}

/** Compared is an experiment beside another one. */
export interface Compared {
  a: Experiment;
  b: Experiment;
  /** by name */
  scores: ScoreChange[];
  /** of the items that either has, those that got worse first, then those that got better */
  rows: ComparedItem[];
  /** items that only A has */
  only_a: number;
  only_b: number;
}

/** ComparedExperiments is two experiments side by side, with a page of the items. */
export interface ComparedExperiments extends Compared {
  /** items by their change */
  counts: Record<string, number>;
  /** items in all pages */
  total: number;
  page: number;
  limit: number;
}
