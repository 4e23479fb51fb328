import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { request, seg } from "../api.ts";
import type { JudgeRow } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";

interface Props {
  of?: JudgeRow; // absent: a new one
  onClose: () => void;
  onSaved: () => void;
}

const number = (text: string) => (text.trim() === "" ? undefined : Number(text));
const shown = (n: number | undefined) => (n === undefined ? "" : String(n));

/** JudgeForm asks which traces are judged, by whom, and what for. */
export function JudgeForm({ of: j, onClose, onSaved }: Props): JSX.Element {
  const [name, setName] = useState(j?.name ?? "");
  const [filter, setFilter] = useState(j?.filter ?? "");
  const [sample, setSample] = useState(String(j?.sample ?? 1));
  const [score, setScore] = useState(j?.score.name ?? "");
  const [type, setType] = useState(j?.score.data_type ?? "NUMERIC");
  const [min, setMin] = useState(shown(j ? j.score.min : 0));
  const [max, setMax] = useState(shown(j ? j.score.max : 1));
  const [categories, setCategories] = useState((j?.score.categories ?? []).join(", "));
  const [kind, setKind] = useState(j?.kind ?? "llm");
  const [address, setAddress] = useState(j?.url ?? "");
  const [key, setKey] = useState(j?.key ?? "");
  const [model, setModel] = useState(j?.model ?? "");
  const [prompt, setPrompt] = useState(
    j?.prompt ?? "Asked:\n{{input}}\n\nAnswered:\n{{output}}\n\nHow good is the answer?",
  );
  const [calls, setCalls] = useState(String(j?.max_calls_per_day ?? 1000));
  const [most, setMost] = useState(shown(j?.max_cost_per_day));
  const [disabled, setDisabled] = useState(j?.disabled ?? false);
  const { busy, error, run } = useDoing();
  const llm = kind === "llm";
  const save = () =>
    run(async () => {
      const body = {
        description: j?.description || undefined,
        quiet: j?.quiet || undefined,
        filter: filter.trim() || undefined,
        sample: Number(sample),
        score: {
          name: score.trim(),
          data_type: type,
          ...(type === "NUMERIC" ? { min: number(min), max: number(max) } : {}),
          ...(type === "CATEGORICAL"
            ? {
                categories: categories
                  .split(",")
                  .map(c => c.trim())
                  .filter(Boolean),
              }
            : {}),
        },
        kind,
        url: address.trim(),
        key: key.trim() || undefined,
        ...(llm ? { model: model.trim(), prompt, parameters: j?.parameters, max_cost_per_day: number(most) } : {}),
        max_calls_per_day: Number(calls),
        disabled: disabled || undefined,
      };
      await request(`/v1/judges/${seg(name.trim())}`, { method: "PUT", body });
      onSaved();
    });
  const field = (id: string, label: string, value: string, set: (v: string) => void, more: object = {}) => (
    <>
      <label for={`judge-${id}`}>{label}</label>
      <input id={`judge-${id}`} type="text" value={value} onInput={e => set(e.currentTarget.value)} {...more} />
    </>
  );
  const choice = (id: string, label: string, value: string, set: (v: string) => void, all: [string, string][]) => (
    <>
      <label for={`judge-${id}`}>{label}</label>
      <select id={`judge-${id}`} value={value} onChange={e => set(e.currentTarget.value)}>
        {all.map(([v, title]) => (
          <option key={v} value={v}>
            {title}
          </option>
        ))}
      </select>
    </>
  );
  return (
    <Dialog title={j ? `Change ${j.name}` : "Add a judge"} onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          void save();
        }}
      >
        {field("name", "Name", name, setName, {
          required: true,
          maxLength: 64,
          disabled: j !== undefined,
          placeholder: "helpful",
        })}
        {field("filter", "Which traces (a filter; empty: all)", filter, setFilter, {
          placeholder: "name:support-agent env:production",
        })}
        {field("sample", "Share of these that is judged, 0 to 1", sample, setSample, {
          required: true,
          inputMode: "decimal",
        })}
        {field("score", "Score", score, setScore, { required: true, maxLength: 200, placeholder: "helpful" })}
        {choice("type", "Its values", type, setType, [
          ["NUMERIC", "numbers"],
          ["BOOLEAN", "yes or no"],
          ["CATEGORICAL", "categories"],
        ])}
        {type === "NUMERIC" && field("min", "At least", min, setMin, { inputMode: "decimal" })}
        {type === "NUMERIC" && field("max", "At most", max, setMax, { inputMode: "decimal" })}
        {type === "CATEGORICAL" &&
          field("categories", "Categories, with commas", categories, setCategories, { required: true })}
        {choice("kind", "Judged by", kind, setKind, [
          ["llm", "a model"],
          ["webhook", "a program of your own"],
        ])}
        {field("url", llm ? "Endpoint, in the shape of OpenAI's chat completions" : "Address", address, setAddress, {
          required: true,
          placeholder: llm ? "https://api.openai.com/v1/chat/completions" : "https://scorer.example/judge",
        })}
        {field("key", "Key (sent as a bearer token; not shown again)", key, setKey, { autocomplete: "off" })}
        {llm && field("model", "Model", model, setModel, { required: true, placeholder: "gpt-4o-mini" })}
        {llm && (
          <>
            <label for="judge-prompt">Prompt</label>
            <textarea
              id="judge-prompt"
              required
              rows={8}
              value={prompt}
              onInput={e => setPrompt(e.currentTarget.value)}
            />
          </>
        )}
        {field("calls", "Calls a day, at most", calls, setCalls, { required: true, inputMode: "numeric" })}
        {llm && field("cost", "US dollars a day, at most (empty: no bound)", most, setMost, { inputMode: "decimal" })}
        <label class="item check">
          <input type="checkbox" checked={disabled} onChange={e => setDisabled(e.currentTarget.checked)} /> Disabled
        </label>
        {error && <Failure error={error} />}
        <p class="actions">
          <button type="submit" class="button primary" disabled={busy}>
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
