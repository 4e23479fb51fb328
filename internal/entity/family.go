package entity

import (
	"slices"
	"strings"
)

// Family is the observations of one trace, as far as the trace's roll-up reads them. It costs about 150 bytes an observation, so that who
// rolls up again keeps it. The zero value is empty. It is not safe for concurrent use.
type Family struct {
	kin    []Kin
	places map[string]int // by id, while there are many
	texts  int            // bytes, about
}

// Kin is an observation in its Family.
type Kin struct {
	ID, Parent  string
	Said        *KinSaid
	Start, End  int64 // µs since 1970; End of one that Ended
	Tokens      int64 // of one that HasTokens
	Cost        float64
	First, Last Seq // of the events with its id

	parent int32 // its place; noPlace when it is not known, or there is none

	Ended, HasTokens, HasCost bool
	// Call and Duplicate are what its type and DuplicateOf say.
	Call, Duplicate bool
	// CountsTokens and CountsCost are what was noted of it; RollUp sets them anew.
	CountsTokens, CountsCost bool
}

const noPlace = -1

// KinSaid are texts of an observation, which is often the same as others in them. It does not change.
type KinSaid struct {
	Model, Environment, Status, Level                 string
	Name, TraceName, UserID, SessionID, Release, Door string
	Tags                                              []string
}

// Counted says that no amount of it is left out of the trace's sums.
func (k *Kin) Counted() bool {
	return (k.CountsTokens || !k.hasTokens()) && (k.CountsCost || !k.hasCost())
}

// An amount of 0 is none.
func (k *Kin) hasTokens() bool { return k.HasTokens && k.Tokens != 0 }
func (k *Kin) hasCost() bool   { return k.HasCost && k.Cost != 0 }

// earlier is the order of observations: (start_time, id).
func (k *Kin) earlier(o *Kin) bool {
	return k.Start < o.Start || k.Start == o.Start && k.ID < o.ID
}

// Len is how many there are.
func (f *Family) Len() int { return len(f.kin) }

// Weight is about how many bytes of memory it takes.
func (f *Family) Weight() int { return 100 + 170*len(f.kin) + f.texts }

// All are the observations, in no order. They must not be changed.
func (f *Family) All() []Kin { return f.kin }

// Get is the observation of that id, until the family changes; nil when there is none.
func (f *Family) Get(id string) *Kin {
	if i := f.place(id); i != noPlace {
		return &f.kin[i]
	}
	return nil
}

// Put takes in what a row says, with texts of its own, in the place of what was known of the observation. first and last
// are the first and the last of the events with its id.
func (f *Family) Put(row *ObservationRow, first, last Seq) {
	k := kinOf(row)
	k.First, k.Last = first, last
	k.Said = f.share(row)
	k.ID = f.own(k.ID)
	switch n := len(f.kin); {
	case n > 0 && f.kin[n-1].Parent == k.Parent:
		k.Parent = f.kin[n-1].Parent
	case n > 0 && f.kin[n-1].ID == k.Parent:
		k.Parent = f.kin[n-1].ID
	default:
		k.Parent = f.own(k.Parent)
	}
	f.put(k)
}

func (f *Family) put(k Kin) {
	if i := f.place(k.ID); i != noPlace {
		f.kin[i] = k
		return
	}
	if f.kin == nil {
		f.kin = make([]Kin, 0, 4)
	}
	f.kin = append(f.kin, k)
	if f.places != nil {
		f.places[k.ID] = len(f.kin) - 1
	}
}

// putAll takes in rows, each of which is there once, with their own texts: they stand in f in the same order.
func (f *Family) putAll(rows []*ObservationRow) {
	f.kin = make([]Kin, 0, len(rows))
	for _, row := range rows {
		k := kinOf(row)
		k.Said = row.said()
		f.put(k)
	}
}

// kinOf is a row as its trace reads it, but for what it said.
func kinOf(row *ObservationRow) Kin {
	k := Kin{
		ID: row.ID, Parent: row.ParentObservationID, parent: noPlace, Start: row.StartTime.UnixMicro(),
		Call: isCall(row.Type), Duplicate: row.DuplicateOf != "", CountsTokens: row.CountsTokens, CountsCost: row.CountsCost,
	}
	if row.EndTime != nil {
		k.End, k.Ended = row.EndTime.UnixMicro(), true
	}
	if row.TotalTokens != nil {
		k.Tokens, k.HasTokens = *row.TotalTokens, true
	}
	if row.TotalCost != nil {
		k.Cost, k.HasCost = *row.TotalCost, true
	}
	return k
}

// Drop forgets the observation of that id.
func (f *Family) Drop(id string) {
	i := f.place(id)
	if i == noPlace {
		return
	}
	last := len(f.kin) - 1
	f.kin[i] = f.kin[last]
	f.kin[last] = Kin{}
	f.kin = f.kin[:last]
	f.places = nil
	for i := range f.kin {
		f.kin[i].parent = noPlace
	}
}

// fewKin is up to how many observations are looked through one by one.
const fewKin = 8

// place is where the observation of that id stands, or noPlace.
func (f *Family) place(id string) int {
	if len(f.kin) <= fewKin {
		for i := range f.kin {
			if f.kin[i].ID == id {
				return i
			}
		}
		return noPlace
	}
	if f.places == nil {
		f.places = make(map[string]int, 2*len(f.kin))
		for i := range f.kin {
			f.places[f.kin[i].ID] = i
		}
	}
	if i, known := f.places[id]; known {
		return i
	}
	return noPlace
}

// own is a copy of a text.
func (f *Family) own(s string) string {
	f.texts += len(s)
	return strings.Clone(s)
}

// lately is among how many observations share looks for one that says the same.
const lately = 4

// share is what a row says, with texts of its own, or what one of those before it says when that is the same.
func (f *Family) share(row *ObservationRow) *KinSaid {
	for i := len(f.kin) - 1; i >= max(0, len(f.kin)-lately); i-- {
		if s := f.kin[i].Said; (i == len(f.kin)-1 || s != f.kin[i+1].Said) && row.says(s) {
			return s
		}
	}
	s := row.said()
	for _, p := range [...]*string{&s.Model, &s.Environment, &s.Status, &s.Level, &s.Name, &s.TraceName, &s.UserID, &s.SessionID, &s.Release, &s.Door} {
		*p = f.own(*p)
	}
	s.Tags = slices.Clone(s.Tags)
	for i := range s.Tags {
		s.Tags[i] = f.own(s.Tags[i])
	}
	f.texts += 200 + 16*len(s.Tags)
	return s
}

func (o *ObservationRow) said() *KinSaid {
	return &KinSaid{o.Model, o.Environment, o.Status, o.Level, o.Name, o.TraceName, o.UserID, o.SessionID, o.Release, o.Door, o.Tags}
}

func (o *ObservationRow) says(s *KinSaid) bool {
	return o.Model == s.Model && o.Environment == s.Environment && o.Status == s.Status && o.Level == s.Level &&
		o.Name == s.Name && o.TraceName == s.TraceName && o.UserID == s.UserID && o.SessionID == s.SessionID &&
		o.Release == s.Release && o.Door == s.Door && slices.Equal(o.Tags, s.Tags)
}

// failed says that it is an error.
func (s *KinSaid) failed() bool { return s.Level == "ERROR" }
