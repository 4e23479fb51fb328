package entity

import (
	"encoding/json"
	"slices"
	"time"
)

// fill sets the members of row to what their fields' rules make of all values. Times are left to
// the caller: each is more than what events say of it.
func fill[R any](s *folded, members []Member[R], row *R) {
	for i := range members {
		f := members[i].Field
		switch p := members[i].In(row).(type) {
		case *string:
			*p = s.text(f)
		case **int64:
			*p = s.integer(f)
		case **float64:
			*p = s.number(f)
		case *[]string:
			*p = s.list(f)
		case *json.RawMessage:
			*p = s.json(f)
		}
	}
}

func (s *folded) text(f Field) string {
	if v := s.last[f]; v != nil {
		return v.Text
	}
	return table[f].absent
}

func (s *folded) integer(f Field) *int64 {
	v := s.last[f]
	if v == nil {
		return nil
	}
	n := v.Int
	return &n
}

func (s *folded) number(f Field) *float64 {
	v := s.last[f]
	if v == nil {
		return nil
	}
	n := v.Num
	return &n
}

// list is never nil.
func (s *folded) list(f Field) []string {
	list := []string{}
	for _, v := range s.grown {
		if v.Field == f {
			list = append(list, v.List...)
		}
	}
	if table[f].rule == Unite {
		slices.Sort(list)
		list = slices.Compact(list)
	}
	return list
}

func (s *folded) json(f Field) json.RawMessage {
	if s.last[f] == nil {
		return nil
	}
	var values []string
	for _, v := range s.grown {
		if v.Field == f {
			values = append(values, v.Text)
		}
	}
	switch table[f].rule {
	case Merge:
		return FoldMetadata(values)
	case Append:
		return appendLists(values)
	}
	return json.RawMessage(s.last[f].Text)
}

func (i instant) time() time.Time { return time.UnixMicro(i.us).UTC() }
