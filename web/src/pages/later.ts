// Pages that nobody begins with: one file, loaded when the first of them is gone to. Apart they would be many small ones.
export { AlertsPage } from "./alerts.tsx";
export { ComparePage } from "./compare.tsx";
export { DashboardPage } from "./dashboard.tsx";
export { DatasetPage } from "./dataset.tsx";
export { DatasetsPage } from "./datasets.tsx";
export { ExperimentsPage } from "./experiments.tsx";
export { IngestPage } from "./ingest.tsx";
export { PromptPage } from "./prompt.tsx";
export { PromptsPage } from "./prompts.tsx";
export { SettingsPage } from "./settings.tsx";
export { SqlPage } from "./sql.tsx";
