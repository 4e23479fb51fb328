import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { duration } from "../format.ts";
import { onTheme } from "../theme.ts";

/** Series of a chart. color is a variable of the style sheet, such as "--accent". */
export interface Series {
  label: string;
  color: string;
  kind: "bars" | "line" | "steps"; // steps go over each bucket, as bars do
  before?: boolean; // of the period before: dashed
  format: (v: number | null) => string;
}

interface Props {
  label: string; // what the chart shows, for who cannot see it
  x: number[]; // seconds
  series: Series[];
  y: (number | null)[][]; // one list per series
  values?: (number | null)[][]; // what the tip says, where y is something else, such as a stack
  height: number;
  axes?: boolean;
  whole?: boolean; // values are counts: no axis mark between two of them
  bucket?: number; // seconds that one x stands for
  log?: boolean; // the axis is logarithmic; what is not above 0 has no place on it
  most?: number; // where the axis ends, though values go beyond it
  onSelect?: (from: number, to: number) => void; // a range was brushed, in seconds
  onBucket?: (from: number) => void; // the bucket that begins then was clicked
}

// Marks of a time in milliseconds are seconds, minutes and hours, not multiples of 1000.
const times = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map(s => s * 1000),
  ...[1, 2, 5, 10, 15, 30].map(m => m * 60_000),
  ...[1, 2, 3, 6, 12, 24, 48, 96].map(h => h * 3_600_000),
];

const whole = [1, 2, 5].flatMap(n => Array.from({ length: 13 }, (_, e) => n * 10 ** e)).sort((a, b) => a - b);

const clock = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** Chart is a time chart; with onSelect, dragging over it selects a range. */
export function Chart(props: Props): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [theme, setTheme] = useState(0);
  const [at, setAt] = useState<{ index: number; left: number } | null>(null);
  const shape = props.series.map(s => s.label + s.kind + s.color).join();
  useEffect(() => onTheme(() => setTheme(n => n + 1)), []);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the plot is made again for another shape or theme; all else is read when it is drawn
  useEffect(() => {
    const el = box.current;
    if (!el) return;
    const u = new uPlot(optionsOf(el, latest, setAt), dataOf(latest.current), el);
    plot.current = u;
    const sized = new ResizeObserver(() => u.setSize({ width: el.clientWidth, height: latest.current.height }));
    sized.observe(el);
    return () => {
      sized.disconnect();
      u.destroy();
      plot.current = null;
    };
  }, [shape, props.height, props.axes, props.log, theme]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only the data, not the rest of what is passed
  useEffect(() => {
    plot.current?.setData(dataOf(props));
  }, [props.x, props.y, props.most]);
  const down = useRef(0);
  const when = at && props.x[at.index];
  const told = props.values ?? props.y;
  return (
    <figure class="chart" aria-label={props.label} role="img">
      {/* biome-ignore lint/a11y/noStaticElementInteractions lint/a11y/useKeyWithClickEvents: the table of the same numbers has links */}
      <div
        ref={box}
        class={props.onSelect ? "chart-plot brush" : "chart-plot"}
        style={{ height: `${props.height}px` }}
        onPointerDown={e => {
          down.current = e.clientX;
        }}
        onClick={e => {
          const dragged = Math.abs(e.clientX - down.current) >= 3;
          if (!dragged && when !== null && when !== undefined) props.onBucket?.(when);
        }}
      />
      {at && when !== null && when !== undefined && (
        <div
          class={at.left > (box.current?.clientWidth ?? 0) / 2 ? "tip tip-left" : "tip"}
          style={{ left: `${at.left}px` }}
        >
          <strong>{clock.format(when * 1000)}</strong>
          {props.series.map((s, i) => (
            <span key={s.label}>
              <Swatch of={s} /> {s.label} {s.format(told[i]?.[at.index] ?? null)}
            </span>
          ))}
        </div>
      )}
    </figure>
  );
}

/** Swatch shows how a series is drawn. */
export function Swatch({ of: s }: { of: Series }): JSX.Element {
  const colour = `var(${s.color})`;
  return s.before ? <i class="swatch-before" style={{ borderColor: colour }} /> : <i style={{ background: colour }} />;
}

function dataOf(p: Props): uPlot.AlignedData {
  const y = p.log ? p.y.map(values => values.map(v => (v !== null && v > 0 ? v : null))) : p.y;
  return [p.x, ...y] as uPlot.AlignedData;
}

type Hover = (at: { index: number; left: number } | null) => void;

function optionsOf(el: HTMLElement, latest: { current: Props }, hover: Hover): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(name).trim();
  const p = latest.current;
  const bars = uPlot.paths.bars?.({ size: [0.82, 60], align: 1, radius: 0.15 });
  const steps = uPlot.paths.stepped?.({ align: 1 });
  const axis = {
    stroke: color("--muted"),
    grid: { stroke: color("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui, sans-serif",
    gap: 4,
  };
  return {
    width: el.clientWidth,
    height: p.height,
    legend: { show: false },
    padding: p.axes === false ? [4, 0, 0, 0] : [8, 8, 0, 0],
    cursor: { y: false, points: { show: false }, drag: { x: !!p.onSelect, y: false, setScale: false } },
    scales: {
      x: { range: (_u, min, max) => [min, max + (latest.current.bucket ?? 0)] },
      y: p.log
        ? { distr: 3 }
        : {
            range: (_u, min, max) => {
              const top = Math.min(max, latest.current.most ?? max);
              return [min < 0 ? min * 1.1 : 0, top > 0 ? top * 1.1 : min < 0 ? 0 : 1];
            },
          },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 22, values: (_u, ticks) => tickTexts(ticks) },
      {
        ...axis,
        show: p.axes !== false,
        size: 52,
        ...(p.log ? {} : p.whole ? { incrs: whole } : p.series[0]?.format === duration ? { incrs: times } : {}),
        values: (_u, ticks) => ticks.map(v => (v === null ? "" : (p.series[0]?.format(v) ?? String(v)))),
      },
    ],
    series: [
      {},
      ...p.series.map(s => ({
        label: s.label,
        stroke: color(s.color),
        width: s.kind === "bars" ? 0 : 1.5,
        ...(s.before ? { dash: [4, 3] } : {}),
        ...(s.kind === "steps" && steps ? { paths: steps } : {}),
        // A value between gaps would be no line
        points:
          s.kind === "line" ? { show: true, size: 5, width: 0, fill: color(s.color), filter: alone } : { show: false },
        ...(s.kind === "bars" && bars ? { fill: color(s.color), paths: bars } : {}),
      })),
    ],
    hooks: {
      setCursor: [
        u => {
          const index = u.cursor.idx;
          const left = u.cursor.left ?? -1;
          hover(
            index === null || index === undefined || left < 0
              ? null
              : { index, left: left + u.bbox.left / devicePixelRatio },
          );
        },
      ],
      setSelect: [
        u => {
          if (u.select.width < 3) return;
          const from = u.posToVal(u.select.left, "x");
          const to = u.posToVal(u.select.left + u.select.width, "x");
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.onSelect?.(from, to);
        },
      ],
    },
  };
}

// alone lists the values that have no neighbour.
function alone(u: uPlot, series: number): number[] {
  const y = u.data[series] ?? [];
  const none = (i: number) => y[i] === null || y[i] === undefined;
  const out: number[] = [];
  for (let i = 0; i < y.length; i++) if (!none(i) && none(i - 1) && none(i + 1)) out.push(i);
  return out;
}

const hour = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });

// tickTexts names days where a day begins, and times between them.
function tickTexts(ticks: number[]): string[] {
  const daily = ticks.length > 1 && (ticks[1] ?? 0) - (ticks[0] ?? 0) >= 86_400;
  return ticks.map(t => {
    const d = new Date(t * 1000);
    return daily || (d.getHours() === 0 && d.getMinutes() === 0) ? day.format(d) : hour.format(d);
  });
}
