// Every page, its address and its place in the navigation. The server knows
// the addresses too (pageRoutes in internal/server).
import type { JSX } from "preact";
import { link } from "./base.ts";
import { ObservationPage } from "./pages/observation.tsx";
import { ObservationsPage } from "./pages/observations.tsx";
import { ScoresPage } from "./pages/scores.tsx";
import { SessionPage } from "./pages/session.tsx";
import { SessionsPage } from "./pages/sessions.tsx";
import { TracePage } from "./pages/trace.tsx";
import { TracesPage } from "./pages/traces.tsx";
import { UserPage } from "./pages/user.tsx";
import { UsersPage } from "./pages/users.tsx";
import { decode } from "./router.ts";
import { Viewed } from "./saved/viewed.tsx";
import type { Session } from "./types.ts";
import { Empty } from "./ui/bits.tsx";
import type { IconName } from "./ui/icon.tsx";
import { lazy } from "./ui/lazy.tsx";

const later = () => import("./pages/later.ts");
const AlertsPage = lazy(() => later().then(m => m.AlertsPage));
const ComparePage = lazy(() => later().then(m => m.ComparePage));
const DatasetPage = lazy(() => later().then(m => m.DatasetPage));
const DatasetsPage = lazy(() => later().then(m => m.DatasetsPage));
const ExperimentsPage = lazy(() => later().then(m => m.ExperimentsPage));
const DashboardPage = lazy(() => later().then(m => m.DashboardPage));
const IngestPage = lazy(() => later().then(m => m.IngestPage));
const PromptPage = lazy(() => later().then(m => m.PromptPage));
const PromptsPage = lazy(() => later().then(m => m.PromptsPage));
const SettingsPage = lazy(() => later().then(m => m.SettingsPage));
const SqlPage = lazy(() => later().then(m => m.SqlPage));

interface View {
  path: string; // first segment
  nav?: { title: string; icon: IconName };
  list?: (session: Session, leave: () => void) => JSX.Element;
  one?: (id: string, session: Session) => JSX.Element; // "/path/{id}"
}

// viewed is a list, which an address may name a saved view of.
const viewed = (page: JSX.Element): JSX.Element => <Viewed>{page}</Viewed>;

export const views: View[] = [
  { path: "/dashboard", nav: { title: "Dashboard", icon: "dashboard" }, list: () => <DashboardPage /> },
  {
    path: "/traces",
    nav: { title: "Traces", icon: "traces" },
    list: () => viewed(<TracesPage />),
    one: id => <TracePage key={id} id={id} />,
  },
  {
    path: "/observations",
    nav: { title: "Observations", icon: "observations" },
    list: () => viewed(<ObservationsPage />),
    one: id => <ObservationPage key={id} id={id} />,
  },
  {
    path: "/sessions",
    nav: { title: "Sessions", icon: "sessions" },
    list: () => viewed(<SessionsPage />),
    one: id => <SessionPage key={id} id={id} />,
  },
  {
    path: "/users",
    nav: { title: "Users", icon: "users" },
    list: () => viewed(<UsersPage />),
    one: id => <UserPage key={id} id={id} />,
  },
  { path: "/compare", list: () => <ComparePage /> },
  { path: "/scores", nav: { title: "Scores", icon: "scores" }, list: () => viewed(<ScoresPage />) },
  { path: "/sql", nav: { title: "SQL", icon: "sql" }, list: () => <SqlPage /> },
  {
    path: "/prompts",
    nav: { title: "Prompts", icon: "prompts" },
    list: () => <PromptsPage />,
    one: id => <PromptPage key={id} id={id} />,
  },
  {
    path: "/datasets",
    nav: { title: "Datasets", icon: "datasets" },
    list: () => <DatasetsPage />,
    one: id => <DatasetPage key={id} id={id} />,
  },
  { path: "/experiments", list: () => <ExperimentsPage /> },
  { path: "/alerts", nav: { title: "Alerts", icon: "alerts" }, list: () => <AlertsPage /> },
  { path: "/ingest", nav: { title: "Ingest", icon: "ingest" }, list: () => <IngestPage /> },
  {
    path: "/settings",
    nav: { title: "Settings", icon: "settings" },
    list: (session, leave) => <SettingsPage session={session} leave={leave} />,
  },
];

/** match finds the page of a path; leave signs out. */
export function match(path: string, session: Session, leave: () => void): JSX.Element {
  const [, first = "", ...rest] = path.split("/");
  const view = views.find(v => v.path === `/${first}`);
  if (view?.list && rest.length === 0) return view.list(session, leave);
  if (view?.one && rest.length === 1 && rest[0]) return view.one(decode(rest[0]), session);
  if (path === "/") return <div />;
  return (
    <Empty icon="search" title="There is no such page">
      <p>
        <a href={link("/traces")}>To the traces</a>
      </p>
    </Empty>
  );
}
