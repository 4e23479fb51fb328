package extract

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/otel"
	"github.com/brokle-ai/brokle-go/internal/otlp"
	"github.com/brokle-ai/brokle-go/internal/rawjson"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Mentions are the entities, the people and the media that one event names; an id that it does not name is "".
type Mentions struct {
	Trace, Observation, Score string
	User, Author              string
	Media                     []string // by their hashes
}

// MentionsOf says whom an event with these fields names. Filters on the disk are made of it:
// when it says more than before of what may be stored already, segmentlog.FilterVersion changes.
// Without fields it is its media alone.
func MentionsOf(ev *wire.Event, fields *entity.Fields) Mentions {
	if fields == nil {
		return Mentions{Media: medium.Hashes(ev.Payload)}
	}
	text := func(f entity.Field) string {
		v, _ := fields.Get(f)
		return v.Text
	}
	m := Mentions{Trace: text(entity.TraceID), User: text(entity.UserID), Author: text(entity.AuthorUserID), Media: medium.Hashes(ev.Payload)}
	if fields.Kind == entity.GenericKind || fields.Rank == entity.RankHint {
		m.User = otherUser(ev.Payload)
	}
	switch fields.Kind {
	case entity.TraceKind:
		m.Trace = fields.EntityID
	case entity.ObservationKind:
		m.Observation = fields.EntityID
	case entity.ScoreKind:
		m.Score, m.Observation = fields.EntityID, text(entity.ObservationID)
	}
	return m
}

// Each calls found for each of the mentions.
func (m *Mentions) Each(found func(entity.Mention)) {
	for _, one := range [...]entity.Mention{
		{Of: entity.TraceKind, ID: m.Trace}, {Of: entity.ObservationKind, ID: m.Observation}, {Of: entity.ScoreKind, ID: m.Score},
		{Of: entity.UserKind, ID: m.User}, {Of: entity.UserKind, ID: m.Author},
	} {
		if one.ID != "" {
			found(one)
		}
	}
	for _, hash := range m.Media {
		found(entity.Mention{Of: entity.MediumKind, ID: hash})
	}
}

// otherUser is the user that an event_create or a log record names; it is no typed field of it.
func otherUser(payload []byte) string {
	if otlp.Stored(payload) {
		return loggedUser(payload)
	}
	raw := inAnyCase(payload, "user_id")
	if id, quoted := rawjson.Unquote(raw); quoted {
		return id
	}
	if string(raw) == "null" {
		return ""
	}
	return rawjson.Alias(raw) // a number counts as the text that it is written as
}

// inAnyCase is the last member of an object that has this name, in whatever case; nil when there is none.
func inAnyCase(object []byte, name string) []byte {
	var last []byte
	m := rawjson.MembersOf(object)
	for key, value, ok := m.Next(); ok; key, value, ok = m.Next() {
		if strings.EqualFold(rawjson.Alias(key), name) {
			last = value
		}
	}
	if m.Broken() {
		return nil
	}
	return last
}

// loggedUser is the user that a log record names, by the rules of spans.
func loggedUser(payload []byte) string {
	_, item, err := otlp.ReadStored(payload)
	if err != nil || item.Log == nil {
		return ""
	}
	return otel.Read(&otel.Span{Resource: item.Log.Resource, Attributes: item.Log.Attributes}).UserID
}
