import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ScoreDefinition, Session } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { useDoing } from "../ui/doing.ts";
import { type About, giveScore, mine, type ScoreValue } from "./record.ts";

interface Props {
  definition: ScoreDefinition;
  number: number; // the key that leads here
  about: About;
  session: Session;
  changed: () => void;
}

/** GiveScore gives one score as its definition says, and shows what the person has given. */
export function GiveScore({ definition: d, number, about, session, changed }: Props): JSX.Element {
  const { busy, error, run } = useDoing();
  const given = mine(about, d.name, session);
  const give = async (value: ScoreValue) => {
    if (await run(() => giveScore(about, d.name, d.data_type, value, session))) changed();
  };
  const choices: [ScoreValue, string][] =
    d.data_type === "BOOLEAN"
      ? d.name === "thumbs"
        ? [
            [true, "Thumbs up"],
            [false, "Thumbs down"],
          ]
        : [
            [true, "Yes"],
            [false, "No"],
          ]
      : (d.categories ?? []).map(c => [c, c]);
  const chosen = (v: ScoreValue) =>
    given !== undefined && (typeof v === "boolean" ? given.value === Number(v) : given.string_value === v);
  return (
    <fieldset class="give-score" disabled={busy}>
      <legend>
        {d.name} {number < 10 && <kbd>{number}</kbd>}
      </legend>
      {d.description && <p class="muted small plain">{d.description}</p>}
      {d.data_type === "NUMERIC" ? (
        <NumberField definition={d} value={given?.value ?? null} give={v => void give(v)} />
      ) : (
        <div class="segments">
          {choices.map(([value, title]) => (
            <button key={title} type="button" aria-pressed={chosen(value)} onClick={() => void give(value)}>
              {title}
            </button>
          ))}
        </div>
      )}
      {error && <Failure error={error} />}
    </fieldset>
  );
}

interface NumberProps {
  definition: ScoreDefinition;
  value: number | null;
  give: (value: number) => void;
}

function NumberField({ definition: d, value, give }: NumberProps): JSX.Element {
  const [text, set] = useState(value === null ? "" : String(value));
  const range =
    d.min !== undefined && d.max !== undefined
      ? `${d.min} to ${d.max}`
      : d.min !== undefined
        ? `from ${d.min}`
        : d.max !== undefined
          ? `up to ${d.max}`
          : "a number";
  return (
    <form
      class="give-number"
      onSubmit={e => {
        e.preventDefault();
        if (text !== "") give(Number(text));
      }}
    >
      <input
        type="number"
        step="any"
        min={d.min}
        max={d.max}
        aria-label={`${d.name}, ${range}`}
        placeholder={range}
        value={text}
        onInput={e => set(e.currentTarget.value)}
      />
      <button type="submit" class="button" disabled={text === "" || Number(text) === value}>
        Save
      </button>
    </form>
  );
}
