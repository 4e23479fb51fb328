package store

import (
	"context"
	"io"
	"time"

	"github.com/brokle-ai/brokle-go/internal/medium"
)

// MediumOf is a medium that was taken out of an event.
type MediumOf struct {
	*medium.Medium
	At time.Time // that retention counts the event from
}

// Media keeps what was taken out of payloads: each medium once in a project, whichever events refer to it.
type Media interface {
	// Put makes media durable before it returns. The caller calls done once the events that refer to them are stored, or
	// are not: nothing of it is removed before. After an error (ErrUnavailable) nothing has to be done.
	Put(project string, all []MediumOf) (done func(), err error)
	// OpenMedium opens one of a project. The error of one that is not there is fs.ErrNotExist.
	OpenMedium(project, hash string) (*MediumFile, error)
	// Weed removes those of a project's media that nothing refers to. referred says which of some are referred to by events that are
	// stored; what is put while it looks stays.
	Weed(ctx context.Context, project string, hashes []string, referred func(ctx context.Context, hashes []string) (map[string]bool, error)) (removed int, err error)
	// Projects are those that may have media.
	Projects() ([]string, error)
	// Shard is one of the MediaShards parts of a project's media, which are about equal: their hashes, and until when each was
	// needed when it was put last.
	Shard(project string, n int) ([]MediumName, error)
}

// MediaShards is how many parts the media of a project have.
const MediaShards = 256

// MediumName is a medium without its bytes.
type MediumName struct {
	Hash string
	// Until is when the newest event that refers to it happened, or up to MediaGrain later.
	Until time.Time
}

// MediaGrain is how exactly a MediumName knows its Until: a medium that is sent again and again is written down again only so often.
const MediaGrain = time.Minute

// MediumFile is an open medium.
type MediumFile struct {
	*io.SectionReader
	io.Closer
	MediumName
}

// MediaStats count since the start.
type MediaStats struct {
	Stored, Bytes int64 // media that were new, and their bytes
	Again         int64 // that were there
	Removed       int64
}
