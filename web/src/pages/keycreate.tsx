import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { request } from "../api.ts";
import type { ApiKey } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";

/** MadeKey is a new key, this once with its secret. */
export interface MadeKey extends ApiKey {
  key: string;
}

const scopes = [
  { value: "ingest", means: "sends telemetry: what an application needs" },
  { value: "read", means: "reads everything of the project, and signs in to this page" },
  { value: "admin", means: "manages keys and erases data" },
];

interface Props {
  onClose: () => void;
  onMade: (k: MadeKey) => void;
}

/** CreateKey asks for what a new key is called and may do. */
export function CreateKey({ onClose, onMade }: Props): JSX.Element {
  const name = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<string[]>(["ingest"]);
  const { busy, error, run } = useDoing();
  const create = () =>
    run(async () => {
      const body = { name: name.current?.value.trim() ?? "", scopes: chosen };
      onMade(await request<MadeKey>("/v1/keys", { method: "POST", body }));
    });
  return (
    <Dialog title="Create a key" onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          void create();
        }}
      >
        <label for="key-name">Name</label>
        <input id="key-name" ref={name} type="text" required maxLength={100} placeholder="checkout service" />
        <fieldset>
          <legend>It may</legend>
          {scopes.map(s => (
            <label key={s.value} class="item check">
              <input
                type="checkbox"
                checked={chosen.includes(s.value)}
                onChange={e =>
                  setChosen(
                    scopes
                      .map(x => x.value)
                      .filter(v => (v === s.value ? e.currentTarget.checked : chosen.includes(v))),
                  )
                }
              />
              <span>
                <strong>{s.value}</strong> <span class="muted">{s.means}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {error && <Failure error={error} />}
        <p class="actions">
          <button type="submit" class="button primary" disabled={busy || chosen.length === 0}>
            Create
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
        </p>
      </form>
    </Dialog>
  );
}
