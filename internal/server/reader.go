package server

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// logReader is a node's own Log as all that there is to be read.
type logReader struct{ store.Log }

// ReadOf is the Log's Read: other events are among them.
func (r logReader) ReadOf(ctx context.Context, _ *store.EventFilter, after entity.Seq, most int) ([]entity.Record, entity.Seq, error) {
	return r.Read(ctx, after, most)
}

// headerFreshness says how far what an answer knows of other nodes may be behind.
const headerFreshness = "Brokle-Freshness"

// freshness adds it to the answer of a question: whole seconds, and how many events are missing that nodes have which are away.
func (s *Server) freshness(ans *answer) {
	if ans == nil || s.o.Freshness == nil {
		return
	}
	behind, missing := s.o.Freshness()
	text := strconv.FormatInt(int64((behind+time.Second-1)/time.Second), 10)
	if missing > 0 {
		text += "; missing=" + strconv.FormatUint(uint64(missing), 10)
	}
	if ans.header == nil {
		ans.header = http.Header{}
	}
	ans.header.Set(headerFreshness, text)
}
