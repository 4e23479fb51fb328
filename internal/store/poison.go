package store

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// maxMicro is the last microsecond of the year 9999.
const maxMicro = 253402300799_999999

// Poisoned is a *PoisonError that names the records that no row of a Warehouse can hold, or nil. last is the greatest Seq that it
// can hold.
func Poisoned(recs []entity.Record, last entity.Seq) error {
	var seqs []entity.Seq
	var first error
	var fs entity.Fields
	for i := range recs {
		if err := checkRecord(&recs[i], last, &fs); err != nil {
			seqs = append(seqs, recs[i].Seq)
			if first == nil {
				first = err
			}
		}
	}
	if seqs == nil {
		return nil
	}
	return &PoisonError{Seqs: seqs, Err: first}
}

// checkRecord looks at a record; fs is memory that it uses.
func checkRecord(r *entity.Record, last entity.Seq, fs *entity.Fields) error {
	if r.Row == nil {
		return errors.New("the record has no row")
	}
	if err := r.Row.View(fs); err != nil {
		return err
	}
	switch {
	case fs.Kind < entity.TraceKind || fs.Kind > entity.GenericKind:
		return fmt.Errorf("there is no entity kind %d", fs.Kind)
	case fs.Rank > entity.RankHint:
		return fmt.Errorf("there is no rank %d", fs.Rank)
	case r.Seq > last:
		return fmt.Errorf("seq %d is out of range", r.Seq)
	}
	if ts := r.Event.Timestamp.UnixMicro(); ts < 0 || ts > maxMicro {
		return errors.New("the timestamp is not within 1970 to 9999")
	}
	for _, s := range [...]string{r.Project, r.Environment, r.Event.ID, string(r.Event.Type), fs.EntityID} {
		if !utf8.ValidString(s) {
			return errors.New("an identifier is not UTF-8")
		}
	}
	for i := range fs.Values {
		if err := checkValue(&fs.Values[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(v *entity.FieldValue) error {
	if v.Field >= entity.NumFields {
		return fmt.Errorf("there is no field %d", v.Field)
	}
	switch v.Field.Type() {
	case entity.Text:
		if !utf8.ValidString(v.Text) {
			return fmt.Errorf("%s is not UTF-8", v.Field)
		}
	case entity.Float:
		if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) {
			return fmt.Errorf("%s is not a finite number", v.Field)
		}
	case entity.Time:
		if v.Int < 0 || v.Int > maxMicro {
			return fmt.Errorf("%s is not within 1970 to 9999", v.Field)
		}
	case entity.List:
		for _, s := range v.List {
			if !utf8.ValidString(s) {
				return fmt.Errorf("an element of %s is not UTF-8", v.Field)
			}
		}
	}
	return nil
}
