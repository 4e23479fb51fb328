package server

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// statsCollector renders the Stats structs of the other packages when someone
// scrapes, so that those packages know nothing of metrics.
type statsCollector struct{ s *Server }

func newStatsCollector(s *Server) *statsCollector { return &statsCollector{s: s} }

// Describe sends nothing: which parts there are depends on the options, so the
// collector is what client_golang calls unchecked.
func (*statsCollector) Describe(chan<- *prometheus.Desc) {}

// sample is one number of a scrape.
type sample struct {
	kind   prometheus.ValueType
	name   string
	help   string
	value  float64
	labels []string // name, value, name, value, …
}

// Collect reads every Stats once.
func (c *statsCollector) Collect(out chan<- prometheus.Metric) {
	for _, group := range [][]sample{c.ingest(), c.log(), c.indexer(), c.claimer(), c.media(), c.retention(), c.repricing(), c.forwarding(), c.budgets(), c.alerts(), c.judges(), c.health(), c.s.refusals.samples()} {
		for _, s := range group {
			var names, values []string
			for i := 0; i+1 < len(s.labels); i += 2 {
				names = append(names, s.labels[i])
				values = append(values, s.labels[i+1])
			}
			out <- prometheus.MustNewConstMetric(prometheus.NewDesc("brokle_"+s.name, s.help, names, nil), s.kind, s.value, values...)
		}
	}
}

func counter(name, help string, value int64, labels ...string) sample {
	return sample{prometheus.CounterValue, name, help, float64(value), labels}
}

func gauge(name, help string, value float64, labels ...string) sample {
	return sample{prometheus.GaugeValue, name, help, value, labels}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func (c *statsCollector) ingest() []sample {
	st := c.s.o.Ingest.Stats()
	const events = "Events of stored batches, by outcome."
	out := []sample{
		counter("batches_total", "Batches stored, with or without events.", st.Batches),
		counter("events_total", events, st.Processed, "outcome", "processed"),
		counter("events_total", events, st.Duplicate, "outcome", "duplicate"),
		counter("batch_conflicts_total", "Batches refused because they asked to fail on duplicates.", st.Conflicts),
		counter("batch_unavailable_total", "Attempts to store a batch that ended in an error of the log.", st.Unavailable),
		counter("dedup_degraded_total", "Batches that only this node's index deduplicated or knows, because the claimer did not do its part.", st.Degraded),
		gauge("jobs_pending", "Asynchronous batches accepted and not finished.", float64(st.JobsPending)),
		counter("jobs_total", "Asynchronous batches that ended, by status.", st.JobsCompleted, "status", "completed"),
		counter("jobs_total", "Asynchronous batches that ended, by status.", st.JobsFailed, "status", "failed"),
	}
	failed := int64(0)
	for code, n := range st.Failed {
		failed += n
		out = append(out, counter("events_failed_total", "Events that failed, by code.", n, "code", code))
	}
	return append(out, counter("events_total", events, failed, "outcome", "failed"))
}

func (c *statsCollector) log() []sample {
	if c.s.o.LogStats == nil {
		return nil
	}
	st := c.s.o.LogStats()
	return []sample{
		gauge("log_head_seq", "The last Seq given out and durable.", float64(st.Head)),
		gauge("log_segments", "Segment files.", float64(st.Segments)),
		gauge("log_disk_bytes", "Bytes of the log on disk.", float64(st.DiskBytes)),
		counter("log_batches_total", "Batches appended, with or without events.", st.Batches),
		counter("log_events_total", "Events by what the log decided.", st.Stored, "outcome", "stored"),
		counter("log_events_total", "Events by what the log decided.", st.Duplicates, "outcome", "duplicate"),
		counter("log_fsyncs_total", "Syncs of segment files on the acceptance path.", st.Fsyncs),
		gauge("log_queue_requests", "Requests that wait for the committer.", float64(st.QueueLen)),
		counter("log_torn_bytes_total", "Bytes cut from the tail when the log was opened.", st.TornBytes),
		counter("log_corrupt_blocks_total", "Corrupt blocks found by reading.", st.CorruptBlocks),
		counter("retention_events_total", "Events whose payloads retention took off the disk, by reason.", st.Removed.Aged, "reason", "expired"),
		counter("retention_events_total", "Events whose payloads retention took off the disk, by reason.", st.Removed.Late, "reason", "late"),
		counter("log_recompressed_segments_total", "Sealed segments that were recompressed.", st.RecompressedSegs),
		gauge("index_entries", "Ids that the index remembers, estimated.", float64(st.IndexEntries)),
		gauge("index_bytes", "Bytes of the id index on disk.", float64(st.IndexBytes)),
		gauge("log_fault", "1 while the log refuses to append.", truth(st.Fault != "")),
	}
}

func (c *statsCollector) indexer() []sample {
	if c.s.o.IndexerStats == nil {
		return nil
	}
	st := c.s.o.IndexerStats()
	return []sample{
		gauge("indexer_cursor_seq", "Events up to this Seq are queryable.", float64(st.Cursor)),
		counter("indexer_events_total", "Events inserted into the warehouse.", st.Inserted),
		counter("indexer_batches_total", "Transactions of the warehouse.", st.Batches),
		counter("indexer_retries_total", "Inserts that were tried again.", st.Retries),
		gauge("indexer_quarantined_events", "Events in quarantine now.", float64(st.Quarantined)),
		gauge("indexer_lag_seqs", "Head of the log minus cursor.", float64(st.Lag)),
		gauge("indexer_oldest_wait_seconds", "How long the oldest event that is not queryable yet has waited.", st.OldestWait.Seconds()),
		gauge("indexer_fault", "1 after an insert that failed.", truth(st.Fault != "")),
	}
}

func (c *statsCollector) claimer() []sample {
	if c.s.o.ClaimerStats == nil {
		return nil
	}
	st := c.s.o.ClaimerStats()
	const ids = "Ids sent to the claimer, by step."
	out := []sample{
		gauge("claimer_up", "1 while other nodes can be asked which ids are stored.", truth(st.Up)),
		counter("claimer_ids_total", ids, st.Claims, "step", "claim"),
		counter("claimer_ids_total", ids, st.Commits, "step", "commit"),
		counter("claimer_ids_total", ids, st.Releases, "step", "release"),
		counter("claimer_waits_total", "Claims that met another owner and waited.", st.Waited),
		counter("claimer_yields_total", "Times that a waiting claim gave way to another owner.", st.Yielded),
		counter("claimer_lapsed_ids_total", "Ids committed after their lease had gone.", st.Lapsed),
		gauge("claimer_backlog_ids", "Stored ids that other nodes could not be told yet.", float64(st.Backlog)),
		counter("claimer_handed_ids_total", "Ids of the backlog that other nodes were told later.", st.Handed),
		counter("claimer_dropped_ids_total", "Ids that did not fit the backlog: other nodes will not know them.", st.Dropped),
		counter("claimer_outages_total", "Times that other nodes could no longer be asked.", st.Degraded),
	}
	for kind, n := range st.Errors {
		out = append(out, counter("claimer_errors_total", "Failed steps and probes of the claimer, by kind.", n, "kind", kind))
	}
	return out
}

func (c *statsCollector) media() []sample {
	if c.s.o.MediaStats == nil {
		return nil
	}
	st := c.s.o.MediaStats()
	return []sample{
		counter("media_stored_total", "Media taken out of payloads that were new.", st.Stored),
		counter("media_stored_bytes_total", "Bytes of these.", st.Bytes),
		counter("media_again_total", "Media taken out of payloads that were there already.", st.Again),
		counter("media_removed_total", "Media removed because no event refers to them any more.", st.Removed),
	}
}

func (c *statsCollector) retention() []sample {
	if c.s.o.RetentionStats == nil {
		return nil
	}
	st := c.s.o.RetentionStats()
	out := []sample{
		counter("retention_passes_total", "Passes of retention that removed all they should.", st.Passes),
		counter("retention_rows_total", "Rows of expired events removed from the warehouse.", st.Rows),
		gauge("retention_fault", "1 after a pass of retention that failed.", truth(st.Fault != "")),
	}
	if !st.Last.IsZero() {
		out = append(out, gauge("retention_last_pass_timestamp_seconds", "Begin of the last whole pass, Unix time.", float64(st.Last.UnixMicro())/1e6))
	}
	return out
}

func (c *statsCollector) repricing() []sample {
	st := c.s.o.Repricer.Stats()
	return []sample{
		gauge("repricing_running", "1 while calls of the past are repriced.", truth(st.Running)),
		counter("repricing_days_total", "Days of a project that were repriced.", st.Days),
		counter("repricing_calls_total", "Calls whose cost, or the reason for none, was changed by that.", st.Calls),
		counter("repricings_total", "Repricings that ended.", st.Ended),
		gauge("repricing_fault", "1 after a day that could not be repriced.", truth(st.Fault != "")),
	}
}

func (c *statsCollector) forwarding() []sample {
	if c.s.o.ForwardStats == nil {
		return nil
	}
	st := c.s.o.ForwardStats()
	out := []sample{
		gauge("forward_cursor_seq", "The server of --forward-otlp was sent everything up to this Seq.", float64(st.Cursor)),
		gauge("forward_lag_seqs", "Head of the log minus that.", float64(st.Lag)),
		counter("forward_items_total", "Spans and log records that the server of --forward-otlp took.", st.Sent),
		counter("forward_requests_total", "Requests that it answered.", st.Requests),
		counter("forward_retries_total", "Requests that were sent again.", st.Retries),
		counter("forward_gone_events_total", "Events that had expired or were erased before they were sent on.", st.Gone),
		gauge("forward_fault", "1 after a request that failed.", truth(st.Fault != "")),
	}
	for why, n := range st.Dropped {
		out = append(out, counter("forward_dropped_total", "Spans and log records that the server refused for good, by reason.", n, "reason", why))
	}
	return out
}

// budgets has a few series for each budget, of which a project has a bounded number.
func (c *statsCollector) budgets() []sample {
	st := c.s.o.Budgets.Stats()
	out := []sample{
		counter("budget_looks_total", "Looks at all budgets.", st.Looks),
		counter("budget_look_failures_total", "Budgets whose spend could not be asked.", st.Failed),
		counter("budget_alerts_total", "Levels of budgets that were reached.", st.Alerts),
		counter("budget_alerts_sent_total", "Alerts that a webhook took.", st.Sent),
		counter("budget_alert_failures_total", "Requests with an alert that a webhook did not take; they are sent again.", st.Retries),
		counter("budget_alerts_dropped_total", "Alerts given up because a webhook did not take them for three days.", st.Dropped),
		gauge("budget_alerts_pending", "Alerts that are to be sent.", float64(st.Pending)),
		gauge("budget_fault", "1 while the spend cannot be asked, the file not be written, or a webhook does not take an alert.", truth(st.Fault)),
	}
	if !st.Last.IsZero() {
		out = append(out, gauge("budget_last_look_timestamp_seconds", "End of the last look, Unix time.", float64(st.Last.UnixMicro())/1e6))
	}
	for _, b := range st.Budgets {
		of := []string{"project", b.Project, "budget", b.Name}
		if b.KeyID != "" {
			out = append(out, gauge("budget_key", "1: the key that a budget is of, by id and name.", 1, "project", b.Project, "budget", b.Name, "key_id", b.KeyID, "key_name", b.KeyName))
		}
		if b.Known {
			out = append(out,
				gauge("budget_spend_usd", "What was spent of a budget in the present period; more when calls have no cost that is known.", b.Spend, of...),
				gauge("budget_unpriced_calls", "Calls in that whose cost is not known.", float64(b.Unpriced), of...),
				gauge("budget_over", "1 while the stop level of a budget is reached.", truth(b.Over), of...))
		}
		if b.Warn != nil {
			out = append(out, gauge("budget_warn_usd", "The warning level of a budget.", *b.Warn, of...))
		}
		if b.Stop != nil {
			out = append(out, gauge("budget_stop_usd", "The stop level of a budget.", *b.Stop, of...))
		}
	}
	return out
}

// alerts has one series for each alert, of which a project has a bounded number.
func (c *statsCollector) alerts() []sample {
	st := c.s.o.Alerts.Stats()
	out := []sample{
		counter("alert_looks_total", "Questions of alerts that were answered.", st.Looks),
		counter("alert_look_failures_total", "Questions of alerts that could not be answered.", st.Failed),
		counter("alert_looks_delayed_total", "Looks that were put off because what was accepted could not be asked for yet.", st.Delayed),
		counter("alert_changes_total", "Changes of the state of an alert, or of one of its groups.", st.Changes),
		counter("alert_messages_sent_total", "Messages of alerts that were taken.", st.Sent),
		counter("alert_message_failures_total", "Attempts at which a message was not taken; it is sent again.", st.Retries),
		counter("alert_messages_dropped_total", "Messages that were given up.", st.Dropped),
		gauge("alert_messages_pending", "Messages that are to be sent.", float64(st.Pending)),
		gauge("alert_leads", "1 while this node is the one that looks and sends.", truth(st.Leads)),
		gauge("alert_fault", "1 while the file of alerts cannot be written.", truth(st.Fault)),
	}
	if !st.Last.IsZero() {
		out = append(out, gauge("alert_last_look_timestamp_seconds", "End of the last look, Unix time.", float64(st.Last.UnixMicro())/1e6))
	}
	for _, a := range st.Alerts {
		out = append(out, gauge("alert_state", "The state of an alert: 0 ok, 1 warning, 2 alert.", float64(a.State), "project", a.Project, "alert", a.Name))
	}
	return out
}

// judges has series for each judge, of which a project has a bounded number.
func (c *statsCollector) judges() []sample {
	st := c.s.o.Judges.Stats()
	out := []sample{
		gauge("judge_leads", "1 while this node is the one that judges.", truth(st.Leads)),
		gauge("judge_fault", "1 while the file of judges cannot be written.", truth(st.Fault)),
	}
	for _, j := range st.Judges {
		of := []string{"project", j.Project, "judge", j.Name}
		for _, d := range []struct {
			outcome string
			n       int64
		}{{"judged", j.Decided.Judged}, {"nothing", j.Decided.Nothing}, {"given_up", j.Decided.GivenUp}, {"over", j.Decided.Over}} {
			out = append(out, counter("judge_traces_total", "Traces that a judge has decided, since it was put first.", d.n, append(slices.Clone(of), "outcome", d.outcome)...))
		}
		out = append(out, gauge("judge_calls_today", "Calls of a judge on this day in UTC.", float64(j.Today.Calls), of...),
			gauge("judge_cost_today_dollars", "What they cost, as far as it is known.", j.Today.Cost, of...))
	}
	return out
}

func (c *statsCollector) health() []sample {
	out := []sample{
		gauge("in_flight_bytes", "Bytes that the bodies of requests hold now.", float64(c.s.inFlight.used.Load())),
		gauge("in_flight_limit_bytes", "The bound of brokle_in_flight_bytes.", float64(c.s.o.MaxInFlightBytes)),
	}
	turns := c.s.turns.stats()
	out = append(out,
		gauge("queries_working", "Questions that are being answered.", float64(turns.busy)),
		gauge("queries_waiting", "Questions that wait for their turn.", float64(turns.waiting)),
		counter("queries_refused_total", "Questions that got no turn, or whose clients left before it.", turns.refused))
	out = append(out,
		counter("sql_queries_total", "Questions in SQL that were worked at.", c.s.sql.asked.Load()),
		counter("sql_query_failures_total", "Those that ended with an error: of the text, too long, too large.", c.s.sql.failed.Load()),
		counter("sql_query_milliseconds_total", "Milliseconds in which questions in SQL were worked at.", c.s.sql.micros.Load()/1000))
	answers := c.s.answers.stats()
	out = append(out,
		gauge("answers_bytes", "Bytes that answers weigh which are built or sent now, without a large one.", float64(answers.used)),
		gauge("answers_limit_bytes", "The bound of brokle_answers_bytes.", float64(c.s.o.MaxAnswerBytes)),
		gauge("answers_large", "1 while a large answer is built or sent.", truth(answers.large)),
		gauge("answers_waiting", "Answers that wait for room.", float64(answers.waiting)),
		counter("answers_refused_total", "Answers that found no room.", answers.refused))
	for _, part := range c.s.o.Health() {
		out = append(out, gauge("part_up", "1 while the part of /readyz is well.", truth(part.OK), "part", part.Part))
	}
	return out
}
