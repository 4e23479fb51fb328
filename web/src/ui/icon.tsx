import type { JSX } from "preact";

// Drawn for this page on a grid of 16: strokes of 1.5 in the text's colour.
const paths = {
  traces: "M2 4h7M5 8h9M4 12h6",
  observations: "M3 3.500h2v2H3zM7.500 4.500H13M3 10.500h2v2H3zM7.500 11.500H13M4 7v2",
  sessions: "M2.5 3.5h11v7h-6l-3 2.5v-2.5h-2z",
  users: "M8 7.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM3 13.5c.5-3 2.500-4 5-4s4.500 1 5 4",
  scores: "M8 2l1.800 3.800 4.200.5-3.100 2.900.8 4.100L8 11.300l-3.700 2 .8-4.100L2 6.300l4.200-.5z",
  dashboard: "M2.500 13.500h11M4 11V7M8 11V3M12 11V6",
  datasets:
    "M2.500 4c0-1.100 2.500-2 5.500-2s5.500.9 5.500 2-2.500 2-5.500 2-5.500-.9-5.500-2zM2.500 4v8c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2V4M2.500 8c0 1.100 2.500 2 5.500 2s5.500-.9 5.500-2",
  alerts: "M3.500 11.500h9L11 9.500V7a3 3 0 0 0-6 0v2.500zM6.800 13.500h2.400M8 4V2.500",
  ingest: "M8 2v7M5 6.500L8 9.500l3-3M2.500 11v2.500h11V11",
  settings: "M2 4.500h6M12 4.500h2M2 11.500h2M8 11.500h6M10 2.800v3.400M6 9.800v3.400",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 11.500a4.500 4.500 0 1 0 0-9 4.500 4.500 0 0 0 0 9zM10.500 10.500L14 14",
  filter: "M2 3.500h12M4.500 8h7M6.500 12.500h3",
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  down: "M4 6l4 4 4-4",
  right: "M6 4l4 4-4 4",
  left: "M10 4L6 8l4 4",
  up: "M4 10l4-4 4 4",
  clock: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.500V8l2.500 1.500",
  columns: "M2.500 3h11v10h-11zM6.200 3v10M9.800 3v10",
  download: "M8 2.500v7.500M5 7l3 3 3-3M3 13.500h10",
  copy: "M5.500 5.500h8v8h-8zM10.500 5.500v-3h-8v8h3",
  check: "M3 8.500l3.500 3.500L13 4.500",
  sun: "M8 10.800a2.800 2.800 0 1 0 0-5.600 2.800 2.800 0 0 0 0 5.600zM8 1.500v1.300M8 13.200v1.300M1.500 8h1.300M13.200 8h1.300M3.400 3.400l.9.9M11.700 11.700l.9.900M12.600 3.400l-.9.900M4.300 11.700l-.9.900",
  moon: "M13 9.500A5.500 5.500 0 0 1 6.500 3a5.500 5.500 0 1 0 6.500 6.500z",
  system: "M2 3h12v8H2zM6 13.500h4",
  menu: "M2 4h12M2 8h12M2 12h12",
  out: "M6.500 2.500h-4v11h4M10 5l3 3-3 3M13 8H6",
  keyboard: "M1.500 4h13v8h-13zM4 6.500h.01M6.700 6.500h.01M9.400 6.500h.01M12 6.500h.01M5 9.500h6",
  error: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12zM8 4.800v4M8 11v.1",
  link: "M6.500 9.500l3-3M7 4.500l1.500-1.500a2.800 2.800 0 0 1 4 4L11 8.500M9 11.500L7.500 13a2.800 2.800 0 0 1-4-4L5 7.500",
  more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  live: "M8 9.200a1.200 1.200 0 1 0 0-2.400 1.200 1.200 0 0 0 0 2.400zM5 11a4.200 4.200 0 0 1 0-6M11 5a4.200 4.200 0 0 1 0 6M3 13a7 7 0 0 1 0-10M13 3a7 7 0 0 1 0 10",
  view: "M4.500 2.500h7v11L8 10.500l-3.500 3z",
  grip: "M6 4h.01M10 4h.01M6 8h.01M10 8h.01M6 12h.01M10 12h.01",
  // types of observations
  generation: "M2.500 3h11v7.500h-5L5 13.500v-3H2.500zM5.500 6h5M5.500 8h3",
  agent:
    "M5 6.500h6a1.500 1.500 0 0 1 1.500 1.500v4a1.500 1.500 0 0 1-1.500 1.500H5A1.500 1.500 0 0 1 3.500 12V8A1.500 1.500 0 0 1 5 6.500zM8 6.500V3.500M6.500 3.500h3M6.500 9.500v.6M9.500 9.500v.6",
  tool: "M9.800 3a3.200 3.200 0 0 0-1 4.200L3 12.500 4 13.500l5.500-5.300A3.200 3.200 0 0 0 13.500 5l-2 1.800-1.600-.6-.4-1.500z",
  retrieval:
    "M4 2.500h6v4M4 2.500v9h2.500M6 5h2.500M6 7.500h1.500M10 12.500a2.500 2.500 0 1 0 0-5 2.500 2.500 0 0 0 0 5zM12 12l2 2",
  embedding: "M3 4h2M7 4h2M11 4h2M3 8h2M7 8h2M11 8h2M3 12h2M7 12h2M11 12h2",
  chain: "M6 5H4.500a3 3 0 0 0 0 6H6M10 5h1.500a3 3 0 0 1 0 6H10M5.500 8h5",
  event: "M9 2L4 9h3.500L7 14l5-7H8.500z",
  span: "M2.500 6v4M13.500 6v4M2.500 8h11",
  trace: "M3 3v8a2 2 0 0 0 2 2h2M3 6h4M9.500 6h4M9.500 13h4",
} as const;

export type IconName = keyof typeof paths;

/** Icon is decoration: what it stands for is said in text or in a label beside it. */
export function Icon({ name, size = 16 }: { name: IconName; size?: number }): JSX.Element {
  return (
    <svg class="icon" width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path d={paths[name]} />
    </svg>
  );
}
