package clickhouse

import (
	"errors"
	"strings"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"
)

// absence is why a server is passed over; the zero value: it is not.
type absence struct {
	why   error
	since time.Time
	// until is how long it is, whether it answers or not: it does, and refuses to write.
	until time.Time
}

func absenceFor(why error) absence {
	a := absence{why: why, since: time.Now()}
	if noWrites(why) != "" {
		a.until = a.since.Add(refusalTime)
	}
	return a
}

// refusalTime is for how long a server that refuses to write is passed over before it is tried again, when another one is away or refuses, too.
const refusalTime = time.Minute

// noWrites says, for who asks /readyz, why a server of several refuses what another one may take; "": it does not. Then it answers questions, and whatever asks whether it is there.
func noWrites(why error) string {
	var said *ch.Exception
	if !errors.As(why, &said) {
		return ""
	}
	switch {
	case said.IsCode(proto.ErrNotEnoughSpace), strings.Contains(said.Message, "No space left on device"):
		return "its disk is full"
	case said.IsCode(proto.ErrTooManyParts):
		return "it has too many parts that are not merged yet"
	case said.IsCode(proto.ErrTableIsReadOnly, proto.ErrKeeperException, proto.ErrNoZookeeper):
		return "its tables are read-only, as those of a replica without its Keeper"
	}
	return ""
}
