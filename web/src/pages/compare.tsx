import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { ask, seg } from "../api.ts";
import { link } from "../base.ts";
import { align, type Pair } from "../compare/align.ts";
import { Delta, Steps } from "../compare/rows.tsx";
import { changes, textOf } from "../compare/texts.ts";
import { cost, count, duration, scoreText, short } from "../format.ts";
import { answer } from "../json.ts";
import { useKeys } from "../keys.tsx";
import { setQuery, usePlace } from "../router.ts";
import { nodesOf } from "../trace/tree.ts";
import type { Trace } from "../types.ts";
import { Failure, PageHead, Spinner } from "../ui/bits.tsx";
import { DataTable } from "../ui/datatable.tsx";
import { useLoad } from "../ui/load.ts";

/** ComparePage shows two traces beside each other: /compare?a=ID&b=ID. */
export function ComparePage(): JSX.Element {
  const { query } = usePlace();
  const [a, b] = [query.get("a") ?? "", query.get("b") ?? ""];
  return (
    <div class="page">
      <PageHead title="Compare two traces" />
      <Which key={`${a}\n${b}`} a={a} b={b} />
      {a && b && <Both key={`${a}\n${b}\n`} a={a} b={b} />}
    </div>
  );
}

// idOf takes an id, or the address of a trace's page.
const idOf = (text: string): string => {
  const found = /\/traces\/([^/?#]+)/.exec(text);
  return found ? decodeURIComponent(found[1]!) : text.trim();
};

// Which asks for the two traces.
function Which({ a, b }: { a: string; b: string }): JSX.Element {
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);
  return (
    <form
      class="compare-which"
      onSubmit={e => {
        e.preventDefault();
        setQuery({ a: idOf(first.current?.value ?? ""), b: idOf(second.current?.value ?? "") });
      }}
    >
      <label>
        A
        <input ref={first} type="text" required defaultValue={a} placeholder="id or address of a trace" />
      </label>
      <label>
        B
        <input ref={second} type="text" required defaultValue={b} placeholder="id or address of a trace" />
      </label>
      <button type="submit" class="button primary">
        Compare
      </button>
      {a && b && (
        <button type="button" class="button" onClick={() => setQuery({ a: b, b: a })}>
          Swap
        </button>
      )}
    </form>
  );
}

const read = async (id: string, signal: AbortSignal) => answer(await ask(`/v1/traces/${seg(id)}`, { signal })) as Trace;

function Both({ a, b }: { a: string; b: string }): JSX.Element {
  const { data, error, reload } = useLoad(signal => Promise.all([read(a, signal), read(b, signal)]), [a, b]);
  useKeys([{ key: "r", label: "Load again", run: reload }]);
  if (error) return <Failure error={error} again={reload} />;
  return data ? <Compared a={data[0]} b={data[1]} /> : <Spinner />;
}

function Compared({ a, b }: { a: Trace; b: Trace }): JSX.Element {
  const pairs = useMemo(() => align(nodesOf(a).nodes, nodesOf(b).nodes), [a, b]);
  const [chosen, choose] = useState(0);
  useKeys([
    { key: "j", label: "Next step", run: () => choose(n => Math.min(pairs.length - 1, n + 1)) },
    { key: "k", label: "Step before", run: () => choose(n => Math.max(0, n - 1)) },
  ]);
  const pair = pairs[Math.min(chosen, pairs.length - 1)]!;
  const both = pairs.filter(p => p.a && p.b).length;
  return (
    <>
      <Sums a={a} b={b} />
      <p class="muted small">
        {count(both)} steps are in both, {count(pairs.filter(p => !p.b).length)} only in A,{" "}
        {count(pairs.filter(p => !p.a).length)} only in B. Steps are paired by type and name, in their order.
      </p>
      <Steps pairs={pairs} chosen={chosen} choose={choose} />
      <Texts key={chosen} pair={pair} a={a} b={b} />
    </>
  );
}

function Sums({ a, b }: { a: Trace; b: Trace }): JSX.Element {
  const names = [...new Set([...Object.keys(a.scores), ...Object.keys(b.scores)])].sort();
  const row = (title: string, of: (t: Trace) => number | null, write: (n: number) => string) => ({
    key: title,
    cells: [
      title,
      ...[a, b].map(t => {
        const n = of(t);
        return n === null ? "–" : write(n);
      }),
      <Delta key="d" a={of(a)} b={of(b)} write={write} />,
    ],
  });
  const scores = names.map(name => {
    const [x, y] = [a.scores[name], b.scores[name]];
    const yesNo = [a, b].some(t => t.score_list.some(s => s.name === name && s.data_type === "BOOLEAN"));
    const numbers = typeof x === "number" && typeof y === "number" && !yesNo;
    const said = (v: number | string | undefined) =>
      yesNo && (v === 0 || v === 1) ? (v ? "yes" : "no") : scoreText(v);
    return {
      key: `score ${name}`,
      cells: [name, said(x), said(y), numbers ? <Delta key="d" a={x} b={y} write={n => scoreText(n)} /> : ""],
    };
  });
  const heads = ["", ...[a, b].map((t, i) => `${i === 0 ? "A" : "B"}: ${t.name || t.id}`), "Difference"];
  return (
    <>
      <DataTable
        label="Both traces"
        heads={heads}
        rows={[
          row("Latency", t => t.latency_ms, duration),
          row("Steps", t => t.observation_count, count),
          row("Errors", t => t.error_count, count),
          row("Tokens", t => t.total_tokens, short),
          row("Cost", t => t.total_cost, cost),
          ...scores,
        ]}
      />
      <p class="small">
        <a href={link(`/traces/${seg(a.id)}`)}>To A</a> · <a href={link(`/traces/${seg(b.id)}`)}>To B</a>
      </p>
    </>
  );
}

function Texts({ pair, a, b }: { pair: Pair; a: Trace; b: Trace }): JSX.Element {
  const of = (which: "input" | "output") =>
    [pair.a && (pair.a.observation ?? a), pair.b && (pair.b.observation ?? b)].map(x => textOf(x?.[which])) as [
      string,
      string,
    ];
  const o = (pair.a ?? pair.b)!.observation;
  return (
    <section class="card compare-texts" aria-label="Texts of the chosen step">
      <h2>{o ? o.name || o.id : "The trace itself"}</h2>
      <Text title="Input" texts={of("input")} />
      <Text title="Output" texts={of("output")} />
    </section>
  );
}

function Text({ title, texts: [a, b] }: { title: string; texts: [string, string] }): JSX.Element | null {
  const parts = useMemo(() => (a === b ? null : changes(a, b)), [a, b]);
  if (!a && !b) return null;
  return (
    <>
      <h3>
        {title} {a === b && <span class="badge">the same</span>}
      </h3>
      {a === b ? (
        <p class="plain">{a}</p>
      ) : parts ? (
        <p class="plain diff">
          {parts.map((p, i) =>
            p.added ? (
              <ins key={i}>{p.value}</ins>
            ) : p.removed ? (
              <del key={i}>{p.value}</del>
            ) : (
              <span key={i}>{p.value}</span>
            ),
          )}
        </p>
      ) : (
        <div class="diff-beside">
          <p class="plain">{a}</p>
          <p class="plain">{b}</p>
        </div>
      )}
    </>
  );
}
