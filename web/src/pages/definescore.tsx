import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { idPath, request } from "../api.ts";
import type { ScoreDefinition } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";

/** definitionPath is where the definition of this name is. */
export const definitionPath = (name: string): string => idPath("/v1/score-definitions", name);

const types = [
  { value: "BOOLEAN", title: "Yes or no" },
  { value: "NUMERIC", title: "A number" },
  { value: "CATEGORICAL", title: "One of some words" },
];

interface Props {
  definition: ScoreDefinition | undefined; // undefined: a new one
  onClose: () => void;
  onSaved: () => void;
}

/** DefineScore asks how a score is given. */
export function DefineScore({ definition: d, onClose, onSaved }: Props): JSX.Element {
  const [name, setName] = useState(d?.name ?? "");
  const [type, setType] = useState(d?.data_type ?? "BOOLEAN");
  const [min, setMin] = useState(d?.min === undefined ? "" : String(d.min));
  const [max, setMax] = useState(d?.max === undefined ? "" : String(d.max));
  const [words, setWords] = useState((d?.categories ?? []).join("\n"));
  const [says, setSays] = useState(d?.description ?? "");
  const { busy, error, run } = useDoing();
  const save = async () => {
    const bound = (text: string) => (text === "" ? undefined : Number(text));
    const categories = words
      .split("\n")
      .map(w => w.trim())
      .filter(Boolean);
    const body = {
      data_type: type,
      description: says.trim() || undefined,
      ...(type === "NUMERIC" ? { min: bound(min), max: bound(max) } : {}),
      ...(type === "CATEGORICAL" ? { categories } : {}),
    };
    const path = definitionPath(name.trim());
    if (await run(() => request(path, { method: "PUT", body }))) onSaved();
  };
  return (
    <Dialog title={d ? `Change ${d.name}` : "Define a score"} onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          void save();
        }}
      >
        <label for="definition-name">Name</label>
        <input
          id="definition-name"
          type="text"
          required
          maxLength={200}
          disabled={d !== undefined}
          placeholder="helpful"
          value={name}
          onInput={e => setName(e.currentTarget.value)}
        />
        <fieldset>
          <legend>Its value is</legend>
          {types.map(t => (
            <label key={t.value} class="item check">
              <input type="radio" name="type" checked={type === t.value} onChange={() => setType(t.value)} />
              {t.title}
            </label>
          ))}
        </fieldset>
        {type === "NUMERIC" && (
          <div class="definition-range">
            <label>
              At least
              <input type="number" step="any" value={min} onInput={e => setMin(e.currentTarget.value)} />
            </label>
            <label>
              At most
              <input type="number" step="any" value={max} onInput={e => setMax(e.currentTarget.value)} />
            </label>
          </div>
        )}
        {type === "CATEGORICAL" && (
          <label>
            The words, one a line
            <textarea rows={4} required value={words} onInput={e => setWords(e.currentTarget.value)} />
          </label>
        )}
        <label>
          What it means
          <textarea rows={3} maxLength={2000} value={says} onInput={e => setSays(e.currentTarget.value)} />
        </label>
        {error && <Failure error={error} />}
        <p class="actions">
          <button type="submit" class="button primary" disabled={busy || !name.trim()}>
            Save
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}
