// What is asked before something is done with many rows.
import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { definitionsOf } from "../act/definitions.ts";
import { giveScores, type ScoreValue } from "../act/record.ts";
import { get } from "../api.ts";
import { count } from "../format.ts";
import type { Page, ScoreDefinition, Session } from "../types.ts";
import { Failure, Spinner } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import type { Doing } from "./bar.tsx";
import type { Subject } from "./bulk.ts";

interface AskProps {
  title: string;
  act: string; // of the button
  danger?: boolean;
  ready: boolean;
  onClose: () => void;
  go: () => void;
  children: ComponentChildren;
}

function Ask({ title, act, danger, ready, onClose, go, children }: AskProps): JSX.Element {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          if (!ready) return;
          onClose();
          go();
        }}
      >
        {children}
        <p class="actions">
          <button type="submit" class={`button ${danger ? "danger" : "primary"}`} disabled={!ready}>
            {act}
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}

interface TagProps {
  what: string; // how many of what
  onClose: () => void;
  go: (tag: string) => void;
}

/** TagThese asks for a tag. */
export function TagThese({ what, onClose, go }: TagProps): JSX.Element {
  const [text, set] = useState("");
  const tag = text.trim();
  return (
    <Ask title={`Tag ${what}`} act="Tag" ready={tag !== ""} onClose={onClose} go={() => go(tag)}>
      <label for="bulk-tag">Tag</label>
      <input
        id="bulk-tag"
        type="text"
        required
        maxLength={200}
        autocomplete="off"
        value={text}
        onInput={e => set(e.currentTarget.value)}
      />
      <p class="muted small">It is added; the tags that there are stay.</p>
    </Ask>
  );
}

interface ScoreProps<T> {
  what: string;
  subject: (row: T) => Subject;
  session: Session;
  onClose: () => void;
  go: (doing: Doing<T>) => void;
}

/** ScoreThese asks which score is given, and its value. */
export function ScoreThese<T>({ what, subject, session, onClose, go }: ScoreProps<T>): JSX.Element {
  const { data, error, reload } = useLoad(
    signal => get<Page<ScoreDefinition>>("/v1/score-definitions", {}, signal).then(p => definitionsOf(p.data)),
    [],
  );
  const [name, setName] = useState("");
  const [value, setValue] = useState<ScoreValue | null>(null);
  const chosen = data?.find(d => d.name === name) ?? data?.[0];
  const give = () => {
    if (!chosen || value === null) return;
    const score = { name: chosen.name, dataType: chosen.data_type, value };
    go((rows, progress, signal) => giveScores(rows, subject, score, session, progress, signal));
  };
  return (
    <Ask title={`Score ${what}`} act="Score" ready={value !== null} onClose={onClose} go={give}>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data && chosen && (
        <>
          <label for="bulk-score">Score</label>
          <select
            id="bulk-score"
            value={chosen.name}
            onChange={e => {
              setName(e.currentTarget.value);
              setValue(null);
            }}
          >
            {data.map(d => (
              <option key={d.name} value={d.name}>
                {d.name}
              </option>
            ))}
          </select>
          <Value key={chosen.name} definition={chosen} value={value} set={setValue} />
          <p class="muted small">Where you gave this score before, it is changed.</p>
        </>
      )}
    </Ask>
  );
}

interface ValueProps {
  definition: ScoreDefinition;
  value: ScoreValue | null;
  set: (value: ScoreValue | null) => void;
}

function Value({ definition: d, value, set }: ValueProps): JSX.Element {
  if (d.data_type === "NUMERIC") {
    return (
      <label>
        Value
        <input
          type="number"
          step="any"
          required
          min={d.min}
          max={d.max}
          onInput={e => set(e.currentTarget.value === "" ? null : Number(e.currentTarget.value))}
        />
      </label>
    );
  }
  const choices: [ScoreValue, string][] =
    d.data_type === "BOOLEAN"
      ? [
          [true, "Yes"],
          [false, "No"],
        ]
      : (d.categories ?? []).map(c => [c, c]);
  return (
    <fieldset>
      <legend>Value</legend>
      {choices.map(([v, title]) => (
        <label key={title} class="item check">
          <input type="radio" name="bulk-value" required checked={value === v} onChange={() => set(v)} /> {title}
        </label>
      ))}
    </fieldset>
  );
}

const NAMED = 8;

interface EraseProps {
  what: string;
  names: string[];
  says: string; // what goes with one
  onClose: () => void;
  go: () => void;
}

/** EraseThese says what goes for good, and wants its number typed. */
export function EraseThese({ what, names, says, onClose, go }: EraseProps): JSX.Element {
  const [text, set] = useState("");
  const number = String(names.length);
  return (
    <Ask title={`Erase ${what}?`} act={`Erase ${what}`} danger ready={text.trim() === number} onClose={onClose} go={go}>
      <p class="notice notice-error">
        <Icon name="error" />
        <span>{says} This cannot be undone.</span>
      </p>
      <ul class="bulk-names">
        {names.slice(0, NAMED).map(n => (
          <li key={n} class="ellipsis">
            <code>{n}</code>
          </li>
        ))}
        {names.length > NAMED && <li class="muted">and {count(names.length - NAMED)} more</li>}
      </ul>
      <label for="bulk-sure">Type {number} to confirm</label>
      <input
        id="bulk-sure"
        type="text"
        inputMode="numeric"
        autocomplete="off"
        value={text}
        onInput={e => set(e.currentTarget.value)}
      />
    </Ask>
  );
}
