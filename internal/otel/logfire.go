package otel

// logfire reads the spans of Logfire, whose names are templates.
func logfire(r *reader) {
	genai(r)
	m := r.m
	if name := r.text("logfire.msg"); name != "" {
		m.Name = name
		r.why("name", "logfire.msg, because the span's name is a template")
	}
	if !m.Reasoning.Sent {
		m.Reasoning = usageOf(r.text("gen_ai.usage.raw")).reasoning
	}
	if m.Level == "" {
		m.Level = logfireLevel(r.count("logfire.level_num").N)
	}
	if r.text("gen_ai.operation.name") == "" && r.text("logfire.span_type") == "log" {
		m.Type = "event"
	}
	m.TotalCost = r.num("operation.cost")
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

// streamPair says whether b is the log that Logfire writes when the stream of the call a has been
// read: of the same scope and the same prompt, begun when the call's span ended, at the first byte.
func streamPair(a, b Report) bool {
	if a.Dialect != "logfire" || a.Scope != b.Scope || a.Kind != Client || b.text("logfire.span_type") != "log" ||
		a.text("gen_ai.input.messages") != b.text("gen_ai.input.messages") {
		return false
	}
	const tolerance = 50e6 // ns: between the first byte and the reader's first look
	d := b.text("duration")
	seconds := Value{Type: String, Text: d}.number()
	began := float64(b.Start) - seconds.V*1e9
	return seconds.Sent && began-float64(a.End) < tolerance && float64(a.End)-began < tolerance
}
