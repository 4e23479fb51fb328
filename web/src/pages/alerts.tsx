import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.ts";
import { link } from "../base.ts";
import { navigate, usePlace } from "../router.ts";
import { may, useSession } from "../signedin.ts";
import type { AlertRow, Page } from "../types.ts";
import { Copy, Empty, Failure, PageHead, Spinner } from "../ui/bits.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { AlertForm, type Begun } from "./alertform.tsx";
import { AlertItem } from "./alertitem.tsx";
import { Judges } from "./judges.tsx";

const AGAIN = 15_000; // alerts are looked at once a minute, most of them
const SOON = 1000;

/** AlertsPage has the alerts of the project: how each stands, and for who may, what makes, changes and tries them. */
export function AlertsPage(): JSX.Element {
  const { data, error, reload } = useLoad(signal => get<Page<AlertRow>>("/v1/alerts", {}, signal), []);
  const admin = may(useSession(), "admin");
  const asked = begunBy(usePlace().query);
  const [edited, edit] = useState<Begun | null>(null);
  const [made, setMade] = useState<AlertRow | null>(null);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) reload();
    }, AGAIN);
    return () => clearInterval(timer);
  }, [reload]);
  useEffect(() => {
    if (!data?.data.some(a => a.at === null && !a.disabled)) return;
    const timer = setTimeout(reload, SOON); // one that was set just now is looked at in a moment
    return () => clearTimeout(timer);
  }, [data, reload]);
  const begun = edited ?? (admin ? asked : null);
  const close = () => {
    edit(null);
    if (asked) navigate(link("/alerts"), true);
  };
  return (
    <div class="page">
      <PageHead title="Alerts">
        <span class="spacer" />
        {admin && (
          <button type="button" class="button" onClick={() => edit({})}>
            <Icon name="plus" /> Add an alert
          </button>
        )}
      </PageHead>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data?.data.length === 0 && (
        <Empty icon="alerts" title="No alerts yet">
          <p>
            An alert asks statistics again and again, and tells a webhook, Slack or a command when they pass a
            threshold. {!admin && "A key with the scope admin can make some."}
          </p>
        </Empty>
      )}
      {data && data.data.length > 0 && (
        <ul class="card alerts" aria-label="Alerts">
          {data.data.map(a => (
            <AlertItem key={a.name} alert={a} edit={admin ? () => edit({ rule: a }) : undefined} changed={reload} />
          ))}
        </ul>
      )}
      <Judges admin={admin} />
      {begun && (
        <AlertForm
          key={begun.question ?? begun.rule?.name ?? ""}
          begun={begun}
          onClose={close}
          onSaved={row => {
            close();
            if (secretsOf(row).length > 0) setMade(row);
            reload();
          }}
        />
      )}
      {made && <Secrets of={made} onClose={() => setMade(null)} />}
    </div>
  );
}

// begunBy is what a chart's button asks for.
function begunBy(q: URLSearchParams): Begun | null {
  const question = q.get("ask");
  return question === null ? null : { question, name: q.get("of") ?? "" };
}

// secretsOf are those that were made just now; others are never shown.
const secretsOf = (a: AlertRow) => a.destinations.filter(d => d.secret?.startsWith("whsec_"));

function Secrets({ of, onClose }: { of: AlertRow; onClose: () => void }): JSX.Element {
  return (
    <Dialog title="The alert is set" onClose={onClose}>
      {secretsOf(of).map(d => (
        <div key={d.id}>
          <p>
            Requests to <code>{d.url}</code> are signed with this secret. <strong>It is not shown again</strong>.
          </p>
          <div class="code-block key-secret">
            <code>{d.secret}</code>
            <Copy text={d.secret ?? ""} label="Copy the secret" />
          </div>
        </div>
      ))}
      <p class="actions">
        <button type="button" class="button primary" onClick={onClose}>
          I have it
        </button>
      </p>
    </Dialog>
  );
}
