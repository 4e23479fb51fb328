package brokle

// ScoreTrace records a quality score of a trace by its id: of one that another process recorded, or an earlier run. value is a
// number, a bool or a text; ID, Comment, Evaluator, Source, Metadata and UserID (who gave it) are the options that mean something.
// It returns the id of the score, by which a quality_score_update changes it, and the errors of SubmitBatchEvent.
func (c *Client) ScoreTrace(traceID, name string, value any, opts ...Option) (string, error) {
	return c.score(Score{TraceID: traceID, Name: name}, value, opts)
}

// ScoreObservation records a quality score of an observation by its id and that of its trace. See ScoreTrace.
func (c *Client) ScoreObservation(traceID, observationID, name string, value any, opts ...Option) (string, error) {
	return c.score(Score{TraceID: traceID, ObservationID: observationID, Name: name}, value, opts)
}

func (c *Client) score(s Score, value any, opts []Option) (string, error) {
	if !c.enabled() {
		return "", nil
	}
	d := c.gather(opts)
	defer c.free(d)
	if d.id == "" {
		d.id = NewID()
	}
	if d.score(&s, value); d.err != nil {
		return "", &EventError{Type: QualityScoreCreate, Err: d.err}
	}
	if _, err := c.SubmitBatchEvent(QualityScoreCreate, &s); err != nil {
		return "", err
	}
	return s.ID, nil
}
