import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { request } from "../api.ts";
import type { PromptMessage, PromptVersion } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";

interface Props {
  of?: PromptVersion; // the version that the new one begins as; absent: a new prompt
  onClose: () => void;
  onSaved: (p: PromptVersion) => void;
}

const roles = ["system", "user", "assistant", "tool"];

/** PromptForm makes a version of a prompt. */
export function PromptForm({ of, onClose, onSaved }: Props): JSX.Element {
  const [name, setName] = useState(of?.name ?? "");
  const [type, setType] = useState(of?.type ?? "text");
  const [content, setContent] = useState(of?.template.content ?? "");
  const [messages, setMessages] = useState<PromptMessage[]>(of?.template.messages ?? [{ role: "system", content: "" }]);
  const [config, setConfig] = useState(of?.config ? JSON.stringify(of.config, null, 2) : "");
  const [why, setWhy] = useState("");
  const { busy, error, run } = useDoing();
  const change = (i: number, with_: Partial<PromptMessage>) =>
    setMessages(messages.map((m, k) => (k === i ? { ...m, ...with_ } : m)));
  const save = () =>
    run(async () => {
      const body = {
        name: name.trim(),
        type,
        template: type === "chat" ? { messages } : { content },
        config: config.trim() ? configOf(config) : undefined,
        commit_message: why.trim() || undefined,
      };
      onSaved((await request<{ data: PromptVersion }>("/v1/prompts", { method: "POST", body })).data);
    });
  return (
    <Dialog title={of ? `A version of ${of.name}` : "Add a prompt"} onClose={onClose}>
      <form
        class="key-form"
        onSubmit={e => {
          e.preventDefault();
          void save();
        }}
      >
        {!of && (
          <>
            <label for="prompt-name">Name</label>
            <input
              id="prompt-name"
              type="text"
              required
              maxLength={100}
              pattern="[A-Za-z0-9_.\-]+"
              placeholder="greeting"
              title="1 to 100 letters, digits, dash, underscore and dot"
              value={name}
              onInput={e => setName(e.currentTarget.value)}
            />
            <label for="prompt-type">Type</label>
            <select id="prompt-type" value={type} onChange={e => setType(e.currentTarget.value)}>
              <option value="text">text</option>
              <option value="chat">chat: messages</option>
            </select>
          </>
        )}
        {type === "text" ? (
          <>
            <label for="prompt-content">Text</label>
            <textarea
              id="prompt-content"
              required
              rows={10}
              placeholder={"Hello {{name}}!"}
              value={content}
              onInput={e => setContent(e.currentTarget.value)}
            />
          </>
        ) : (
          messages.map((m, i) => (
            <Message
              key={i}
              at={i}
              of={m}
              change={w => change(i, w)}
              remove={() => setMessages(messages.toSpliced(i, 1))}
            />
          ))
        )}
        {type === "chat" && (
          <button
            type="button"
            class="button"
            onClick={() => setMessages([...messages, { role: "user", content: "" }])}
          >
            <Icon name="plus" /> Add a message
          </button>
        )}
        <label for="prompt-config">Config, as JSON (optional)</label>
        <textarea
          id="prompt-config"
          rows={3}
          placeholder={'{"model": "gpt-4o-mini", "temperature": 0.2}'}
          value={config}
          onInput={e => setConfig(e.currentTarget.value)}
        />
        <label for="prompt-why">Why (optional)</label>
        <input id="prompt-why" type="text" maxLength={2000} value={why} onInput={e => setWhy(e.currentTarget.value)} />
        <p class="muted small">
          Variables are written as <code>{"{{name}}"}</code>. The new version has the label latest; other labels stay
          where they are.
        </p>
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

function configOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error("The config is no JSON.");
  }
}

interface MessageProps {
  at: number;
  of: PromptMessage;
  change: (with_: Partial<PromptMessage>) => void;
  remove: () => void;
}

function Message({ at, of: m, change, remove }: MessageProps): JSX.Element {
  const n = at + 1;
  return (
    <div class="prompt-message">
      <div class="actions">
        <select
          aria-label={`Role of message ${n}`}
          value={m.role}
          onChange={e => change({ role: e.currentTarget.value })}
        >
          {[...new Set([...roles, m.role])].map(r => (
            <option key={r} value={r}>
              {r}
            </option>
          ))}
        </select>
        <button type="button" class="button quiet" aria-label={`Remove message ${n}`} onClick={remove}>
          Remove
        </button>
      </div>
      <textarea
        aria-label={`Message ${n}`}
        rows={4}
        value={m.content}
        onInput={e => change({ content: e.currentTarget.value })}
      />
    </div>
  );
}
