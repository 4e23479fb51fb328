import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { query as written } from "../api.ts";
import { link } from "../base.ts";
import { navigate, setQuery, usePlace } from "../router.ts";
import { may, useSession } from "../signedin.ts";
import type { SavedView, ViewColumn } from "../types.ts";
import { Failure } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { lazy } from "../ui/lazy.tsx";
import { Item, Menu } from "../ui/menu.tsx";
import { own, says } from "./address.ts";
import { type ListName, useViews, viewOf } from "./views.ts";

const ViewDialog = lazy(() => import("./viewdialog.tsx").then(m => m.ViewDialog));

/** ViewAct is what can be done with a view. */
export type ViewAct = "save" | "over" | "rename" | "delete";

interface Props {
  page: ListName;
  columns: ViewColumn[] | undefined; // as they are shown
  rearranged: boolean; // they are not as the view has them
  reset: () => void; // has them so
}

/** ViewsMenu chooses among the saved views of a list, and keeps what is shown as one. */
export function ViewsMenu(props: Props): JSX.Element {
  const { page } = props;
  const { query } = usePlace();
  const view = viewOf(page, query);
  const [act, set] = useState<ViewAct | null>(null);
  const changed = view !== undefined && (props.rearranged || !says(query, new URLSearchParams(view.query)));
  const label = view ? `View: ${view.name}${changed ? ", changed" : ""}` : "Views";
  return (
    <>
      <Menu
        label={label}
        align="right"
        button={
          <>
            <Icon name="view" />{" "}
            <span class={`ellipsis view-name${view ? "" : " wide-only"}`}>{view ? view.name : "Views"}</span>
            {changed && <span class="badge badge-warn">changed</span>}
          </>
        }
      >
        {close => <Panel {...props} view={view} changed={changed} close={close} act={set} />}
      </Menu>
      {act && (
        <ViewDialog
          act={act}
          page={page}
          view={view}
          query={own(query).toString()}
          columns={props.columns}
          onClose={() => set(null)}
        />
      )}
    </>
  );
}

interface PanelProps extends Props {
  view: SavedView | undefined;
  changed: boolean;
  close: () => void;
  act: (act: ViewAct) => void;
}

function Panel({ page, reset, view, changed, close, act }: PanelProps): JSX.Element {
  const { views, error, again } = useViews(true);
  const writes = may(useSession(), "ingest");
  // biome-ignore lint/correctness/useExhaustiveDependencies: others may have made some since
  useEffect(again, []);
  const mine = views?.filter(v => v.page === page);
  const address = (v: SavedView) => link(`/${page}${written({ view: v.name })}`);
  return (
    <>
      <p class="panel-title">Saved views, for all of the project</p>
      {error && <Failure error={error} again={again} />}
      {mine?.length === 0 && <p class="panel-note muted">None yet</p>}
      {mine?.map(v => (
        <a key={v.name} class="item" href={address(v)} aria-current={v.name === view?.name} onClick={close}>
          <span class="ellipsis">{v.name}</span>
        </a>
      ))}
      {(view || writes) && <hr class="panel-line" />}
      {view && changed && (
        <Item
          close={close}
          run={() => {
            reset();
            navigate(address(view));
          }}
        >
          As it was saved
        </Item>
      )}
      {writes && view && changed && (
        <Item close={close} run={() => act("over")}>
          Save over “{view.name}”
        </Item>
      )}
      {writes && (
        <Item close={close} run={() => act("save")}>
          Save as…
        </Item>
      )}
      {writes && view && (
        <Item close={close} run={() => act("rename")}>
          Rename…
        </Item>
      )}
      {writes && view && (
        <Item close={close} run={() => act("delete")}>
          Delete…
        </Item>
      )}
      {view && (
        <Item close={close} run={() => setQuery({ view: undefined })}>
          Leave this view
        </Item>
      )}
    </>
  );
}
