import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Trace } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";
import { addTag, keepTags } from "./record.ts";

/** Tags changes the tags of a trace. */
export function Tags({ trace, changed }: { trace: Trace; changed: () => void }): JSX.Element {
  const [text, set] = useState("");
  const [all, setAll] = useState(trace.tags); // at once, also before the trace is loaded again
  useEffect(() => setAll(trace.tags), [trace]);
  const { busy, error, run } = useDoing();
  const change = async (tags: string[], say: () => Promise<void>) => {
    if (!(await run(say))) return;
    setAll(tags);
    set("");
    changed();
  };
  const tag = text.trim();
  return (
    <fieldset class="give-tags" disabled={busy}>
      <legend>Tags</legend>
      {all.map(t => (
        <span key={t} class="badge">
          {t}
          <button
            type="button"
            class="icon-button"
            aria-label={`Remove the tag ${t}`}
            onClick={() => {
              const rest = all.filter(x => x !== t);
              void change(rest, () => keepTags(trace, rest));
            }}
          >
            <Icon name="close" size={11} />
          </button>
        </span>
      ))}
      <form
        class="give-number"
        onSubmit={e => {
          e.preventDefault();
          if (tag && !all.includes(tag)) void change([...all, tag], () => addTag(trace, tag));
        }}
      >
        <input aria-label="New tag" maxLength={200} value={text} onInput={e => set(e.currentTarget.value)} />
        <button type="submit" class="button" disabled={!tag || all.includes(tag)}>
          Add
        </button>
      </form>
      {error && <Failure error={error} />}
    </fieldset>
  );
}
