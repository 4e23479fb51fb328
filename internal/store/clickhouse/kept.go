package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/proto"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// A server writes down a token before what came under it is in force. One that is killed in between knows the token when it is back: it drops what is sent again under it, confirms that,
// and has nothing. So whatever was sent before, or must be there, is looked for, and comes under another token when it is not: the next of a row, so that of several who send it one is first.

const (
	// mostAgain is how often something is sent under another token.
	mostAgain = 5
	// againWait is how long what is not there may be about to be: another one has sent it, too.
	againWait = 300 * time.Millisecond
	// mostWait is how long it is waited for an insert that a server is still at work at. The next flush sends it again, under the same token.
	mostWait = time.Minute
)

// deduplicate says whether a server takes notice of tokens, and of what is in an insert without one. Newer servers have another setting, which comes before that of older ones; these do not know it.
func deduplicate(on bool) []ch.Setting {
	if on {
		return []ch.Setting{ch.SettingInt("insert_deduplicate", 1), {Key: "deduplicate_insert", Value: "enable"}}
	}
	return []ch.Setting{ch.SettingInt("insert_deduplicate", 0), {Key: "deduplicate_insert", Value: "disable"}}
}

// keep inserts at a shard under a token until it is there.
func (w *Warehouse) keep(ctx context.Context, p *pool, token string, insert func(settings []ch.Setting) error, there func() (bool, error)) error {
	for again := range mostAgain {
		text := token
		if again > 0 {
			text = fmt.Sprintf("%s, again %d", token, again)
			w.options.Logger.Warn("clickhouse confirmed an insert that it had dropped, because it knows its token and not what came under it: it is inserted under another one", "token", token, "time", again)
		}
		err := insert(append(deduplicate(true), ch.Setting{Key: "insert_deduplication_token", Value: text, Important: true}))
		if err != nil {
			return err
		}
		ok, err := there()
		if err == nil && !ok {
			if err = w.quiet(ctx, p, text); err == nil {
				ok, err = there()
			}
		}
		if err != nil || ok {
			return err
		}
	}
	return fmt.Errorf("%w: clickhouse has confirmed an insert %d times and does not have it (%s)", store.ErrUnavailable, mostAgain, token)
}

// quiet waits until the server is at work at no insert under a token that begins so. One whose connection broke may be: over HTTP the server goes on with what it has, and it
// knows a token before it has the rows. So what comes after that is confirmed, what is looked for is not there, and sent again under another token it would be there twice.
func (w *Warehouse) quiet(ctx context.Context, p *pool, token string) error {
	for waited := time.Duration(0); ; waited += againWait {
		if waited > mostWait {
			return fmt.Errorf("%w: clickhouse is still at work at an insert that was sent %v ago or before (%s)", store.ErrUnavailable, waited, token)
		}
		if err := clock.Sleep(ctx, againWait); err != nil { // what was sent may be on its way
			return err
		}
		if busy, err := w.underWay(ctx, p, token); err != nil || !busy {
			return err
		}
	}
}

// underWay says whether the server is at work at an insert under a token that begins so.
func (w *Warehouse) underWay(ctx context.Context, p *pool, token string) (bool, error) {
	var n proto.ColUInt64
	q := &builder{}
	text := "SELECT count() AS n FROM system.processes WHERE startsWith(Settings['insert_deduplication_token'], " + q.arg(token) + ")"
	if err := w.askAt(ctx, p, q, text, nil, proto.Results{{Name: "n", Data: &n}}, func(int) {}); err != nil {
		return false, fmt.Errorf("ask what the server is at work at: %w", err)
	}
	return n.Rows() > 0 && n.Row(0) > 0, nil
}
