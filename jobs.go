package brokle

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/transport"
)

const (
	pathJobs = "/v1/telemetry/jobs/"
	// jobWait is how long one request of WaitJob lets the server hold the answer back.
	jobWait = 5 * time.Second
)

// Job returns how far an asynchronous batch has come. It is kept for 24 h after
// completion; after that a *RequestError with status 404.
func (c *Client) Job(ctx context.Context, id string) (*Job, error) {
	return c.job(ctx, id, 0)
}

// WaitJob returns the job when it is completed or failed, or ctx's error. It
// waits at the server, not by polling.
func (c *Client) WaitJob(ctx context.Context, id string) (*Job, error) {
	for {
		wait := min(jobWait, c.timeout()/2)
		asked := time.Now()
		job, err := c.job(ctx, id, wait)
		if err != nil {
			return nil, err
		}
		if job.Status == JobCompleted || job.Status == JobFailed {
			return job, nil
		}
		// A server that does not hold the answer back is not to be hammered.
		if err := clock.Sleep(ctx, max(0, min(wait, 100*time.Millisecond)-time.Since(asked))); err != nil {
			return nil, fmt.Errorf("brokle: wait for job %s: %w", id, err)
		}
	}
}

func (c *Client) timeout() time.Duration {
	if c == nil {
		return 0
	}
	return c.cfg.Timeout
}

func (c *Client) job(ctx context.Context, id string, wait time.Duration) (*Job, error) {
	var query url.Values
	if wait > 0 {
		query = url.Values{"wait": {wait.String()}}
	}
	return get[Job](ctx, c, pathJobs+url.PathEscape(id), query)
}

// Batch returns what became of any batch of the last 24 h.
func (c *Client) Batch(ctx context.Context, batchID string) (*Job, error) {
	return get[Job](ctx, c, transport.PathBatch+"/"+url.PathEscape(batchID), nil)
}

// Receipt returns what became of one event, within its deduplication TTL (24 h for a failed one).
func (c *Client) Receipt(ctx context.Context, eventID string) (*EventReceipt, error) {
	return getOne[EventReceipt](ctx, c, pathStoredEvents, eventID, nil)
}
