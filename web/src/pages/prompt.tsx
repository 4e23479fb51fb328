import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { get, request } from "../api.ts";
import { useAsked } from "../asked.ts";
import { link } from "../base.ts";
import { changes } from "../compare/texts.ts";
import { pretty } from "../json.ts";
import { useKeys } from "../keys.tsx";
import { navigate, setQuery, usePlace } from "../router.ts";
import { may, useSession } from "../signedin.ts";
import type { PromptVersion, PromptVersions } from "../types.ts";
import { Copy, Failure, PageHead, Spinner, Time } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { TimeRange } from "../ui/timerange.tsx";
import { Labels, promptPath, templateText } from "./promptbits.tsx";
import { PromptForm } from "./promptform.tsx";
import { PromptMetrics } from "./promptmetrics.tsx";

/** PromptPage shows one prompt: its versions, what each says and changes, its labels, and what became of each version. */
export function PromptPage({ id }: { id: string }): JSX.Element {
  const { range, params, key } = useAsked([], "all");
  const { data, error, reload } = useLoad(
    signal => get<PromptVersions>(`${promptPath(id)}/versions`, {}, signal),
    [id],
  );
  const admin = may(useSession(), "admin");
  const [open, setOpen] = useState<"" | "add" | "remove">("");
  const { query } = usePlace();
  const all = data?.data ?? [];
  const shown = all.find(v => String(v.version) === query.get("version")) ?? all[0];
  const base = all.find(v => String(v.version) === query.get("base")) ?? all[all.indexOf(shown!) + 1];
  useKeys([{ key: "u", label: "Back to the list", run: () => navigate(link("/prompts")) }]);
  return (
    <div class="page">
      <PageHead title={id}>
        <a class="crumb" href={link("/prompts")}>
          <Icon name="left" size={12} /> Prompts
        </a>
        <Copy text={id} label="Copy the name" />
        <span class="spacer" />
        {admin && shown && (
          <>
            <button type="button" class="button" onClick={() => setOpen("add")}>
              <Icon name="plus" /> Add a version
            </button>
            <button type="button" class="button" onClick={() => setOpen("remove")}>
              Remove
            </button>
          </>
        )}
        <TimeRange range={range} />
      </PageHead>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {shown && (
        <>
          <PromptMetrics name={id} params={params} asked={key} versions={all} />
          <div class="prompt-columns">
            <VersionList of={all} shown={shown} />
            <div class="prompt-shown">
              <Version key={shown.version} of={shown} admin={admin} labels={labelsOf(all)} changed={reload} />
              {base && <Diff from={base} to={shown} all={all} />}
            </div>
          </div>
        </>
      )}
      {open === "add" && shown && (
        <PromptForm
          of={shown}
          onClose={() => setOpen("")}
          onSaved={p => {
            setOpen("");
            setQuery({ version: String(p.version), base: undefined });
            reload();
          }}
        />
      )}
      {open === "remove" && <Remove name={id} onClose={() => setOpen("")} />}
    </div>
  );
}

const labelsOf = (all: PromptVersion[]): string[] =>
  [...new Set(["production", ...all.flatMap(v => v.labels)])].filter(l => l !== "latest").sort();

function VersionList({ of, shown }: { of: PromptVersion[]; shown: PromptVersion }): JSX.Element {
  return (
    <ul class="card prompt-versions" aria-label="Versions">
      {of.map(v => (
        <li key={v.version}>
          <button
            type="button"
            class="item"
            aria-pressed={v === shown}
            onClick={() => setQuery({ version: String(v.version), base: undefined }, true)}
          >
            <strong>{v.version}</strong> <Labels of={v.labels} />
            <span class="muted small">
              <Time at={v.created_at} />
            </span>
          </button>
        </li>
      ))}
    </ul>
  );
}

interface VersionProps {
  of: PromptVersion;
  admin: boolean;
  labels: string[]; // that the prompt has
  changed: () => void;
}

function Version({ of: v, admin, labels, changed }: VersionProps): JSX.Element {
  return (
    <section class="card prompt-version" aria-label={`Version ${v.version}`}>
      <h2>
        Version {v.version} <Labels of={v.labels} />
      </h2>
      <p class="muted small">
        Made <Time at={v.created_at} long />
        {v.commit_message && `: ${v.commit_message}`}
      </p>
      {v.description && <p class="plain">{v.description}</p>}
      {admin && <MoveLabels of={v} labels={labels} changed={changed} />}
      {v.template.messages && v.template.messages.length > 0 ? (
        v.template.messages.map((m, i) => (
          <div key={i}>
            <h3>{m.role}</h3>
            <p class="plain prompt-text">{m.content}</p>
          </div>
        ))
      ) : (
        <p class="plain prompt-text">{v.template.content}</p>
      )}
      {v.variables.length > 0 && (
        <p class="small">
          Variables:{" "}
          {v.variables.map(name => (
            <code key={name}>{`${name} `}</code>
          ))}
        </p>
      )}
      {v.config !== undefined && v.config !== null && (
        <>
          <h3>Config</h3>
          <p class="plain prompt-text">{pretty(v.config)}</p>
        </>
      )}
    </section>
  );
}

// MoveLabels has a button for each label that the version has not, and a field for another one.
function MoveLabels({ of: v, labels, changed }: Omit<VersionProps, "admin">): JSX.Element {
  const { busy, error, run } = useDoing();
  const [own, setOwn] = useState("");
  const path = `${promptPath(v.name)}/labels`;
  const move = async (label: string) => {
    const body = { label, version: v.version };
    if (await run(() => request(path, { method: "PUT", body }))) {
      setOwn("");
      changed();
    }
  };
  const take = async (label: string) => {
    if (await run(() => request(`${path}?label=${encodeURIComponent(label)}`, { method: "DELETE" }))) changed();
  };
  return (
    <>
      <div class="actions">
        {labels.map(l =>
          v.labels.includes(l) ? (
            <button key={l} type="button" class="button quiet" disabled={busy} onClick={() => void take(l)}>
              Take {l} away
            </button>
          ) : (
            <button key={l} type="button" class="button" disabled={busy} onClick={() => void move(l)}>
              Move {l} here
            </button>
          ),
        )}
        <form
          class="prompt-own-label"
          onSubmit={e => {
            e.preventDefault();
            void move(own.trim());
          }}
        >
          <input
            type="text"
            required
            maxLength={50}
            pattern="[a-z0-9_.\-]+"
            aria-label="Another label"
            placeholder="staging"
            title="1 to 50 lower-case letters, digits, dash, underscore and dot"
            value={own}
            onInput={e => setOwn(e.currentTarget.value)}
          />
          <button type="submit" class="button" disabled={busy}>
            Add the label
          </button>
        </form>
      </div>
      {error && <Failure error={error} />}
    </>
  );
}

function Diff({ from, to, all }: { from: PromptVersion; to: PromptVersion; all: PromptVersion[] }): JSX.Element {
  const [a, b] = [templateText(from), templateText(to)];
  const parts = useMemo(() => (a === b ? null : changes(a, b)), [a, b]);
  return (
    <section class="card prompt-version" aria-label={`Difference of ${from.version} and ${to.version}`}>
      <h2>
        What is different from{" "}
        <select
          aria-label="Compare with version"
          value={String(from.version)}
          onChange={e => setQuery({ base: e.currentTarget.value, version: String(to.version) }, true)}
        >
          {all
            .filter(v => v !== to)
            .map(v => (
              <option key={v.version} value={String(v.version)}>
                {v.version}
              </option>
            ))}
        </select>
      </h2>
      {a === b && <p class="muted">The text is the same.</p>}
      {parts && (
        <p class="plain diff prompt-text">
          {parts.map((p, i) =>
            p.added ? <ins key={i}>{p.value}</ins> : p.removed ? <del key={i}>{p.value}</del> : p.value,
          )}
        </p>
      )}
      {a !== b && !parts && (
        <div class="diff-beside">
          <p class="plain">{a}</p>
          <p class="plain">{b}</p>
        </div>
      )}
    </section>
  );
}

function Remove({ name, onClose }: { name: string; onClose: () => void }): JSX.Element {
  const { busy, error, run } = useDoing();
  const remove = async () => {
    if (await run(() => request(promptPath(name), { method: "DELETE" }))) navigate(link("/prompts"));
  };
  return (
    <Dialog title={`Remove ${name}?`} onClose={onClose}>
      <p>
        All its versions and labels go. Applications that ask for it get their fallback, or an error. What observations
        say of it stays, and its numbers are not given again.
      </p>
      {error && <Failure error={error} />}
      <p class="actions">
        <button type="button" class="button danger" disabled={busy} onClick={() => void remove()}>
          Remove
        </button>
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
      </p>
    </Dialog>
  );
}
