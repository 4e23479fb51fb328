package handover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/extract"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// BackLog is the Log that Back fills, which nobody else writes to.
type BackLog interface {
	// AppendAll appends batches one behind the other: each event gets the next Seq.
	AppendAll(ctx context.Context, batches []*store.Batch) ([][]store.Outcome, error)
	EventReceipt(ctx context.Context, project, eventID string) (*wire.EventReceipt, error)
	Read(ctx context.Context, after entity.Seq, most int) ([]entity.Record, entity.Seq, error)
	Head() entity.Seq
}

// Progress is how far Back is, which outlives the process.
type Progress struct {
	// Nodes are up to where in its own Log the events of each node are in the new one.
	Nodes map[uint16]entity.Seq `json:"nodes"`
	// Head is up to where the new Log had them then: what is behind it comes again.
	Head entity.Seq `json:"head"`
	// Begins are the places of the new Log behind which the events of each node begin.
	Begins map[uint16]entity.Seq `json:"begins"`
	// Places are the places of the new Log that some of each node's Log have become.
	Places map[uint16]map[entity.Seq]entity.Seq `json:"places"`
}

// Back fills a Log with what several nodes have taken, node by node, in the order of each.
type Back struct {
	Log BackLog
	// First says of each record whether it is the one that counts, of the copies of one fact that several nodes took.
	First func(ctx context.Context, recs []entity.Record) ([]bool, error)
	// Save keeps the progress. What was appended after the last time is found again.
	Save func(*Progress) error
	// Told is told how many events were copied.
	Told func(n int64)
	// Records is how many are appended at once. Default 5000.
	Records int

	Progress
	tail map[fact][]entity.Seq // what was appended behind Progress.Head
	left int                   // how many of these did not come yet
	node uint16
	recs []entity.Record
	size int
	n    int64
}

type fact struct {
	project, id string
	content     uint64
}

func factOf(r *entity.Record) fact {
	return fact{r.Project, r.Event.ID, extract.ContentOf(&r.Event)}
}

const (
	// backRecords and backBytes are how much is appended at once.
	backRecords = 5000
	backBytes   = 16 << 20
	// backTTL is how long what was copied is known: a client's retry is a duplicate.
	backTTL = 24 * time.Hour
)

// Resume finds what was appended and not noted.
func (b *Back) Resume(ctx context.Context) error {
	b.tail, b.left = map[fact][]entity.Seq{}, 0
	for at := b.Head; at < b.Log.Head(); {
		recs, upto, err := b.Log.Read(ctx, at, readAtOnce)
		if err != nil {
			return fmt.Errorf("copy back: %w", err)
		}
		for i := range recs {
			is := factOf(&recs[i])
			b.tail[is] = append(b.tail[is], recs[i].Seq)
		}
		b.left += len(recs)
		at = upto
	}
	return nil
}

// Node appends the events of a node, which scan reads behind a Seq of its own, whose Seqs own says.
func (b *Back) Node(ctx context.Context, node uint16, scan func(after entity.Seq, each func(*entity.Record) error) error) error {
	b.node, b.recs, b.size = node, nil, 0
	if _, begun := b.Begins[node]; !begun {
		if b.Begins[node] = b.Log.Head(); b.left > 0 {
			b.Begins[node] = b.Head
		}
	}
	err := scan(b.Nodes[node], func(r *entity.Record) error {
		b.recs = append(b.recs, *r)
		if b.size += len(r.Event.Payload); len(b.recs) < cmp.Or(b.Records, backRecords) && b.size < backBytes {
			return nil
		}
		return b.flush(ctx)
	})
	if err == nil {
		err = b.flush(ctx)
	}
	if err != nil {
		return fmt.Errorf("copy back: %w", err)
	}
	return nil
}

// flush appends what was gathered.
func (b *Back) flush(ctx context.Context) error {
	if len(b.recs) == 0 {
		return nil
	}
	fresh, again, err := b.wanted(ctx)
	if err != nil {
		return err
	}
	at := b.Log.Head()
	batches := batchesOf(fresh, again)
	outcomes, err := b.Log.AppendAll(ctx, batches)
	if err != nil {
		return err
	}
	for _, outcome := range outcomes {
		if slices.Contains(outcome, store.Duplicate) {
			return errors.New("an event is in the new log that was not copied to it: somebody else writes to the directory")
		}
	}
	if head := b.Log.Head(); head != at+entity.Seq(len(fresh)) {
		return fmt.Errorf("the new log ends at %d instead of %d: somebody else writes to the directory", head, at+entity.Seq(len(fresh)))
	}
	for i := range fresh {
		b.place(fresh[i].Seq, at+1+entity.Seq(i))
	}
	b.Nodes[b.node] = b.recs[len(b.recs)-1].Seq
	if b.left == 0 {
		b.Head = b.Log.Head()
	}
	b.n += int64(len(b.recs))
	b.recs, b.size = b.recs[:0], 0
	if err := b.Save(&b.Progress); err != nil {
		return err
	}
	b.Told(b.n)
	return nil
}

// place notes where an event stands now.
func (b *Back) place(was, is entity.Seq) {
	for place := range b.Places[b.node] {
		if was <= place {
			b.Places[b.node][place] = is
		}
	}
}

// wanted is what is to be appended of what was gathered, and of what the id is known already: facts of one id that are not the same.
func (b *Back) wanted(ctx context.Context) (fresh []entity.Record, again []bool, err error) {
	type id struct{ project, id string }
	met := map[id]bool{}
	var asked []entity.Record
	known := map[entity.Seq]bool{}
	for _, r := range b.recs {
		is := id{r.Project, r.Event.ID}
		if !met[is] {
			met[is] = true
			_, err := b.Log.EventReceipt(ctx, r.Project, r.Event.ID)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return nil, nil, err
			}
		}
		known[r.Seq] = true
		asked = append(asked, r)
	}
	counts := map[entity.Seq]bool{}
	if len(asked) > 0 {
		first, err := b.First(ctx, asked)
		if err != nil {
			return nil, nil, err
		}
		for i := range asked {
			counts[asked[i].Seq] = first[i]
		}
	}
	for _, r := range b.recs {
		is := factOf(&r)
		if seqs := b.tail[is]; len(seqs) > 0 && (!known[r.Seq] || counts[r.Seq]) {
			b.tail[is], b.left, b.Head = seqs[1:], b.left-1, seqs[0] // they come in the order in which they were appended
			b.place(r.Seq, seqs[0])
			continue
		}
		if !known[r.Seq] || counts[r.Seq] {
			fresh, again = append(fresh, r), append(again, known[r.Seq])
		}
	}
	return fresh, again, nil
}

// batchesOf are records as batches, in their order: those that came together are one.
func batchesOf(recs []entity.Record, again []bool) (batches []*store.Batch) {
	for i := range recs {
		r := &recs[i]
		var b *store.Batch
		if n := len(batches); n > 0 {
			b = batches[n-1]
		}
		if b == nil || b.ID != r.BatchID || b.Project != r.Project || b.Environment != r.Environment || b.KeyID != r.KeyID || !b.ReceivedAt.Equal(r.ReceivedAt) || b.Dedup.Enabled == again[i] {
			b = &store.Batch{Project: r.Project, Environment: r.Environment, ID: r.BatchID, KeyID: r.KeyID, ReceivedAt: r.ReceivedAt, Dedup: store.Dedup{Enabled: !again[i], TTL: backTTL, LocalOnly: true}}
			batches = append(batches, b)
		}
		b.Events = append(b.Events, r.Event)
		for _, note := range r.Notes {
			b.Notes = append(b.Notes, wire.EventNote{EventID: r.Event.ID, Note: note})
		}
	}
	return batches
}
