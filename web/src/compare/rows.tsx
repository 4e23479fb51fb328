import type { JSX } from "preact";
import { cost, duration, short } from "../format.ts";
import type { Node } from "../trace/tree.ts";
import { memo } from "../ui/memo.ts";
import type { Pair } from "./align.ts";
import { textOf } from "./texts.ts";

/** tookOf is how long a step took, in milliseconds; null when that is not known. */
const tookOf = (n: Node | null): number | null =>
  n === null || n.end === null || n.why ? null : (n.end - n.start) / 1000;

/** Delta is what b has more than a. */
export function Delta({
  a,
  b,
  write,
}: {
  a: number | null | undefined;
  b: number | null | undefined;
  write: (n: number) => string;
}): JSX.Element | null {
  if (a === null || a === undefined || b === null || b === undefined) return null;
  const by = b - a;
  if (by === 0) return <span class="faint">=</span>;
  const share = a !== 0 ? ` (${by > 0 ? "+" : ""}${Math.round((by / Math.abs(a)) * 100)} %)` : "";
  return (
    <span class={by > 0 ? "delta-more" : "delta-less"}>
      {by > 0 ? "+" : "−"}
      {write(Math.abs(by))}
      {share}
    </span>
  );
}

const numbers: { title: string; of: (n: Node | null) => number | null | undefined; write: (n: number) => string }[] = [
  { title: "Time", of: tookOf, write: duration },
  { title: "Tokens", of: n => n?.observation?.total_tokens, write: short },
  { title: "Cost", of: n => n?.observation?.total_cost, write: cost },
];

interface Props {
  pairs: Pair[];
  chosen: number;
  choose: (at: number) => void;
}

/** Steps lists the steps of both traces beside each other. */
export function Steps({ pairs, chosen, choose }: Props): JSX.Element {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: where it scrolls, keys must reach it (WCAG 2.1.1)
    <section class="data-table compare-steps" aria-label="Steps of both" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">Step</th>
            {numbers.map(x => (
              <th key={x.title} scope="col" colSpan={3}>
                {x.title}: A, B, difference
              </th>
            ))}
            <th scope="col">Differs</th>
          </tr>
        </thead>
        <tbody>
          {pairs.map((p, i) => (
            <MemoStep key={`${p.a?.key} ${p.b?.key}`} pair={p} at={i} chosen={i === chosen} choose={choose} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface StepProps {
  pair: Pair;
  at: number;
  chosen: boolean;
  choose: (at: number) => void;
}

function Step({ pair: { a, b }, at, chosen, choose }: StepProps): JSX.Element {
  const o = (a ?? b)!.observation;
  const only = a && b ? "" : a ? "only in A" : "only in B";
  return (
    <tr class={`${only && (a ? "only-a" : "only-b")}${chosen ? " chosen" : ""}`}>
      <th scope="row" style={{ paddingLeft: `${8 + Math.min(12, (a ?? b)!.depth) * 12}px` }}>
        <button type="button" class="link-button" aria-pressed={chosen} onClick={() => choose(at)}>
          {o ? o.name || o.id : "the trace itself"}
        </button>{" "}
        {only && <span class="badge">{only}</span>}
      </th>
      {numbers.map(x => {
        const [left, right] = [x.of(a), x.of(b)];
        const shown = (n: number | null | undefined) => (n === null || n === undefined ? "–" : x.write(n));
        return [
          <td key="a">{a ? shown(left) : ""}</td>,
          <td key="b">{b ? shown(right) : ""}</td>,
          <td key="d">{a && b && <Delta a={left} b={right} write={x.write} />}</td>,
        ];
      })}
      <td>{a && b ? differs(a, b).join(", ") : ""}</td>
    </tr>
  );
}

// A choice draws two rows anew, not hundreds.
const MemoStep = memo(Step);

/** differs names what two steps do not have in common. */
export function differs(a: Node, b: Node): string[] {
  const [x, y] = [a.observation, b.observation];
  if (!x || !y) return [];
  return [
    ["input", textOf(x.input) !== textOf(y.input)],
    ["output", textOf(x.output) !== textOf(y.output)],
    ["model", x.model !== y.model],
    ["status", x.status !== y.status],
  ]
    .filter(([, is]) => is)
    .map(([what]) => String(what));
}
