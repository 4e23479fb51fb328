// Package wireformat is the seam between HTTP and ingest: what a form in which telemetry
// comes in has to do, and what it gets for it.
//
// A format is one package below this one and one row in the table of package formats. It
// reads bodies into requests of ingest, and writes what became of them in the words of its
// clients. Keys, limits on bytes, content codings, admission, rates, Retry-After and the
// count of what was refused are the server's, and the same for all; what is stored, what is
// a duplicate and what a job becomes is ingest's. Neither knows a format.
package wireformat

import (
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Format is one form of requests and answers. It holds nothing: all that a request is made
// of is in the Incoming, and its methods are called at the same time for many.
//
// One that has several endpoints, such as OTLP with its signals, tells them apart by
// Incoming.Path; one that has several encodings, by Incoming.Header and the first bytes of
// Incoming.Body, and answers in the same. An answer that has to name every event finds what
// was sent in the Body: the Request belongs to ingest by then.
type Format interface {
	// Name is what a job in the Log is kept with, so it never changes. It is "" for the
	// format batch, which was the only one when jobs without a name were written.
	Name() string
	// Paths are what is POSTed to, aliases too.
	Paths() []string
	// Accepts says by the headers, before anything of the body is read, whether it can be of
	// the format: it returns what Content-Type must be, or "".
	Accepts(http.Header) (must string)
	// Decode reads the body, whose Content-Encoding is undone. The payloads of events that can be stored, and
	// all of those that cannot, may share the body's memory, which does not change until the request is
	// answered; nothing else of what is stored may, as the memory is then used again. The error is a *ingest.RequestError, or that of
	// Room, and refuses the whole request; an event that is wrong alone is one of the Request's Faults. An
	// exporter's retry must come out with the ids that it had before.
	//
	// A Request that asks to be Async becomes a job, and may be decoded again later, perhaps by
	// another process, from Project, Limits and Body alone.
	Decode(*Incoming) (*ingest.Request, error)
	// Answer says what became of a request that was taken: every event is in exactly one of
	// processed, duplicate and failed, or all are in the job that it names.
	Answer(*Incoming, *wire.BatchResponse) (*Answer, error)
	// Refuse says why nothing was kept of a request. It may have been refused before its key
	// was known or its body was read: then Project and Body are empty.
	Refuse(*Incoming, *Refusal) (*Answer, error)
}

// Incoming is a request on its way.
type Incoming struct {
	Path    string // of Paths
	Header  http.Header
	Project string // of the key
	Limits  Limits
	Body    []byte
	// Room makes room for what decoding makes beside the body, in bytes: a format that makes much of
	// little asks for it before it goes on. The error refuses the request, also when Decode returns none. nil: there is enough.
	Room func(bytes int) error
}

// Answer is a status with its body. The server adds the headers that all answers have.
type Answer struct {
	Status      int
	Header      http.Header // more headers, or nil
	ContentType string
	Body        []byte
}

// Refusal is why nothing of a request was kept.
type Refusal struct {
	Status         int // of HTTP
	wire.ErrorBody     // the code is stable, the message for people
	// Batch lists the duplicates when these are why; nil otherwise.
	Batch *wire.BatchResponse
}

// Table is all formats that a server speaks.
type Table []Format

// Jobs returns what reads the request of a job again. The job was accepted under whatever
// number of events was allowed then.
func (t Table) Jobs(l Limits) func(store.Job) (*ingest.Request, error) {
	l = l.WithDefaults()
	return func(j store.Job) (*ingest.Request, error) {
		for _, f := range t {
			if f.Name() == j.Format {
				l := l
				l.MaxEvents = len(j.Body)
				return f.Decode(&Incoming{Project: j.Project, Limits: l, Body: j.Body})
			}
		}
		return nil, &ingest.RequestError{Code: CodeInvalidField, Message: "this version of the server does not know the format of the job's request"}
	}
}
