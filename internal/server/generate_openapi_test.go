package server

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/alert"
	"github.com/brokle-ai/brokle-go/internal/budget"
	"github.com/brokle-ai/brokle-go/internal/dataset"
	"github.com/brokle-ai/brokle-go/internal/detail"
	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/interval"
	"github.com/brokle-ai/brokle-go/internal/judge"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/outgoing"
	"github.com/brokle-ai/brokle-go/internal/prompt"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/saved"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	format "github.com/brokle-ai/brokle-go/internal/wireformat/batch"
	"github.com/brokle-ai/brokle-go/internal/wireformat/otlphttp"
	"github.com/brokle-ai/brokle-go/internal/wireformat/scores"
)

// operation is what the document says of a route beside what the route itself says.
type operation struct {
	id, says, tag string
	takes         any    // a body of this type; nil for none
	gives         any    // the body of a 200
	media         string // of the answer, when it is no JSON
	more          object // answers of its own
}

// Bodies that are read or written without a type of this package.
type (
	bulkRequest struct {
		Telemetry []map[string]any `json:"telemetry"` // the objects that become events
		BatchSize int64            `json:"batch_size,omitempty"`
		Timestamp float64          `json:"timestamp,omitempty"`
	}
	newKey struct {
		Name   string   `json:"name,omitempty"`
		Scopes []string `json:"scopes"`
	}
)

func operations() map[string]operation {
	const read, send, admin, ops = "read", "ingest", "admin", "operations"
	accepted := one("202", one("description", "async_mode: the raw batch is durable; its outcome is read from the job").
		with("content", content(ref("BatchResponse"))).with("headers", one("Location", one("schema", one("type", "string"))))).
		with("409", one("description", "fail_on_duplicate was set and there are duplicates: nothing was stored").with("content", content(ref("Conflict"))))
	history := func(id, what string) operation {
		return operation{id: id, says: "The events that " + what + ", in the order of the fold", tag: read, gives: entityHistory{}}
	}
	all := map[string]operation{
		"POST /v1/telemetry/batch":      {id: "postBatch", says: "Take a batch of 1 to 1000 events; the answer has every event in exactly one of processed, duplicate and failed", tag: send, takes: wire.BatchRequest{}, gives: wire.BatchResponse{}, more: accepted},
		"POST /v1/ingest/batch":         {id: "postBatchAlias", says: "The same as /v1/telemetry/batch", tag: send, takes: wire.BatchRequest{}, gives: wire.BatchResponse{}, more: accepted},
		"POST /api/v1/telemetry/bulk":   {id: "postBulk", says: "Legacy: each object becomes an event_create", tag: send, takes: bulkRequest{}, gives: wire.BatchResponse{}},
		"POST /mcp":                     {id: "mcp", says: "One message of the Model Context Protocol (JSON-RPC 2.0), for coding agents: tools that read and ask as this API does; a key of any scope has the tools that it may use", tag: read, takes: wire.StatRow{}, gives: wire.StatRow{}, more: one("202", one("description", "A notification was taken"))},
		"GET /v1/telemetry/jobs/{id}":   {id: "getJob", says: "How far an asynchronous batch is", tag: read, gives: wire.Job{}},
		"GET /v1/telemetry/batch/{id}":  {id: "getBatch", says: "What became of any batch", tag: read, gives: wire.Job{}},
		"GET /v1/telemetry/events":      {id: "listEvents", says: "The stored events, in the order in which they were accepted; a page may be short or empty and still have a next_cursor", tag: read, gives: wire.Page[wire.StoredEvent]{}},
		"GET /v1/telemetry/events/{id}": {id: "getEvent", says: "What became of one event", tag: read, gives: wire.EventReceipt{}},
		"GET /v1/telemetry/stream":      {id: "streamEvents", says: "The project's events as they are accepted, as Server-Sent Events without end; the header Last-Event-ID goes on behind an event", tag: read, media: "text/event-stream"},
		"GET /v1/media/{id}":            {id: "getMedium", says: "The bytes of a picture, a sound or a file that was taken out of a payload, by its SHA-256; Range and If-None-Match are answered", tag: read, media: "application/octet-stream"},
		"GET /v1/telemetry/audit":       {id: "getAudit", says: "What became of the project's events since this node started", tag: send, gives: audit{}},
		"POST /v1/auth/validate-key": {id: "validateKey", says: "Whether the key is valid, for clients of 2025; a key of any scope", tag: "keys", gives: success[keyInfo]{},
			more: one("401", one("description", `No valid key: {"success": false, "error": {…}}`))},
		"GET /v1/ingest/refused":                         {id: "listRefused", says: "Requests that were refused where telemetry comes in, since this node started", tag: send, gives: wire.Page[refusedRow]{}},
		"GET /v1/keys":                                   {id: "listKeys", says: "The keys of the project, without their secrets", tag: admin, gives: wire.Page[keyRow]{}},
		"POST /v1/keys":                                  {id: "createKey", says: "Make a key of the project; the answer shows it, once", tag: admin, takes: newKey{}, more: one("201", one("description", "Made").with("content", content(ref("CreatedKey"))))},
		"DELETE /v1/keys/{id}":                           {id: "revokeKey", says: "Revoke a key of the project", tag: admin, more: one("204", one("description", "Revoked")).with("409", problemAnswer("It is the project's only key with the scope admin"))},
		"GET /v1/prices":                                 {id: "getPrices", says: "What the project's calls are priced by: the book, the setting and its own prices, with their history", tag: admin, gives: priceList{}},
		"PUT /v1/prices":                                 {id: "setPrices", says: "Set the project's own prices, for calls that start at from (now) or later and that no event has told of yet", tag: admin, takes: []wire.StatRow{}, gives: priceList{}},
		"GET /v1/budgets":                                {id: "getBudgets", says: "The project's budgets, and how each stands by the last look", tag: read, gives: budgetList{}},
		"PUT /v1/budgets":                                {id: "setBudgets", says: "Set the project's budgets, in the place of all that there are", tag: admin, takes: []budget.Budget{}, gives: budgetList{}},
		"GET /v1/prompts":                                {id: "listPrompts", says: "The project's prompts by name, each as its newest version", tag: read, gives: promptPage{}},
		"POST /v1/prompts":                               {id: "createPromptVersion", says: "Make a version of a prompt, and move labels to it; what the newest version says already makes none", tag: admin, takes: prompt.Text{}, gives: success[wire.PromptVersion]{}},
		"GET /v1/prompts/{id}":                           {id: "getPrompt", says: "A version of a prompt: of a number, of a label, or of neither: the newest", tag: read, gives: success[wire.PromptVersion]{}},
		"DELETE /v1/prompts/{id}":                        {id: "deletePrompt", says: "Remove a version of a prompt, or the prompt; its numbers are not given again", tag: admin, more: one("204", one("description", "Removed"))},
		"GET /v1/prompts/{id}/versions":                  {id: "listPromptVersions", says: "The versions of a prompt, the newest first", tag: read, gives: versionsPage{}},
		"PUT /v1/prompts/{id}/labels":                    {id: "movePromptLabel", says: "Put a label on a version, and take it from the one that has it", tag: admin, takes: labelMove{}, gives: success[wire.PromptVersion]{}},
		"DELETE /v1/prompts/{id}/labels":                 {id: "removePromptLabel", says: "Take a label from the version that has it", tag: admin, more: one("204", one("description", "Removed"))},
		"GET /api/public/v2/prompts/{id}":                {id: "langfusePrompt", says: "A version of a prompt, for Langfuse's clients", tag: read, gives: theirPrompt{}},
		"POST /api/public/v2/prompts":                    {id: "langfuseCreatePrompt", says: "Make a version of a prompt, for Langfuse's clients; without placeholders", tag: admin, takes: wire.StatRow{}, gives: theirPrompt{}},
		"GET /v1/judges":                                 {id: "listJudges", says: "The project's judges by name, and how each stands", tag: read, gives: wire.Page[judge.Standing]{}},
		"GET /v1/judges/{id}":                            {id: "getJudge", says: "One of them", tag: read, gives: judge.Standing{}},
		"PUT /v1/judges/{id}":                            {id: "putJudge", says: "Set a judge of this name, in the place of what there is", tag: admin, takes: judge.Judge{}, gives: judge.Standing{}},
		"DELETE /v1/judges/{id}":                         {id: "deleteJudge", says: "Remove the judge of this name; scores that it gave stay", tag: admin, more: one("204", one("description", "Removed"))},
		"GET /v1/alerts":                                 {id: "listAlerts", says: "The project's alerts by name, and how each stands by the last look", tag: read, gives: wire.Page[alert.Row]{}},
		"GET /v1/alerts/{id}":                            {id: "getAlert", says: "One of them", tag: read, gives: alert.Row{}},
		"PUT /v1/alerts/{id}":                            {id: "putAlert", says: "Set an alert of this name, in the place of what there is; a secret that is made for it is in the answer, once", tag: admin, takes: alert.Rule{}, gives: alert.Row{}},
		"DELETE /v1/alerts/{id}":                         {id: "deleteAlert", says: "Remove the alert of this name, with what of it was still to be sent", tag: admin, more: one("204", one("description", "Removed"))},
		"GET /v1/alerts/{id}/deliveries":                 {id: "listDeliveries", says: "What was sent of an alert and what is to be, the newest first", tag: read, gives: wire.Page[alert.Delivery]{}},
		"POST /v1/alerts/{id}/test":                      {id: "testAlert", says: "Look at an alert now, and say what would be told", tag: admin, gives: alert.Trial{}},
		"GET /v1/score-definitions":                      {id: "listScoreDefinitions", says: "How people give the project's scores, by name", tag: read, gives: wire.Page[saved.Definition]{}},
		"GET /v1/datasets":                               {id: "listDatasets", says: "The project's datasets, by name", tag: read, gives: datasetPage[dataset.Info]{}},
		"POST /v1/datasets":                              {id: "createDataset", says: "Make a dataset", tag: send, takes: dataset.Named{}, gives: success[dataset.Info]{}, more: one("409", problemAnswer("The project has a dataset of this name"))},
		"GET /v1/datasets/{id}":                          {id: "getDataset", says: "One of them, by its id or its name", tag: read, gives: success[dataset.Info]{}},
		"GET /v1/datasets/{id}/info":                     {id: "getDatasetInfo", says: "The same", tag: read, gives: success[dataset.Info]{}},
		"PATCH /v1/datasets/{id}":                        {id: "updateDataset", says: "Change what is said of a dataset", tag: send, takes: dataset.Named{}, gives: success[dataset.Info]{}},
		"DELETE /v1/datasets/{id}":                       {id: "deleteDataset", says: "Delete a dataset with all of its versions; its experiments stay", tag: admin, more: one("204", one("description", "Deleted"))},
		"POST /v1/datasets/{id}/pin":                     {id: "pinVersion", says: "Have a version be read when none is asked for; null: the latest", tag: send, takes: pinned{}, gives: success[dataset.Info]{}},
		"GET /v1/datasets/{id}/versions":                 {id: "listVersions", says: "What each change of the items made, the newest 1000 first", tag: read, gives: datasetPage[dataset.Version]{}},
		"POST /v1/datasets/{id}/versions":                {id: "createVersion", says: "Make a version of the items as they are, with what is said of it", tag: send, takes: newVersion{}, gives: success[dataset.Version]{}},
		"GET /v1/datasets/{id}/versions/{version}":       {id: "getVersion", says: "One version, by its id or its number", tag: read, gives: success[dataset.Version]{}},
		"GET /v1/datasets/{id}/versions/{version}/items": {id: "listVersionItems", says: "The items of a version", tag: read, gives: success[versionItems]{}},
		"GET /v1/datasets/{id}/items":                    {id: "listItems", says: "The items of a dataset, in the order in which they came", tag: read, gives: datasetPage[dataset.Item]{}},
		"POST /v1/datasets/{id}/items":                   {id: "putItems", says: "Put items: all of them, or none. One whose id is there takes its place, and as it is there it is skipped", tag: send, takes: newItems{}, gives: success[imported]{}},
		"GET /v1/datasets/{id}/items/export":             {id: "exportItems", says: "All items; with format=jsonl or csv as a file", tag: read, gives: datasetPage[dataset.Item]{}},
		"POST /v1/datasets/{id}/items/import":            {id: "importItems", says: "Add items from JSON Lines (application/x-ndjson) or CSV (text/csv); rows that are wrong are named, and the others are taken", tag: send, gives: success[imported]{}},
		"POST /v1/datasets/{id}/items/import-json":       {id: "importJSON", says: "Add items from objects, as Brokle's clients send them", tag: send, takes: jsonImport{}, gives: success[imported]{}},
		"POST /v1/datasets/{id}/items/import-csv":        {id: "importCSV", says: "Add items from CSV, as Brokle's clients send it", tag: send, takes: csvImport{}, gives: success[imported]{}},
		"POST /v1/datasets/{id}/items/from-traces":       {id: "itemsFromTraces", says: "Make items of traces: what went in is the input, what came out what is expected. The key needs the scope read, too", tag: send, takes: fromTraces{}, gives: success[imported]{}},
		"POST /v1/datasets/{id}/items/from-spans":        {id: "itemsFromSpans", says: "Make items of observations", tag: send, takes: fromSpans{}, gives: success[imported]{}},
		"GET /v1/datasets/{id}/items/{item}":             {id: "getItem", says: "One item", tag: read, gives: success[dataset.Item]{}},
		"DELETE /v1/datasets/{id}/items/{item}":          {id: "deleteItem", says: "Take an item out, which makes a version; those before have it still", tag: send, gives: success[dataset.Version]{}},
		"GET /v1/experiments":                            {id: "listExperiments", says: "The records of the project's experiments, the newest first", tag: read, gives: datasetPage[dataset.Experiment]{}},
		"POST /v1/experiments":                           {id: "createExperiment", says: "Make the record of an experiment; its results are traces with the tag experiment:ID", tag: send, takes: dataset.Recorded{}, gives: success[dataset.Experiment]{}},
		"GET /v1/experiments/compare":                    {id: "compareTwoExperiments", says: "Two experiments, a and b, side by side: each score with whether its difference is more than noise, and a page of the items, those that got worse first", tag: read, gives: success[comparedView]{}},
		"POST /v1/experiments/compare":                   {id: "compareExperiments", says: "2 to 10 experiments, as Brokle's clients ask for them", tag: read, takes: comparison{}, gives: success[comparisonTold]{}},
		"GET /v1/experiments/{id}":                       {id: "getExperiment", says: "One of them, by its id, or the newest of a name, with its scores", tag: read, gives: success[experimentView]{}},
		"PATCH /v1/experiments/{id}":                     {id: "updateExperiment", says: "Change what is said of an experiment, such as its status", tag: send, takes: dataset.Recorded{}, gives: success[dataset.Experiment]{}},
		"DELETE /v1/experiments/{id}":                    {id: "deleteExperiment", says: "Delete the record of an experiment; its traces stay", tag: admin, more: one("204", one("description", "Deleted"))},
		"POST /v1/experiments/{id}/rerun":                {id: "rerunExperiment", says: "Make the record of another experiment over the same items", tag: send, takes: dataset.Recorded{}, gives: success[dataset.Experiment]{}},
		"GET /v1/experiments/{id}/rows":                  {id: "listResults", says: "What an experiment made of each item, oldest first", tag: read, gives: datasetPage[dataset.Result]{}},
		"POST /v1/experiments/{id}/items":                {id: "submitResults", says: "Record results, as Brokle's clients send them: each becomes a trace with the experiment's tag, and its scores", tag: send, takes: newResults{}, gives: success[resultsTold]{}},
		"PUT /v1/score-definitions/{id}":                 {id: "putScoreDefinition", says: "Define a score of this name, in the place of what there is", tag: admin, takes: saved.Definition{}, gives: saved.Definition{}},
		"DELETE /v1/score-definitions/{id}":              {id: "deleteScoreDefinition", says: "Remove the definition of this name; scores stay", tag: admin, more: one("204", one("description", "Removed"))},
		"GET /v1/charts":                                 {id: "listCharts", says: "What the project's dashboard draws beside its own, by name", tag: read, gives: wire.Page[saved.Chart]{}},
		"PUT /v1/charts/{id}":                            {id: "putChart", says: "Save a chart under this name, in the place of what there is", tag: send, takes: saved.Chart{}, gives: saved.Chart{}},
		"DELETE /v1/charts/{id}":                         {id: "deleteChart", says: "Remove the chart of this name", tag: send, more: one("204", one("description", "Removed"))},
		"GET /v1/views":                                  {id: "listViews", says: "The project's saved views, by name", tag: read, gives: wire.Page[saved.View]{}},
		"PUT /v1/views/{id}":                             {id: "putView", says: "Save a view under this name, in the place of what there is", tag: send, takes: saved.View{}, gives: saved.View{}},
		"DELETE /v1/views/{id}":                          {id: "deleteView", says: "Remove the view of this name", tag: send, more: one("204", one("description", "Removed"))},
		"GET /v1/prices/reprice":                         {id: "listRepricings", says: "All repricings of the project, the newest first; with wait it answers as soon as none is under way", tag: admin, gives: wire.Page[repricingRow]{}},
		"POST /v1/prices/reprice": {id: "reprice", says: "Reprice the calls of the past that start at from (all) or later and before to (now); with dry_run it only tells what would change. 200 when nothing would, or dry_run is set", tag: admin, gives: repricingRow{},
			more: one("202", one("description", "It has begun, and goes on whatever becomes of the client").with("content", content(ref("RepricingTold")))).
				with("409", problemAnswer("Another repricing is under way"))},
		"GET /v1/backup":                    {id: "getBackup", says: "Everything that the server keeps, of every project, as one POSIX tar, streamed; for an admin key of the project default. Its last member is manifest.json; without it the archive was cut off", tag: admin, media: "application/x-tar"},
		"POST /v1/warehouse/copy":           {id: "copyToWarehouse", says: "Copy everything that the server keeps in its own warehouse to a ClickHouse that nodes share, and compare; for an admin key of the project default. The answer is streamed, a line of JSON at a time; the last has a result or an error", tag: admin, takes: copyRequest{}, media: "application/x-ndjson", more: one("409", one("description", "The server shares its warehouse already"))},
		"GET /v1/projects":                  {id: "listProjects", says: "The project of the key", tag: admin, gives: wire.Page[projectRow]{}},
		"GET /v1/traces":                    {id: "listTraces", says: "Traces, newest first", tag: read, gives: wire.Page[wire.TraceSummary]{}},
		"GET /v1/traces/{id}":               {id: "getTrace", says: "One trace: its observations as a tree, and its scores; with format=otlp the trace as spans, ready to be sent to any server of OpenTelemetry", tag: read, gives: wire.Trace{}},
		"GET /v1/traces/{id}/history":       history("getTraceHistory", "a trace itself was folded from"),
		"DELETE /v1/traces":                 {id: "eraseTraceOfID", says: "Erase a trace whose id stands in the query", tag: admin, gives: erasure{}},
		"DELETE /v1/traces/{id}":            {id: "eraseTrace", says: "Erase a trace with all that belongs to it", tag: admin, gives: erasure{}},
		"DELETE /v1/users":                  {id: "eraseUserOfID", says: "Erase a user whose id stands in the query", tag: admin, gives: erasure{}},
		"DELETE /v1/users/{id}":             {id: "eraseUser", says: "Erase a user: their traces, and every other event that names them", tag: admin, gives: erasure{}},
		"GET /v1/observations":              {id: "listObservations", says: "Observations, newest first, without payloads", tag: read, gives: wire.Page[wire.Observation]{}},
		"GET /v1/observations/{id}":         {id: "getObservation", says: "One observation with its payload, messages and attributes; without trace_id the newest of this id", tag: read, gives: wire.Observation{}},
		"GET /v1/observations/{id}/span":    {id: "getSpan", says: "All exports of an observation's span with their log records, as they were received, in OTLP's JSON; 404 for one that came as no span", tag: read, gives: outgoing.Request{}},
		"GET /v1/observations/{id}/explain": {id: "explainObservation", says: "By which rule, of which event, each field of an observation has its value", tag: read, gives: detail.Explanation{}},
		"GET /v1/observations/{id}/cost":    {id: "explainCost", says: "How the cost of an observation came about: each part, the price by which it was computed and where that is from, and what was reported", tag: read, gives: costAnswer{}},
		"GET /v1/observations/{id}/history": history("getObservationHistory", "an observation was folded from, without trace_id of the newest of this id"),
		"GET /v1/scores":                    {id: "listScores", says: "Quality scores, newest first", tag: read, gives: wire.Page[wire.Score]{}},
		"GET /v1/scores/{id}/history":       history("getScoreHistory", "a score was folded from"),
		"GET /v1/sessions":                  {id: "listSessions", says: "Sessions: what the traces of each add up to, last seen first", tag: read, gives: wire.Page[wire.SessionSummary]{}},
		"GET /v1/sessions/{id}":             {id: "getSession", says: "One session with its traces, oldest first, at most 200 on a page, each with its input and output", tag: read, gives: wire.Session{}},
		"GET /v1/users":                     {id: "listUsers", says: "Users: what the traces of each add up to, last seen first", tag: read, gives: wire.Page[wire.UserSummary]{}},
		"GET /v1/environments":              {id: "listEnvironments", says: "Environments, last seen first", tag: read, gives: wire.Page[wire.EnvironmentSummary]{}},
		"GET /v1/stats":                     {id: "getStats", says: "Aggregates", tag: read, gives: wire.Page[wire.StatRow]{}},
		"POST /v1/sql":                      {id: "askSQL", says: "One SELECT over views of the project (docs/sql.md); with Accept: text/csv or application/vnd.apache.parquet a file", tag: read, takes: sqlRequest{}, gives: sqlAnswer{}},
		"GET /healthz":                      {id: "healthz", says: "The process is alive", tag: ops, media: "text/plain"},
		"GET /readyz": {id: "readyz", says: "It can accept batches now; a line per part", tag: ops, media: "text/plain",
			more: one("503", one("description", "Not ready, with the reasons").with("content", one("text/plain", one("schema", one("type", "string")))))},
		"GET /metrics":      {id: "metrics", says: "Prometheus metrics", tag: ops, media: "text/plain"},
		"GET /openapi.json": {id: "openapi", says: "This document", tag: ops, media: "application/json"},
	}
	for name, op := range langfuseOperations() {
		all[name] = op
	}
	for _, path := range (otlphttp.Format{}).Paths() {
		signal := path[strings.LastIndexByte(path, '/')+1:]
		all["POST "+path] = operation{id: "otlp" + strings.ReplaceAll(path, "/", "_"), tag: send, media: "application/x-protobuf",
			says: "OpenTelemetry " + signal + " over HTTP, in protobuf or JSON, answered in the same encoding (OTLP 1.x)"}
	}
	return all
}

// langfuseOperations are those of other clients' APIs: what they send and get is theirs to say.
func langfuseOperations() map[string]operation {
	const read, send, ops = "read", "ingest", "operations"
	type anyObject = wire.StatRow
	message := func(status, says string) object {
		return one(status, one("description", says).with("content", one("application/json", one("schema", one("type", "object")))))
	}
	return map[string]operation{
		"POST /v1/scores":                 {id: "createScore", says: "One score, as Brokle's SDKs since 0.4 send it", tag: send, takes: anyObject{}, gives: success[scores.Taken]{}},
		"POST /v1/scores/batch":           {id: "createScores", says: "Scores, as Brokle's SDKs since 0.4 send them", tag: send, takes: scoreList{}, gives: success[scores.AllTaken]{}},
		"POST /api/public/ingestion":      {id: "langfuseIngestion", says: "Events of Langfuse's clients; each is a success or an error", tag: send, takes: anyObject{}, more: message("207", "What became of each event")},
		"POST /api/public/scores":         {id: "langfuseScores", says: "Scores of Langfuse's clients: a list, or one", tag: send, takes: []anyObject{}, more: append(message("202", "All are stored"), message("207", "Some are not")...)},
		"POST /api/public/media":          {id: "langfuseMedia", says: "Refuses a medium of Langfuse's clients: none are kept", tag: send, more: message("404", "No media are kept; mediaId is its id")},
		"GET /api/public/health":          {id: "langfuseHealth", says: "The server is alive, for Langfuse's clients", tag: ops, media: "application/json"},
		"GET /api/public/projects":        {id: "langfuseProjects", says: "The project of the key, for Langfuse's clients; a key of any scope", tag: "keys", media: "application/json"},
		"GET /api/public/traces/{id}":     {id: "langfuseTrace", says: "One trace, in the words of Langfuse's API", tag: read, media: "application/json"},
		"GET /api/public/v2/observations": {id: "langfuseObservations", says: "Observations, in the words of Langfuse's API", tag: read, media: "application/json"},
		"GET /api/public/v3/scores":       {id: "langfuseReadScores", says: "Scores, in the words of Langfuse's API", tag: read, media: "application/json"},
	}
}

// scoreList is the body of POST /v1/scores/batch.
type scoreList struct {
	Scores []wire.StatRow `json:"scores"`
}

// faults are the errors that routes have in common.
func faults() []struct {
	status     int
	name, says string
	of         func(route, operation) bool
} {
	keyed := func(rt route, _ operation) bool { return rt.scope != "" }
	asks := func(rt route, _ operation) bool { return rt.asks() }
	takes := func(_ route, op operation) bool { return op.takes != nil }
	return []struct {
		status     int
		name, says string
		of         func(route, operation) bool
	}{
		{400, "BadRequest", "The request cannot be read, or a parameter is wrong", func(rt route, op operation) bool { return !rt.anyParam || op.takes != nil }},
		{401, "Unauthorized", "No valid key", keyed},
		{403, "Forbidden", "The key lacks the scope", func(rt route, _ operation) bool { return rt.scope != "" && rt.scope != anyScope }},
		{404, "NotFound", "Nothing of this id in the key's project", func(rt route, _ operation) bool {
			return strings.Contains(rt.path, "{id}") || slices.Contains(rt.params, "id")
		}},
		{408, "Timeout", "The body came too slowly", takes},
		{413, "TooLarge", "The body, the decoded body or the number of events is over the limit that the message names", takes},
		{415, "UnsupportedMedia", "Unknown Content-Type or Content-Encoding", takes},
		{422, "TooMuchAsked", "answer_too_large: the answer would be larger than one may be, read its events page by page; query_too_large: the question needs more memory than there is, ask for less", asks},
		{429, "RateLimited", "Over the rate of the key, or too many wrong keys from this address", keyed},
		{503, "Unavailable", "Cannot be served now; nothing was kept", keyed},
		{504, "QueryTimeout", "The question took longer than it may: ask for less", asks},
	}
}

func ref(schema string) object { return one("$ref", "#/components/schemas/"+schema) }

func content(schema object) object { return one("application/json", one("schema", schema)) }

func problemAnswer(says string) object {
	return one("description", says).with("content", content(ref("Error")))
}

// TestGeneratedOpenAPI holds openapi.json against the routes, the parameters and the types.
func TestGeneratedOpenAPI(t *testing.T) {
	t.Parallel()
	g := newSchemas(t)
	var paths object
	for _, rt := range append(apiRoutes(), opsRoutes()...) {
		op, ok := operations()[rt.method+" "+rt.path]
		if !ok {
			t.Errorf("nothing is said of %s %s", rt.method, rt.path)
			continue
		}
		method := member{strings.ToLower(rt.method), g.operation(rt, op)}
		if i := slices.IndexFunc(paths, func(m member) bool { return m.name == rt.path }); i >= 0 {
			paths[i].value = append(paths[i].value.(object), method)
		} else {
			paths = paths.with(rt.path, object{method})
		}
	}
	g.of(reflect.TypeFor[envelope]())
	g.of(reflect.TypeFor[format.Refusal]())
	g.of(reflect.TypeFor[newKeyRow]())
	doc := one("openapi", "3.1.0").
		with("info", one("title", "Brokle").with("version", version).
			with("description", "Telemetry of applications that use language models: accepted, counted once, given back.")).
		with("security", all(one("key", []any{}), one("bearer", []any{}), one("basic", []any{}))).
		with("paths", paths).
		with("components", one("securitySchemes", one("key", one("type", "apiKey").with("in", "header").with("name", "X-API-Key")).
			with("bearer", one("type", "http").with("scheme", "bearer")).
			with("basic", one("type", "http").with("scheme", "basic").with("description", "Any name, and the key as password"))).
			with("parameters", parameterList()).with("responses", responses()).with("schemas", g.all()))
	generated(t, "openapi.json", written(t, doc, "")+"\n")
}

func (g *schemas) operation(rt route, op operation) object {
	o := one("operationId", op.id).with("summary", op.says).with("tags", all(op.tag))
	var params []any
	if strings.Contains(rt.path, "{id}") {
		params = append(params, one("$ref", "#/components/parameters/id"))
	}
	for _, name := range []string{"version", "item"} {
		if strings.Contains(rt.path, "{"+name+"}") {
			params = append(params, one("$ref", "#/components/parameters/of_"+name))
		}
	}
	if rt.scope == "ingest" && op.takes != nil {
		params = append(params, one("$ref", "#/components/parameters/X-Environment"), one("$ref", "#/components/parameters/Content-Encoding"))
	}
	for _, name := range rt.params {
		params = append(params, one("$ref", "#/components/parameters/"+strings.Replace("/"+name, "/id", "/one", 1)[1:]))
	}
	if params != nil {
		o = o.with("parameters", params)
	}
	if op.takes != nil {
		o = o.with("requestBody", one("required", true).with("content", content(g.of(reflect.TypeOf(op.takes)))))
	}
	answers := map[string]any{}
	if op.gives != nil {
		answers["200"] = one("description", "OK").with("content", content(g.of(reflect.TypeOf(op.gives))))
	}
	if op.media != "" {
		answers["200"] = one("description", "OK").with("content", one(op.media, one("schema", one("type", textOf(op.media)))))
	}
	for _, f := range faults() {
		if f.of(rt, op) {
			answers[strconv.Itoa(f.status)] = one("$ref", "#/components/responses/"+f.name)
		}
	}
	for _, m := range op.more {
		answers[m.name] = m.value
	}
	var sorted object
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		sorted = sorted.with(status, answers[status])
	}
	o = o.with("responses", sorted)
	if rt.scope == "" {
		o = o.with("security", []any{})
	}
	if rt.path == "/api/v1/telemetry/bulk" {
		o = o.with("deprecated", true)
	}
	return o
}

// textOf is the type of what has this media type.
func textOf(media string) string {
	if media == "application/json" {
		return "object"
	}
	return "string"
}

// parameterList is those of package query, and what is no query parameter.
func parameterList() object {
	text := one("type", "string")
	o := one("id", one("name", "id").with("in", "path").with("required", true).with("schema", text)).
		with("of_version", one("name", "version").with("in", "path").with("required", true).with("schema", text)).
		with("of_item", one("name", "item").with("in", "path").with("required", true).with("schema", text)).
		with("X-Environment", one("name", "X-Environment").with("in", "header").with("schema", text).
			with("description", "The environment, unless the body names one")).
		with("Content-Encoding", one("name", "Content-Encoding").with("in", "header").
			with("schema", text.with("enum", all("identity", "gzip", "zstd", "deflate"))))
	for _, p := range query.Params() {
		name := p.Name
		if name == "id" {
			name = "one" // id is the path's
		}
		schema := text
		switch p.Form {
		case query.Number:
			schema = one("type", "number")
		case query.Integer:
			schema = one("type", "integer").with("minimum", 1).with("maximum", query.MaxLimit)
		case query.Boolean:
			schema = one("type", "boolean")
		case query.Conditions:
			schema = one("type", "array").with("items", text).with("maxItems", query.MaxScores)
		}
		if p.Choices != nil {
			schema = schema.with("enum", all(p.Choices...))
		}
		if p.Name == "of" {
			schema = schema.with("default", p.Choices[0])
		}
		if p.Longest > 0 {
			schema = schema.with("maxLength", p.Longest)
		}
		param := one("name", p.Name).with("in", "query").with("schema", schema).with("description", p.Says)
		if p.Form == query.Conditions {
			param = param.with("style", "form").with("explode", true)
		}
		o = o.with(name, param)
	}
	return o
}

func responses() object {
	var o object
	for _, f := range faults() {
		answer := problemAnswer(f.says)
		if f.status == http.StatusTooManyRequests || f.status == http.StatusServiceUnavailable {
			answer = answer.with("headers", one("Retry-After", one("schema", one("type", "integer")).with("description", "Seconds")))
		}
		o = o.with(f.name, answer)
	}
	return o
}

// schemas are the types that the document speaks of.
type schemas struct {
	*source
	done   object
	begun  map[string]reflect.Type
	limits map[string]object // what Go's types do not say, by type.field
	names  map[string]string // of types that have another than in Go
}

func newSchemas(t *testing.T) *schemas {
	source := readSource(t, wire.Trace{}, audit{}, ingest.FailureCount{}, format.Refusal{}, outgoing.Request{}, detail.Explanation{}, scores.Taken{}, budget.Budget{}, alert.Rule{}, judge.Judge{}, prompt.Text{}, saved.Head{}, store.SQLColumn{}, dataset.Info{}, interval.Mean{})
	scopes := one("items", one("type", "string").with("enum", all(keyring.ScopeIngest, keyring.ScopeRead, keyring.ScopeAdmin)))
	values := one("additionalProperties", one("type", all("number", "string")))
	return &schemas{
		source: source, begun: map[string]reflect.Type{},
		limits: map[string]object{
			"BatchRequest.events": one("minItems", 1).with("maxItems", 1000),
			"Event.event_id":      one("minLength", 1).with("maxLength", 128),
			// Later clients send the short forms.
			"Event.event_type":                one("enum", all(append(source.constants["EventType"], "trace", "observation", "quality_score", "event")...)),
			"Observation.usage":               one("type", "object").with("additionalProperties", one("type", "integer")),
			"Observation.attributes":          one("type", "object"),
			"TraceSummary.scores":             values,
			"Key.scopes":                      scopes,
			"BulkRequest.telemetry":           one("items", one("type", "object")),
			"Event.payload":                   one("type", "object"),
			"HistoryEvent.payload":            one("type", "object"),
			"BatchRequest.metadata":           one("type", "object"),
			"Deduplication.enabled":           one("default", true),
			"Deduplication.ttl":               one("minimum", wire.MinDedupTTL).with("maximum", wire.MaxDedupTTL).with("default", wire.DefaultDedupTTL),
			"Deduplication.use_redis_cache":   one("default", true),
			"Deduplication.fail_on_duplicate": one("default", false),
			"EventReceipt.status":             one("enum", all("stored", "failed")),
			"Audit.dedup":                     one("enum", all("local", "redis", "redis_degraded")),
			"RefusedRequest.caller":           one("enum", all("project", "unknown")),
			"NewKey.name":                     one("maxLength", 100),
			"NewKey.scopes":                   one("minItems", 1).with("items", scopes[0].value),
			"Session.traces":                  one("maxItems", maxSessionTraces),
			"FailureCount.last":               one("maxItems", 20),
			"CreatedKey.key":                  one("description", "The secret; it is not shown again"),
		},
		names: map[string]string{
			"ObservationEvent": "HistoryEvent", "keyRow": "Key", "newKeyRow": "CreatedKey", "newKey": "NewKey", "projectRow": "Project",
			"refusedRow": "RefusedRequest", "audit": "Audit", "repricingRow": "RepricingTold", "repricedOfModel": "RepricedModel", "erasure": "Erasure", "erased": "Erased", "keyInfo": "KeyInfo", "envelope": "Error",
			"Refusal": "Conflict", "bulkRequest": "BulkRequest", "scoreList": "ScoreList", "entityHistory": "History", "Request": "ExportRequest", "Reason": "FieldReason",
			"Alert": "BudgetAlert", "Status": "BudgetStatus", "budgetList": "BudgetList",
			"Standing": "JudgeRow", "Wanted": "JudgeScore", "Decided": "JudgeDecided", "Spending": "JudgeSpending", "Rule": "AlertRule", "Destination": "AlertDestination", "Row": "AlertRow", "Group": "AlertGroup", "Delivery": "AlertDelivery", "Message": "AlertMessage", "Change": "AlertChange", "Trial": "AlertTrial", "Sent": "AlertSent",
			"Definition": "ScoreDefinition", "View": "SavedView", "Chart": "SavedChart", "Column": "ViewColumn", "Head": "Saved",
			"Info": "Dataset", "Named": "DatasetNamed", "Item": "DatasetItem", "Version": "DatasetVersion", "imported": "ImportTold", "pinned": "PinnedVersion", "newVersion": "NewVersion", "versionItems": "VersionItems", "newItems": "NewItems",
			"jsonImport": "JSONImport", "csvImport": "CSVImport", "keysMapping": "KeysMapping", "fromTraces": "FromTraces", "fromSpans": "FromSpans", "Recorded": "ExperimentNamed", "Summary": "ScoreSummary", "Mean": "ScoreMean", "Difference": "ScoreDifference",
			"experimentView": "ExperimentSummary", "Result": "ExperimentResult", "comparedView": "ComparedExperiments", "Compared": "Compared", "comparison": "Comparison", "comparisonTold": "ComparisonTold", "comparedName": "ComparedName", "comparedScore": "ComparedScore", "comparedDiff": "ComparedDiff",
			"newResults": "NewResults", "newResult": "NewResult", "newScore": "NewScore", "resultsTold": "ResultsTold", "datasetTop": "DatasetMeta", "datasetPaging": "DatasetPaging",
		},
	}
}

func (g *schemas) all() object {
	slices.SortFunc(g.done, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return g.done
}

// of is the schema of a type; that of a struct with a name is a reference.
func (g *schemas) of(typ reflect.Type) object {
	switch typ {
	case timeType:
		return one("type", "string").with("format", "date-time")
	case stampType:
		return one("type", all("number", "string"))
	case jsonType:
		return nil
	case statType:
		return one("type", "object").with("additionalProperties", true)
	}
	switch typ.Kind() {
	case reflect.Pointer:
		return g.of(typ.Elem())
	case reflect.Bool:
		return one("type", "boolean")
	case reflect.String:
		if values := g.constants[typ.Name()]; values != nil && typ != eventType {
			return one("type", "string").with("enum", all(values...))
		}
		return one("type", "string")
	case reflect.Float64:
		return one("type", "number")
	case reflect.Slice:
		return one("type", "array").with("items", g.of(typ.Elem()))
	case reflect.Map:
		return one("type", "object").with("additionalProperties", g.of(typ.Elem()))
	case reflect.Interface:
		return nil
	case reflect.Struct:
		if strings.Contains(typ.Name(), "[") { // one for each of its parameters
			return g.object(typ, "")
		}
		name := typ.Name()
		if other := g.names[name]; other != "" {
			name = other
		}
		switch other := g.begun[name]; other {
		case typ:
		case nil:
			g.begun[name] = typ
			g.done = g.done.with(name, g.object(typ, name))
		default:
			panic(fmt.Sprintf("two schemas are called %s: %v and %v", name, other, typ))
		}
		return ref(name)
	}
	return one("type", "integer")
}

// object is the schema of a struct: with all of what is embedded in it.
func (g *schemas) object(typ reflect.Type, name string) object {
	fields, embedded := g.shapes(typ)
	var properties object
	var required []any
	for _, f := range fields {
		properties = properties.with(f.name, g.field(f, g.limits[name+"."+f.name]))
		if !f.optional && name != "Deduplication" { // whose fields have defaults
			required = append(required, f.name)
		}
	}
	o := one("type", "object").with("properties", properties)
	if required != nil {
		o = o.with("required", required)
	}
	if name == "NewKey" {
		o = o.with("additionalProperties", false)
	}
	if embedded != nil {
		parts := make([]any, 0, len(embedded)+1)
		for _, e := range embedded {
			parts = append(parts, g.of(e))
		}
		if fields != nil {
			parts = append(parts, o)
		}
		o = one("allOf", parts)
	}
	if says := g.says[nameOf(typ)]; says != "" && name != "" {
		o = o.with("description", strings.Replace(says, typ.Name()+" ", name+" ", 1))
	}
	return o
}

// field is the schema of a field. A pointer may be null where it may not be absent.
func (g *schemas) field(f shape, limits object) object {
	o := g.of(f.typ)
	if f.typ.Kind() == reflect.Pointer && !f.optional {
		if o[0].name == "$ref" {
			o = one("oneOf", all(o, one("type", "null")))
		} else {
			o = append(one("type", all(o[0].value.(string), "null")), o[1:]...)
		}
	}
	for _, m := range limits {
		if i := slices.IndexFunc(o, func(has member) bool { return has.name == m.name }); i >= 0 {
			o = slices.Concat(o[:i], object{m}, o[i+1:])
		} else {
			o = o.with(m.name, m.value)
		}
	}
	if f.says != "" && !slices.ContainsFunc(o, func(m member) bool { return m.name == "description" }) {
		o = o.with("description", f.says)
	}
	return o
}
