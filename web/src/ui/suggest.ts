// What may come next in a filter: fields by name, then their values with counts.
import { useEffect, useState } from "preact/hooks";
import { get } from "../api.ts";
import type { Field } from "../filters.ts";
import { fold } from "../fold.ts";
import { short } from "../format.ts";
import { joined, quoted, scoreField, terms } from "../terms.ts";
import type { Page, StatRow } from "../types.ts";

/** Suggestion is what may be chosen: what the term becomes, and whether it is whole then. */
export interface Suggestion {
  term: string;
  whole: boolean;
  title: string;
  says: string;
}

interface Known {
  value: string;
  count: number;
}

export interface Asking {
  fields: Field[];
  range: { from?: string; to?: string };
  filter: string; // what is in force
  text: string; // what was typed
}

/** useSuggestions are those for the last term of a text; none where nothing helps. */
export function useSuggestions({ fields, range, filter, text }: Asking, open: boolean): Suggestion[] {
  const last = terms(text).at(-1);
  const typed = last && !/\s$/.test(text) ? last : undefined;
  const field = typed?.field ? fieldOf(fields, typed.field) : undefined;
  const keyed =
    typed && !typed.field ? fields.find(f => f.kind === "keyed" && said(typed.text).startsWith(f.name)) : undefined;
  const known = useKnown(open ? (field ?? keyed) : undefined, range, filter);
  if (!open) return [];
  const not = typed?.not ? "-" : "";
  if (typed && field) return ofValue(field, `${not}${typed.field}:`, typed.rest, field.kind === "keyed" ? [] : known);
  if (typed && keyed) {
    const key = said(typed.text).slice(keyed.name.length).replaceAll('"', "");
    return matching(known, key).map(k => ({
      term: `${not}${scoreField(k.value)}:`,
      whole: false,
      title: keyed.name + k.value,
      says: short(k.count),
    }));
  }
  if (typed?.field === "has") return [];
  return ofNames(fields, not, typed ? said(typed.text) : "");
}

const said = (text: string): string => (text.startsWith("-") ? text.slice(1) : text);

/** fieldOf is the field that a name means, also one with a key. */
export function fieldOf(fields: Field[], name: string): Field | undefined {
  const plain = name.toLowerCase();
  return fields.find(f => f.name === plain || (f.kind === "keyed" && plain.startsWith(f.name)));
}

function ofNames(fields: Field[], not: string, begun: string): Suggestion[] {
  if (begun.startsWith('"')) return [];
  const plain = fold(begun);
  const asked = fields.filter(f => fold(f.name).includes(plain));
  asked.sort((a, b) => Number(fold(b.name).startsWith(plain)) - Number(fold(a.name).startsWith(plain)));
  const all = asked.map(f => ({
    term: not + f.name + (f.kind === "keyed" ? "" : ":"),
    whole: false,
    title: f.name + (f.kind === "keyed" ? "…" : ":"),
    says: f.says ?? "",
  }));
  if ("has:".startsWith(plain))
    all.push({ term: `${not}has:`, whole: false, title: "has:", says: "that there is a value" });
  return all;
}

function ofValue(field: Field, before: string, rest: string, known: Known[]): Suggestion[] {
  const at = rest.lastIndexOf(",") + 1;
  const head = before + rest.slice(0, at);
  const begun = rest.slice(at);
  if (field.kind !== "text" && field.kind !== "flag") {
    const examples = (field.examples ?? []).filter(e => begun === "" || e.startsWith(begun));
    return examples.filter(e => e !== begun).map(e => ({ term: head + e, whole: true, title: e, says: "for example" }));
  }
  const plain = begun.replaceAll('"', "");
  const counts = new Map(known.map(k => [k.value, short(k.count)]));
  const values = field.choices?.map(value => ({ value, count: 0 })) ?? known;
  const all = matching(values, plain).map(k => ({
    term: head + quoted(k.value),
    whole: true,
    title: k.value,
    says: counts.get(k.value) ?? "",
  }));
  if (plain !== "" && field.kind === "text" && !/[*"]/.test(begun)) {
    all.push({ term: `${head}*${quoted(begun)}*`, whole: true, title: `*${begun}*`, says: "contains it" });
  }
  return all;
}

const matching = (known: Known[], begun: string): Known[] =>
  known.filter(k => fold(k.value).includes(fold(begun))).slice(0, 50);

// useKnown asks which values of a field there are in the time looked at, the most frequent first, of what the filter leaves.
function useKnown(field: Field | undefined, range: Asking["range"], filter: string): Known[] {
  const [known, set] = useState<{ of: Field | undefined; values: Known[] }>({ of: undefined, values: [] });
  const by = field?.suggest;
  const others = joined(
    terms(filter)
      .filter(t => t.field !== field?.name)
      .map(t => t.text),
  );
  const { from, to } = range;
  useEffect(() => {
    if (!by || !field) return;
    const abort = new AbortController();
    const asked = { of: by.of, group_by: by.by, metrics: "count", from, to };
    const read = (filter: string | undefined) =>
      get<Page<StatRow>>("/v1/stats", { ...asked, filter }, abort.signal).then(page => {
        const values = page.data
          .map(r => ({ value: String(r[by.by] ?? ""), count: Number(r.count) }))
          .filter(v => v.value !== "");
        set({ of: field, values: values.sort((a, b) => b.count - a.count) });
      });
    // What is counted may not take the filter; and suggestions are a convenience: the value can be typed.
    read(others || undefined).catch(() => (others ? read(undefined) : undefined)?.catch(() => {}));
    return () => abort.abort();
  }, [field, by, from, to, others]);
  return known.of === field ? known.values : [];
}
