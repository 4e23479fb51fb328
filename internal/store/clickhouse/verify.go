package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// Verified is what a comparison of records of this node's Log with the tables found.
type Verified struct {
	Events    int64        `json:"events"`    // records compared
	Elsewhere int64        `json:"elsewhere"` // those of which another node's copy is there
	Missing   []entity.Seq `json:"missing"`   // those of which there is nothing
	Differing []entity.Seq `json:"differing"` // those that are there with other content
	Sampled   int64        `json:"sampled"`   // those whose payloads were compared byte for byte
}

// Whole says that nothing is wrong.
func (v *Verified) Whole() bool { return len(v.Missing)+len(v.Differing) == 0 }

// sampleEach is of how many records one payload is compared.
const sampleEach = 50

// Verify compares records of this node's Log, which have their Rows, with the events in the tables, and adds what it finds to v.
func (w *Warehouse) Verify(ctx context.Context, recs []entity.Record, v *Verified) error {
	if len(recs) == 0 {
		return nil
	}
	var seq, content proto.ColUInt64
	seqs := make([]entity.Seq, len(recs))
	for i := range recs {
		seqs[i] = Shared(w.Node(), recs[i].Seq)
	}
	there := make(map[entity.Seq]uint64, len(recs))
	q := &builder{}
	text := "SELECT seq, content FROM events WHERE seq IN " + q.arg(uints(seqs))
	err := w.ask(ctx, q, text, proto.Results{{Name: "seq", Data: &seq}, {Name: "content", Data: &content}}, func(i int) { there[entity.Seq(seq.Row(i))] = content.Row(i) })
	if err != nil {
		return fmt.Errorf("verify events: %w", err)
	}
	var sample []int
	var absent []int
	for i := range recs {
		v.Events++
		has, ok := there[seqs[i]]
		switch {
		case !ok:
			absent = append(absent, i)
		case has != recs[i].Row.Content():
			v.Differing = append(v.Differing, recs[i].Seq)
		case v.Events%sampleEach == 0:
			sample = append(sample, i)
		}
	}
	if err := w.verifyElsewhere(ctx, recs, absent, v); err != nil {
		return err
	}
	return w.verifySample(ctx, recs, seqs, sample, v)
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
