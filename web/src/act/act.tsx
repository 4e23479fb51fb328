import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get } from "../api.ts";
import { may, useSession } from "../signedin.ts";
import type { Page, ScoreDefinition } from "../types.ts";
import { Failure, Time } from "../ui/bits.tsx";
import { useDoing } from "../ui/doing.ts";
import { lazy } from "../ui/lazy.tsx";
import { useLoad } from "../ui/load.ts";
import { definitionsOf } from "./definitions.ts";
import { GiveScore } from "./givescore.tsx";
import { type About, addNote, isNote, type NoteKind } from "./record.ts";
import { Tags } from "./tags.tsx";

const AddToDataset = lazy(() => import("../dataset/add.tsx").then(m => m.AddToDataset));

interface Props {
  about: About;
  output: string; // as text, to begin a correction with
  at: number; // which score to go to, from 1; 0: none
  changed: () => void; // loads the trace again
}

/** Act is where a person says something of a trace or of an observation. Who may only read sees what others said. */
export function Act({ about, output, at, changed }: Props): JSX.Element {
  const session = useSession();
  const writes = may(session, "ingest");
  const definitions = useLoad(
    signal => (writes ? get<Page<ScoreDefinition>>("/v1/score-definitions", {}, signal) : Promise.resolve(undefined)),
    [writes],
  );
  const all = definitions.data && definitionsOf(definitions.data.data);
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: once they are there, not whenever they are loaded again
  useEffect(() => {
    if (!at || !all) return;
    const place = box.current?.querySelectorAll<HTMLElement>(".give-score")[at - 1];
    (
      place?.querySelector<HTMLElement>("[aria-pressed=true]") ?? place?.querySelector<HTMLElement>("button, input")
    )?.focus();
  }, [at, all?.length]);
  const notes = about.trace.score_list
    .filter(s => isNote(s) && (!about.observation || s.observation_id === about.observation))
    .sort((a, b) => (a.timestamp < b.timestamp ? -1 : 1));
  const note = (kind: NoteKind) => async (text: string) => {
    await addNote(about, kind, text, session);
    changed();
  };
  const id = about.observation; // what is written of one is not of another
  return (
    <div class="act" ref={box}>
      {definitions.error && <Failure error={definitions.error} again={definitions.reload} />}
      {writes &&
        all?.map((d, i) => (
          <GiveScore
            key={`${d.name} ${id}`}
            definition={d}
            number={i + 1}
            about={about}
            session={session}
            changed={changed}
          />
        ))}
      {!about.observation && writes && <Tags trace={about.trace} changed={changed} />}
      {notes.length > 0 && (
        <ul class="notes" aria-label="Comments and corrections">
          {notes.map(n => (
            <li key={n.id}>
              <p class="muted small">
                {n.string_value === "correction" ? "Corrected output" : "Comment"} by{" "}
                {n.author_user_id || "nobody named"}, <Time at={n.timestamp} />
              </p>
              <p class="plain">{n.comment}</p>
            </li>
          ))}
        </ul>
      )}
      {writes && (
        <>
          <Say key={`comment ${id}`} label="Comment" begin="" say={note("comment")} />
          <Say key={`correction ${id}`} label="Corrected output" begin={output} say={note("correction")} />
          <ToDataset key={`dataset ${id}`} about={about} />
        </>
      )}
    </div>
  );
}

// ToDataset adds the trace, or the observation, to a dataset.
function ToDataset({ about }: { about: About }): JSX.Element {
  const [open, set] = useState(false);
  return (
    <>
      <button type="button" class="button quiet" onClick={() => set(true)}>
        Add to dataset…
      </button>
      {open && (
        <AddToDataset
          what={about.observation ? "this observation" : "this trace"}
          traces={[about.trace.id]}
          span={about.observation}
          onClose={() => set(false)}
        />
      )}
    </>
  );
}

interface SayProps {
  label: string;
  begin: string; // what stands there at first
  say: (text: string) => Promise<void>;
}

// Say is a text that is opened, written and sent.
function Say({ label, begin, say }: SayProps): JSX.Element {
  const [text, set] = useState<string | null>(null);
  const { busy, error, run } = useDoing();
  const area = useRef<HTMLTextAreaElement>(null);
  const open = text !== null;
  useEffect(() => {
    if (open) area.current?.focus();
  }, [open]);
  if (text === null) {
    return (
      <button type="button" class="button quiet" onClick={() => set(begin)}>
        {label}…
      </button>
    );
  }
  const send = async () => {
    if (await run(() => say(text.trim()))) set(null);
  };
  return (
    <form
      class="say"
      onSubmit={e => {
        e.preventDefault();
        if (text.trim() && text !== begin) void send();
      }}
    >
      <label>
        <span>{label}</span>
        <textarea
          ref={area}
          rows={4}
          maxLength={100_000}
          value={text}
          onInput={e => set(e.currentTarget.value)}
          onKeyDown={e => {
            if (e.key === "Escape") set(null);
            if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) e.currentTarget.form?.requestSubmit();
          }}
        />
      </label>
      {error && <Failure error={error} />}
      <p class="actions">
        <button type="submit" class="button primary" disabled={busy || !text.trim() || text === begin}>
          Save
        </button>
        <button type="button" class="button" onClick={() => set(null)}>
          Cancel
        </button>
      </p>
    </form>
  );
}
