// What a person says of a trace in the page: events as any other, with who said it.
import { request } from "../api.ts";
import type { Score, Session, Trace } from "../types.ts";

/** About is a trace, or an observation in it. */
export interface About {
  trace: Trace;
  observation: string; // "": the trace itself
}

/** NoteKind is a comment, or an output as it should have been. */
export type NoteKind = "comment" | "correction";

type Payload = Record<string, unknown>;

// record sends one event, and ends when it is stored.
async function record(about: About, type: string, payload: Payload): Promise<void> {
  const event = { event_id: newID(), event_type: type, payload };
  const answer = await request<{ failed_events: number; errors?: { error: string; details?: string }[] }>(
    "/v1/ingest/batch",
    { method: "POST", body: { environment: about.trace.environment || undefined, events: [event] } },
  );
  const [failed] = answer.errors ?? [];
  if (answer.failed_events > 0) throw new Error(failed?.details || failed?.error || "The server refused it.");
}

// newID is 128 random bits: crypto.randomUUID is there with TLS only.
function newID(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, "0")).join("");
}

export type ScoreValue = number | boolean | string;

/** mine is the score of this name that the person has given already, with the key of this session; the newest, if there are several. */
export function mine(about: About, name: string, session: Session): Score | undefined {
  return about.trace.score_list
    .filter(s => s.name === name && s.observation_id === about.observation && s.key_id === session.key_id)
    .sort((a, b) => (a.timestamp < b.timestamp ? 1 : -1))[0];
}

/** giveScore gives a score, or changes the one that the person has given. */
export function giveScore(
  about: About,
  name: string,
  dataType: string,
  value: ScoreValue,
  session: Session,
): Promise<void> {
  const before = mine(about, name, session);
  return record(about, before ? "quality_score_update" : "quality_score_create", {
    id: before?.id ?? newID(),
    ...said(about, name, dataType, session),
    ...(dataType === "CATEGORICAL" ? { string_value: value } : { value: Number(value) }),
  });
}

// said is what every score that a person gives has.
const said = (about: About, name: string, dataType: string, session: Session): Payload => ({
  trace_id: about.trace.id,
  observation_id: about.observation || undefined,
  name,
  data_type: dataType,
  source: "HUMAN",
  author_user_id: session.key_name || session.key_id,
});

/** addTag adds a tag: tags of events unite. */
export function addTag(trace: Trace, tag: string): Promise<void> {
  return record({ trace, observation: "" }, "trace_update", { id: trace.id, tags: [tag] });
}

/** keepTags leaves a trace these tags, and no others. */
export function keepTags(trace: Trace, tags: string[]): Promise<void> {
  return record({ trace, observation: "" }, "trace_update", { id: trace.id, clear: ["tags"], tags });
}

/** NOTE is the name of the scores that comments and corrections are: lists can be filtered by it. */
const NOTE = "note";

/** addNote says something in words, which the score has as its comment. */
export function addNote(about: About, kind: NoteKind, text: string, session: Session): Promise<void> {
  return record(about, "quality_score_create", {
    id: newID(),
    ...said(about, NOTE, "CATEGORICAL", session),
    string_value: kind,
    comment: text,
  });
}

/** isNote tells notes from what is a score. */
export const isNote = (s: Score): boolean =>
  s.name === NOTE && s.source === "HUMAN" && (s.string_value === "comment" || s.string_value === "correction");
