// What a person says of a trace in the page: events as any other, with who said it.
import { pages, request } from "../api.ts";
import type { Failed, Outcome, Subject } from "../bulk/bulk.ts";
import { listed } from "../terms.ts";
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

const AT_ONCE = 100; // events of a request

/** Said is one event about a subject. */
interface Said {
  of: Subject;
  type: string;
  payload: Payload;
}

interface Answer {
  errors?: { event_id: string; error: string; details?: string }[];
}

// recordAll sends many events, those of one environment together, and tells which were not stored.
async function recordAll<T>(
  items: T[],
  said: (item: T) => Said,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  const out: Outcome<T> = { done: 0, failed: [], left: [] };
  let sent = 0;
  const events = items.map(item => ({ item, id: newID(), said: said(item) }));
  const batches: { environment: string; events: typeof events }[] = [];
  for (const e of events) {
    const { environment } = e.said.of;
    const batch = batches.find(b => b.environment === environment && b.events.length < AT_ONCE);
    if (batch) batch.events.push(e);
    else batches.push({ environment, events: [e] });
  }
  for (const [i, batch] of batches.entries()) {
    const rest = (from: number) => batches.slice(from).flatMap(b => b.events.map(e => e.item));
    if (signal.aborted) return { ...out, left: rest(i) };
    const body = {
      environment: batch.environment || undefined,
      events: batch.events.map(e => ({ event_id: e.id, event_type: e.said.type, payload: e.said.payload })),
    };
    try {
      const { errors = [] } = await request<Answer>("/v1/ingest/batch", { method: "POST", body });
      const failed = batch.events.flatMap((e): Failed<T>[] => {
        const found = errors.find(x => x.event_id === e.id);
        return found ? [{ item: e.item, why: found.details || found.error }] : [];
      });
      out.failed.push(...failed);
      out.done += batch.events.length - failed.length;
    } catch (e) {
      out.failed.push(...batch.events.map(x => ({ item: x.item, why: (e as Error).message })));
      return { ...out, left: rest(i + 1) };
    }
    sent += batch.events.length;
    progress(sent);
  }
  return out;
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
const said = (about: About, name: string, dataType: string, session: Session): Payload =>
  saidOf({ trace: about.trace.id, observation: about.observation }, name, dataType, session);

const saidOf = (
  of: Pick<Subject, "trace" | "observation">,
  name: string,
  dataType: string,
  session: Session,
): Payload => ({
  trace_id: of.trace,
  observation_id: of.observation || undefined,
  name,
  data_type: dataType,
  source: "HUMAN",
  author_user_id: session.key_name || session.key_id,
});

// mineOf are the scores of this name that the person has given those already, by what they are about.
async function mineOf(of: Subject[], name: string, session: Session, signal: AbortSignal): Promise<Map<string, Score>> {
  const traces = [...new Set(of.map(s => s.trace))];
  const found = new Map<string, Score>();
  for (const filter of listed("trace", traces)) {
    const params = { name, key_id: session.key_id, source: "HUMAN", filter };
    for await (const rows of pages<Score>("/v1/scores", params, signal)) {
      for (const s of rows) {
        const about = aboutKey({ trace: s.trace_id, observation: s.observation_id });
        if (!found.has(about)) found.set(about, s); // the newest come first
      }
    }
  }
  return found;
}

const aboutKey = (of: Pick<Subject, "trace" | "observation">): string => `${of.trace}\n${of.observation}`;

/** giveScores gives each of them this score, or changes the one that the person has given. */
export async function giveScores<T>(
  items: T[],
  subject: (item: T) => Subject,
  score: { name: string; dataType: string; value: ScoreValue },
  session: Session,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  const before = await mineOf(items.map(subject), score.name, session, signal);
  const say = (item: T): Said => {
    const of = subject(item);
    const own = before.get(aboutKey(of));
    return {
      of,
      type: own ? "quality_score_update" : "quality_score_create",
      payload: {
        id: own?.id ?? newID(),
        ...saidOf(of, score.name, score.dataType, session),
        ...(score.dataType === "CATEGORICAL" ? { string_value: score.value } : { value: Number(score.value) }),
      },
    };
  };
  return recordAll(items, say, progress, signal);
}

/** addTags adds a tag to each of them. */
export function addTags<T>(
  items: T[],
  subject: (item: T) => Subject,
  tag: string,
  progress: (sent: number) => void,
  signal: AbortSignal,
): Promise<Outcome<T>> {
  const say = (item: T): Said => {
    const of = subject(item);
    return { of, type: "trace_update", payload: { id: of.trace, tags: [tag] } };
  };
  return recordAll(items, say, progress, signal);
}

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
