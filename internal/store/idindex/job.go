package idindex

import (
	"fmt"
	"slices"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// pendingJob is a job that has not ended. There are few, and they do not expire.
type pendingJob struct {
	Project string     `json:"project"`
	ID      string     `json:"id"`
	Batch   string     `json:"batch"`
	Request entity.Seq `json:"request"` // block of the raw request
}

type jobKey struct{ project, id string }

func (p *pendingJob) key() jobKey { return jobKey{p.Project, p.ID} }

func (c *Change) job() jobKey { return jobKey{c.Project, c.JobID} }

// Job finds the block that says what became of a job: that of its request while it is pending, that of its end for
// store.ReceiptTTL.
func (x *Index) Job(project, jobID string) (entity.Seq, bool, error) {
	x.mu.RLock()
	p, pending := x.pending[jobKey{project, jobID}]
	x.mu.RUnlock()
	if pending {
		return p.Request, true, nil
	}
	return x.receipt(KindJob, project, jobID)
}

// PendingJobs returns the request blocks of the jobs that have not ended, oldest first.
func (x *Index) PendingJobs() []entity.Seq {
	x.mu.RLock()
	defer x.mu.RUnlock()
	seqs := make([]entity.Seq, 0, len(x.pending))
	for _, p := range x.pending {
		seqs = append(seqs, p.Request)
	}
	slices.Sort(seqs)
	return seqs
}

// pendingBatch is the request block of a batch whose job is pending, 0 for none.
func (x *Index) pendingBatch(project, batchID string) (at entity.Seq) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	for _, p := range x.pending {
		if p.Project == project && p.Batch == batchID {
			at = max(at, p.Request)
		}
	}
	return at
}

// endedJobs finds the jobs that changes name and that have ended before, and when that is forgotten.
func (x *Index) endedJobs(changes []Change) (map[jobKey]int64, error) {
	ended := map[jobKey]int64{}
	for i := range changes {
		c := &changes[i]
		if c.Job == JobNone {
			continue
		}
		e, err := x.one(KindJob, c.Project, c.JobID, c.At)
		if err != nil {
			return nil, fmt.Errorf("apply block %d to id index: %w", c.Block, err)
		}
		if e.Seq != 0 {
			ended[c.job()] = e.Expires.UnixMicro()
		}
	}
	return ended, nil
}
