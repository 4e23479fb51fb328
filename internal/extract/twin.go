package extract

import (
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/otel"
)

// twin says of a call what its other reports are known by, and which of them says more: see
// entity.Call.
func (f *fieldsOf) twin(s *otel.Span, m *otel.Meaning) {
	if !m.Call() {
		return
	}
	f.text(entity.PromptKey, promptKey(m))
	role, streamed := streamOf(s, m)
	f.text(entity.Twin, entity.SaidOfTwins(len(m.Input)+len(m.Output), role, streamed))
}

// promptKey is a hash of all text that went in, "" when none was sent. The shape in which it was
// sent, and the roles, which libraries name in their own ways, are not part of it.
func promptKey(m *otel.Meaning) string {
	var d xxhash.Digest
	d.Reset()
	if !m.PromptText(func(text []byte) { d.Write(text) }) { //nolint:errcheck // it never fails
		return ""
	}
	return fmt.Sprintf("%016x", d.Sum64())
}

// streamOf says which half of a stream a span of Logfire is, that has two of each: the call's span
// ends at the first byte, and a log says the rest, which took that many microseconds.
func streamOf(s *otel.Span, m *otel.Meaning) (role entity.StreamRole, streamed int64) {
	if m.Dialect != "logfire" {
		return entity.WholeCall, 0
	}
	if s.Kind == otel.Client {
		return entity.StreamBegun, 0
	}
	isLog := false
	streamed = -1
	for i := range s.Attributes {
		switch a := &s.Attributes[i]; a.Key {
		case "logfire.span_type":
			isLog = a.Value.Text == "log"
		case "duration":
			if seconds, err := strconv.ParseFloat(a.Value.String(), 64); err == nil && seconds >= 0 && seconds < 1e6 {
				streamed = int64(seconds * 1e6)
			}
		}
	}
	if isLog && streamed >= 0 {
		return entity.StreamRead, streamed
	}
	return entity.WholeCall, 0
}
