// A value of a list becomes a filter: by the button in its cell, or with the key f in its row.
import type { JSX } from "preact";
import type { Field } from "../filters.ts";
import { place, setQuery } from "../router.ts";
import { changed, filterOf, terms, withTerm } from "../terms.ts";
import { Dialog } from "./dialog.tsx";
import { Icon } from "./icon.tsx";
import { fieldOf } from "./suggest.ts";

/** filterBy adds a term to the filter of the address. */
export function filterBy(term: string, fields: Field[]): void {
  const filter = filterOf(place().query, fields);
  setQuery(changed(withTerm(filter, term), fields));
}

/** known are those of the terms that a page with these fields takes. */
export const known = (all: string[], fields: Field[]): string[] =>
  all.filter(t => fieldOf(fields, terms(t)[0]?.field ?? ""));

/** FilterButton stands in a cell, and is seen where the pointer or the focus is. */
export function FilterButton({ of, offer }: { of: string[]; offer: (all: string[]) => void }): JSX.Element | null {
  if (of.length === 0) return null;
  const label = of.length === 1 ? `Filter by ${of[0]}` : "Filter by one of these";
  return (
    <button type="button" class="cell-filter" tabIndex={-1} aria-label={label} title={label} onClick={() => offer(of)}>
      <Icon name="filter" size={13} />
    </button>
  );
}

interface ChoiceProps {
  of: string[];
  fields: Field[];
  close: () => void;
}

/** FilterChoice offers values of a row, each to be wanted or not. */
export function FilterChoice({ of, fields, close }: ChoiceProps): JSX.Element {
  const take = (term: string) => {
    close();
    filterBy(term, fields);
  };
  return (
    <Dialog title="Filter by a value of this row" onClose={close}>
      <ul class="filter-choice">
        {of.map(t => (
          <li key={t}>
            <button type="button" class="item" onClick={() => take(t)}>
              <span class="ellipsis">{t}</span>
            </button>
            <button type="button" class="button quiet" aria-label={`not ${t}`} onClick={() => take(`-${t}`)}>
              not
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
