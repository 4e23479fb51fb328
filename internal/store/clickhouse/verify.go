package clickhouse

import (
	"context"
	"fmt"
	"slices"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Verified is what a comparison of records of this node's Log with the tables found.
type Verified struct {
	Events    int64        `json:"events"`            // records compared
	Elsewhere int64        `json:"elsewhere"`         // those of which another copy is there: another node's, or one that was accepted before
	Missing   []entity.Seq `json:"missing"`           // those of which there is nothing
	Differing []entity.Seq `json:"differing"`         // those that are there with other content
	Doubled   []entity.Seq `json:"doubled,omitempty"` // those that are there in several rows: they are read once, but the tables take no notice of tokens
	Surplus   []entity.Seq `json:"surplus,omitempty"` // what is there and not in the Log
	Sampled   int64        `json:"sampled"`           // those whose payloads were compared byte for byte
	// Unsettled are events that are there, and that no row of an observation, a trace or a score is made of; Rowless is how many traces of which there are observations have no row.
	Unsettled []entity.Seq `json:"unsettled,omitempty"`
	Rowless   int64        `json:"rowless,omitempty"`
}

// Whole says that nothing is wrong.
func (v *Verified) Whole() bool {
	return len(v.Missing)+len(v.Differing)+len(v.Doubled)+len(v.Surplus)+len(v.Unsettled) == 0 && v.Rowless == 0
}

// sampleEach is of how many records one payload is compared.
const sampleEach = 50

// Verify compares the records that this node's Log has in after < Seq ≤ upto, which have their Rows, with the events in the tables, and adds what it finds to v. What has
// expired may be there still.
func (w *Warehouse) Verify(ctx context.Context, recs []entity.Record, after, upto entity.Seq, expired *store.Cutoffs, v *Verified) error {
	there, err := w.rowsOf(ctx, after, upto)
	if err != nil {
		return fmt.Errorf("verify events: %w", err)
	}
	seqs := make([]entity.Seq, len(recs))
	var sample, absent []int
	for i := range recs {
		seqs[i] = Shared(w.Node(), recs[i].Seq)
		v.Events++
		has, ok := there[seqs[i]]
		delete(there, seqs[i])
		switch {
		case !ok:
			absent = append(absent, i)
		case has.content != recs[i].Row.Content():
			v.Differing = append(v.Differing, recs[i].Seq)
		case has.n > 1:
			v.Doubled = append(v.Doubled, recs[i].Seq)
		case v.Events%sampleEach == 0:
			sample = append(sample, i)
		}
	}
	for seq, has := range there {
		if !expired.Expired(has.project, has.at, has.received) {
			_, own := Own(seq)
			v.Surplus = append(v.Surplus, own)
		}
	}
	slices.Sort(v.Surplus)
	if err := w.verifyElsewhere(ctx, recs, absent, v); err != nil {
		return err
	}
	return w.verifySample(ctx, recs, seqs, sample, v)
}

// rowOf is what the table says of a Seq.
type rowOf struct {
	project      string
	content      uint64
	at, received int64 // Unix µs
	n            uint64
}

// rowsOf are the rows of this node's events in a stretch of its Log.
func (w *Warehouse) rowsOf(ctx context.Context, after, upto entity.Seq) (map[entity.Seq]rowOf, error) {
	var project proto.ColStr
	var seq, content, rows proto.ColUInt64
	var at, received proto.ColInt64
	there := map[entity.Seq]rowOf{}
	q := &builder{}
	text := fmt.Sprintf(`SELECT seq, any(CAST(project, 'String')) AS of_project, any(content) AS says, any(%s) AS at, any(%s) AS of_received, count() AS n FROM events WHERE node = %d AND seq > %s AND seq <= %s GROUP BY seq`,
		us("ts"), us("received"), w.Node(), q.arg(uint64(Shared(w.Node(), after))), q.arg(uint64(Shared(w.Node(), upto))))
	result := proto.Results{
		{Name: "seq", Data: &seq}, {Name: "of_project", Data: &project}, {Name: "says", Data: &content}, {Name: "at", Data: &at}, {Name: "of_received", Data: &received}, {Name: "n", Data: &rows},
	}
	err := w.ask(ctx, q, text, result, func(i int) {
		there[entity.Seq(seq.Row(i))] = rowOf{project.Row(i), content.Row(i), at.Row(i), received.Row(i), rows.Row(i)}
	})
	return there, err
}

// verifyElsewhere looks for copies of facts that another node took: of two rows of one fact the server keeps that with the lower Seq.
func (w *Warehouse) verifyElsewhere(ctx context.Context, recs []entity.Record, absent []int, v *Verified) error {
	type fact struct {
		project, id string
		content     uint64
	}
	ids := make([]string, len(absent))
	for k, i := range absent {
		ids[k] = recs[i].Event.ID
	}
	if len(ids) == 0 {
		return nil
	}
	var project, id proto.ColStr
	var content proto.ColUInt64
	known := map[fact]bool{}
	q := &builder{}
	text := "SELECT CAST(project, 'String') AS of_project, event_id, content FROM events WHERE event_id IN " + q.arg(ids)
	err := w.ask(ctx, q, text, proto.Results{{Name: "of_project", Data: &project}, {Name: "event_id", Data: &id}, {Name: "content", Data: &content}}, func(i int) {
		known[fact{project.Row(i), id.Row(i), content.Row(i)}] = true
	})
	if err != nil {
		return fmt.Errorf("verify events: %w", err)
	}
	for _, i := range absent {
		if r := &recs[i]; known[fact{r.Project, r.Event.ID, r.Row.Content()}] {
			v.Elsewhere++
		} else {
			v.Missing = append(v.Missing, r.Seq)
		}
	}
	return nil
}

// verifySample compares payloads.
func (w *Warehouse) verifySample(ctx context.Context, recs []entity.Record, seqs []entity.Seq, sample []int, v *Verified) error {
	want := make(map[entity.Seq]*entity.Record, len(sample))
	asked := make([]entity.Seq, len(sample))
	for k, i := range sample {
		asked[k], want[seqs[i]] = seqs[i], &recs[i]
	}
	got, err := w.Records(ctx, asked)
	if err != nil {
		return err
	}
	for i := range got {
		v.Sampled++
		if r := want[got[i].Seq]; string(r.Event.Payload) != string(got[i].Event.Payload) || r.Event.ID != got[i].Event.ID || r.Project != got[i].Project {
			v.Differing = append(v.Differing, r.Seq)
		}
	}
	return nil
}
