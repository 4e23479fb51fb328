package otel
func mlflow(r *reader) {}
func langsmith(r *reader) {}
func logfire(r *reader) {}
func litellm(r *reader) {}
func openlit(r *reader) {}
func traceloop(r *reader) {}
