import type { ComponentChildren, JSX } from "preact";
import { query as written } from "../api.ts";
import { link } from "../base.ts";
import { setQuery, usePlace } from "../router.ts";
import { Failure, Spinner } from "../ui/bits.tsx";
import { Icon } from "../ui/icon.tsx";
import { type ListName, useViews } from "./views.ts";

/** Viewed is a page that is a list. Of an address with a view it is drawn once the view is known. */
export function Viewed({ children }: { children: ComponentChildren }): JSX.Element {
  const wanted = usePlace().query.get("view") !== null;
  const { views, error } = useViews(wanted);
  if (wanted && !views && !error) return <Spinner />;
  return <>{children}</>;
}

/** ViewNotice says why the view of an address is not what is shown. */
export function ViewNotice({ page }: { page: ListName }): JSX.Element | null {
  const name = usePlace().query.get("view");
  const { views, error, again } = useViews(name !== null);
  if (name === null) return null;
  if (error) return <Failure error={error} again={again} />;
  const found = views?.find(v => v.name === name);
  if (!views || found?.page === page) return null;
  return (
    <div class="notice" role="alert">
      <Icon name="view" />
      {found ? (
        <span>
          The view “{name}” is one of {found.page}.{" "}
          <a href={link(`/${found.page}${written({ view: name })}`)}>Open it</a>
        </span>
      ) : (
        <span>There is no view “{name}” in this project: it was deleted, or has another name now.</span>
      )}
      <button type="button" class="button" onClick={() => setQuery({ view: undefined })}>
        Go on without it
      </button>
    </div>
  );
}
