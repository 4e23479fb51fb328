import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, request, seg } from "../api.ts";
import { count, counted } from "../format.ts";
import { decode } from "../router.ts";
import type { AlertDelivery, AlertGroup, AlertRow, AlertTrial, Page } from "../types.ts";
import { Failure, Spinner, Time } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { useDoing } from "../ui/doing.ts";
import { useLoad } from "../ui/load.ts";
import { formatOf } from "./owncharts.tsx";

/** alertPath is where an alert is. */
export const alertPath = (name: string): string => `/v1/alerts/${seg(name)}`;

interface Props {
  alert: AlertRow;
  edit: (() => void) | undefined; // undefined: it can only be looked at
  changed: () => void;
}

/** AlertItem is one alert: how it stands, and what can be done with it. */
export function AlertItem({ alert: a, edit, changed }: Props): JSX.Element {
  const [open, setOpen] = useState<"" | "log" | "test" | "remove">("");
  const removing = useDoing();
  const remove = async () => {
    if (await removing.run(() => request(alertPath(a.name), { method: "DELETE" }))) changed();
  };
  return (
    <li class="alert" aria-label={a.name}>
      <div class="alert-head">
        <strong class="ellipsis">{a.name}</strong>
        <State of={a} />
        <span class="alert-value">{worstOf(a)}</span>
        <span class="muted">{thresholds(a)}</span>
        <span class="spacer" />
        <span class="actions">
          <button type="button" class="button quiet" aria-label={`Log of ${a.name}`} onClick={() => setOpen("log")}>
            Log
          </button>
          {edit && (
            <>
              <button type="button" class="button quiet" aria-label={`Test ${a.name}`} onClick={() => setOpen("test")}>
                Test
              </button>
              <button type="button" class="button quiet" aria-label={`Change ${a.name}`} onClick={edit}>
                Change
              </button>
              <button
                type="button"
                class="button quiet"
                aria-label={`Remove ${a.name}`}
                onClick={() => setOpen("remove")}
              >
                Remove
              </button>
            </>
          )}
        </span>
      </div>
      <p class="muted small alert-more">
        <code>{decode(a.question.replaceAll("+", " "))}</code> over {a.window}
        {a.since && (
          <>
            , {a.state} since <Time at={a.since} />
          </>
        )}
        {a.at && (
          <>
            , as of <Time at={a.at} />
          </>
        )}
        {a.destinations.length === 0 && ", told nobody"}
        {a.pending > 0 && `, ${count(a.pending)} to be sent`}
      </p>
      {a.description && <p class="muted small plain">{a.description}</p>}
      {a.fault && <p class="bad small">{a.fault}</p>}
      {a.groups.some(g => g.by) && <Groups of={a.groups} alert={a} />}
      {open === "log" && <Log of={a.name} onClose={() => setOpen("")} />}
      {open === "test" && <Test of={a} onClose={() => setOpen("")} />}
      {open === "remove" && (
        <Dialog title={`Remove ${a.name}?`} onClose={() => setOpen("")}>
          <p>
            Its log goes with it, and what of it is still to be sent. Who was told that it is not ok is not told that it
            is over; disable it first for that.
          </p>
          {removing.error && <Failure error={removing.error} />}
          <p class="actions">
            <button type="button" class="button danger" disabled={removing.busy} onClick={() => void remove()}>
              Remove
            </button>
            <button type="button" class="button" onClick={() => setOpen("")}>
              Cancel
            </button>
          </p>
        </Dialog>
      )}
    </li>
  );
}

const badge: Record<string, string> = { ok: "badge badge-ok", warning: "badge badge-warn", alert: "badge badge-error" };

function State({ of: a }: { of: AlertRow }): JSX.Element {
  if (a.disabled) return <span class="badge">disabled</span>;
  return <span class={badge[a.state] ?? "badge"}>{a.state}</span>;
}

// worstOf is the worst value of the last look.
function worstOf(a: AlertRow): string {
  const worst = a.groups[0];
  if (!worst || a.disabled) return "–";
  const value = worst.no_data ? "no data" : formatOf(a.metric)(worst.value);
  return a.groups.length > 1 ? `${value} (worst of ${count(a.groups.length)})` : value;
}

function thresholds(a: AlertRow): string {
  const format = formatOf(a.metric);
  const sign = a.comparison === "above" ? ">" : "<";
  return [
    ["warning", a.warning],
    ["alert", a.alert],
  ]
    .filter(t => t[1] !== undefined)
    .map(t => `${t[0]} ${sign} ${format(t[1] as number)}`)
    .join(", ");
}

const nameOf = (g: AlertGroup): string =>
  Object.entries(g.by ?? {})
    .map(([column, value]) => `${column} ${value ?? "none"}`)
    .join(", ") || "all";

const SHOWN = 5;

function Groups({ of, alert: a }: { of: AlertGroup[]; alert: AlertRow }): JSX.Element {
  const format = formatOf(a.metric);
  return (
    <ul class="alert-groups small">
      {of.slice(0, SHOWN).map(g => (
        <li key={nameOf(g)}>
          <span class={badge[g.state] ?? "badge"}>{g.state}</span> {nameOf(g)}:{" "}
          {g.no_data ? "no data" : format(g.value)}
        </li>
      ))}
      {of.length > SHOWN && <li class="muted">and {count(of.length - SHOWN)} more</li>}
    </ul>
  );
}

function Log({ of, onClose }: { of: string; onClose: () => void }): JSX.Element {
  const { data, error, reload } = useLoad(
    signal => get<Page<AlertDelivery>>(`${alertPath(of)}/deliveries`, {}, signal),
    [of],
  );
  return (
    <Dialog title={`What was sent of ${of}`} onClose={onClose}>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data?.data.length === 0 && (
        <p class="muted">Nothing yet: its state has not changed, or it has no destination.</p>
      )}
      {data && data.data.length > 0 && (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: where it scrolls, keys must reach it (WCAG 2.1.1)
        <ul class="alert-log small" aria-label={`Log of ${of}`} tabIndex={0}>
          {data.data.map(d => (
            <Sent key={`${d.id}/${d.destination}`} of={d} />
          ))}
        </ul>
      )}
    </Dialog>
  );
}

const became: Record<string, string> = {
  sent: "badge badge-ok",
  pending: "badge badge-warn",
  given_up: "badge badge-error",
};

// Sent is one message to one destination: what it told, and what became of it.
function Sent({ of: d }: { of: AlertDelivery }): JSX.Element {
  const told = d.message.data;
  return (
    <li>
      <span class={became[d.state] ?? "badge"}>{d.state.replace("_", " ")}</span> <strong>{told.state}</strong>
      {told.by && `, ${nameOf({ ...told, since: null, no_data: false })}`} <Time at={d.message.timestamp} /> to {d.kind}{" "}
      <code>{d.to}</code>
      <span class="muted">
        {" "}
        {counted(d.attempts, "attempt")}
        {d.last && `: ${d.last}`}
        {d.next && (
          <>
            , again <Time at={d.next} />
          </>
        )}
      </span>
    </li>
  );
}

function Test({ of: a, onClose }: { of: AlertRow; onClose: () => void }): JSX.Element {
  const path = `${alertPath(a.name)}/test`;
  const { data, error, reload } = useLoad(signal => request<AlertTrial>(path, { method: "POST", signal }), [path]);
  const [sent, setSent] = useState<AlertTrial | null>(null);
  const sending = useDoing();
  const send = () =>
    sending.run(async () => setSent(await request<AlertTrial>(`${path}?send=true`, { method: "POST" })));
  return (
    <Dialog title={`${a.name}, now`} onClose={onClose}>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data && (
        <>
          <p class="muted small">
            From <Time at={data.from} /> to <Time at={data.to} />:
          </p>
          {data.groups.length > 0 ? <Groups of={data.groups} alert={a} /> : <p>Nothing.</p>}
          {data.messages.length === 0 && <p>Nothing would be told: the state is what it was.</p>}
          {data.messages.map(m => (
            <p key={m.data.id}>Would be told: {m.data.text}</p>
          ))}
        </>
      )}
      {sending.error && <Failure error={sending.error} />}
      <ul class="alert-groups" aria-live="polite">
        {sent?.sent.map(s => (
          <li key={s.destination}>
            <span class={s.taken ? "badge badge-ok" : "badge badge-error"}>{s.taken ? "taken" : "not taken"}</span>{" "}
            {s.kind} {s.to}: {s.answer}
          </li>
        ))}
      </ul>
      <p class="actions">
        {a.destinations.length > 0 && (
          <button type="button" class="button" disabled={sending.busy} onClick={() => void send()}>
            Send a test
          </button>
        )}
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </p>
    </Dialog>
  );
}
