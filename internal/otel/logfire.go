package otel

// logfire reads the spans of Logfire, whose names are templates.
func logfire(r *reader) {
	genai(r)
	m := r.m
	if name := r.text("logfire.msg"); name != "" {
		m.Name = name
		r.why("name", "logfire.msg, because the span's name is a template")
	}
	raw := usageOf(r.text("gen_ai.usage.raw"))
	m.details(&raw)
	if !m.Reasoning.Sent {
		m.Reasoning = raw.reasoning
	}
	if m.RequestedServiceTier == "" && m.Call() {
		m.RequestedServiceTier = askedTier(r.text("request_data"))
	}
	if m.Level == "" {
		m.Level = logfireLevel(r.count("logfire.level_num").N)
	}
	if r.text("gen_ai.operation.name") == "" && r.text("logfire.span_type") == "log" {
		m.Type = "event"
	}
	m.TotalCost = r.money("operation.cost")
}

// logfireLevel reads a severity number of OpenTelemetry's logs.
func logfireLevel(n int64) string {
	switch {
	case n >= 17:
		return "ERROR"
	case n >= 13:
		return "WARN"
	case n >= 9:
		return "INFO"
	case n > 0:
		return "DEBUG"
	}
	return ""
}
