package verify

import (
	"fmt"
	"path"

	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/mediafiles"
)

// mediaCheck compares the media with what the events of the log refer to.
type mediaCheck struct {
	*verifier
	part     *Part
	has      map[mediumKey]bool // whether an event refers to it
	bytes    int64
	missing  int
	examples []entity.Seq
}

type mediumKey struct{ project, hash string }

// openMedia reads every medium.
func (v *verifier) openMedia() (*mediaCheck, error) {
	m := &mediaCheck{verifier: v, part: v.part(datadir.PartMedia), has: map[mediumKey]bool{}}
	err := mediafiles.Check(v.path(datadir.MediaDir), func(f mediafiles.Found) {
		if f.Damage != "" {
			m.part.problem(path.Join(datadir.MediaDir, f.File), remedyMedia, "%s", f.Damage)
		}
		if f.Project != "" {
			m.has[mediumKey{f.Project, f.Hash}] = false
			m.bytes += f.Size
		}
	}, v.Read)
	return m, err
}

// record is told of every event of the log.
func (m *mediaCheck) record(r *entity.Record) {
	for _, hash := range medium.Hashes(r.Event.Payload) {
		k := mediumKey{r.Project, hash}
		if _, is := m.has[k]; is {
			m.has[k] = true
		} else if !m.goes(r) {
			m.missing++
			if len(m.examples) < maxProblems {
				m.examples = append(m.examples, r.Seq)
			}
		}
	}
}

// goes says whether an event is expired, or being erased: its media may have gone before it.
func (m *mediaCheck) goes(r *entity.Record) bool {
	at := store.EventTime(r.Event.Timestamp.UnixMicro(), r.ReceivedAt.UnixMicro())
	return m.erasing[r.Seq] || at < m.expired.Of(r.Project)
}

func (m *mediaCheck) conclude() {
	spare := 0
	for _, referred := range m.has {
		if !referred {
			spare++
		}
	}
	m.part.Detail = fmt.Sprintf("%d media, %d bytes", len(m.has), m.bytes)
	if spare > 0 {
		m.part.note("%d media are referred to by no event; the server removes them by and by", spare)
	}
	if m.missing > 0 {
		m.part.problem(datadir.MediaDir, remedyMedia, "events refer %d times to media that are not there, such as those of Seq %v: they were lost, or a client wrote the reference itself",
			m.missing, m.examples)
	}
}
