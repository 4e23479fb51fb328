import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get } from "../api.ts";
import { link } from "../base.ts";
import { counted } from "../format.ts";
import { navigate } from "../router.ts";
import { may, useSession } from "../signedin.ts";
import type { PromptPage as PromptList, PromptSummary } from "../types.ts";
import { Empty, Failure, PageHead, Spinner, Time } from "../ui/bits.tsx";
import { DataTable } from "../ui/datatable.tsx";
import { Icon } from "../ui/icon.tsx";
import { useLoad } from "../ui/load.ts";
import { Labels } from "./promptbits.tsx";
import { PromptForm } from "./promptform.tsx";

/** promptHref is the page of a prompt. */
export const promptHref = (name: string): string => link(`/prompts/${encodeURIComponent(name)}`);

/** PromptsPage lists the prompts of the project. */
export function PromptsPage(): JSX.Element {
  const { data, error, reload } = useLoad(signal => get<PromptList>("/v1/prompts", {}, signal), []);
  const admin = may(useSession(), "admin");
  const [open, setOpen] = useState(false);
  return (
    <div class="page">
      <PageHead title="Prompts">
        <span class="spacer" />
        {admin && (
          <button type="button" class="button" onClick={() => setOpen(true)}>
            <Icon name="plus" /> Add a prompt
          </button>
        )}
      </PageHead>
      {error && <Failure error={error} again={reload} />}
      {!data && !error && <Spinner />}
      {data?.data.length === 0 && (
        <Empty icon="prompts" title="No prompts yet">
          <p>
            A prompt has versions, and labels such as production that say which version an application gets.{" "}
            {!admin && "A key with the scope admin can make some."}
          </p>
        </Empty>
      )}
      {data && data.data.length > 0 && <List of={data.data} />}
      {open && <PromptForm onClose={() => setOpen(false)} onSaved={p => navigate(promptHref(p.name))} />}
    </div>
  );
}

function List({ of }: { of: PromptSummary[] }): JSX.Element {
  return (
    <DataTable
      label="Prompts"
      heads={["Prompt", "Type", "Versions", "Labels", "Changed", "Description"]}
      rows={of.map(p => ({
        key: p.name,
        cells: [
          <a href={promptHref(p.name)}>{p.name}</a>,
          p.type,
          counted(p.versions, "version"),
          <Labels of={p.labels.map(l => `${l.name} ${l.version}`)} />,
          <Time at={p.updated_at} />,
          <span class="muted">{p.description}</span>,
        ],
      }))}
    />
  );
}
