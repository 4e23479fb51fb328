package store

import (
	"context"
	"errors"
	"time"
)

// Claimer deduplicates across nodes. A claim is a lease until it is committed:
// a node that dies between claiming and storing leaves nothing behind that
// makes the client's retry look like a duplicate.
//
// An error of any method that wraps ErrDegraded means that the nodes cannot ask
// one another now. The caller deduplicates with what it knows itself, and still
// commits what it then stored.
type Claimer interface {
	// Claim leases each id that nobody holds; one ClaimState per id, in order.
	// It waits a little for other owners, so that ClaimedElse is rare. The ids
	// are distinct. The same owner may claim again what it holds.
	Claim(ctx context.Context, project string, ids []string, owner string, lease time.Duration) ([]ClaimState, error)
	// Commit says that the ids are stored: each becomes a mark that lasts for
	// ttl (up to 24 h), whether or not its lease is still the owner's. A mark
	// that is there already keeps its expiry (of two commits within one lease the
	// later one's may count). What cannot be written
	// now is kept, within bounds, and written when that is possible again.
	Commit(ctx context.Context, project string, ids []string, owner string, ttl time.Duration) error
	// Release gives up the owner's leases: compare-and-delete, only its own.
	Release(ctx context.Context, project string, ids []string, owner string) error
}

// ErrDegraded says that nodes cannot ask one another which ids are stored.
var ErrDegraded = errors.New("deduplicating on this node only")

// ClaimState is what a Claimer found for one id.
type ClaimState uint8

// The states of a claim.
const (
	Claimed       ClaimState = iota + 1 // leased to the caller now
	ClaimedBefore                       // committed by someone: a duplicate
	ClaimedElse                         // leased by another live owner: outcome not known yet
)
