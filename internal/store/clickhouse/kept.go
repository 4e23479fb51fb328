package clickhouse

import (
	"context"
	"fmt"
	"time"

	"github.com/ClickHouse/ch-go"

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
)

// deduplicate says whether a server takes notice of tokens, and of what is in an insert without one. Newer servers have another setting, which comes before that of older ones; these do not know it.
func deduplicate(on bool) []ch.Setting {
	if on {
		return []ch.Setting{ch.SettingInt("insert_deduplicate", 1), {Key: "deduplicate_insert", Value: "enable"}}
	}
	return []ch.Setting{ch.SettingInt("insert_deduplicate", 0), {Key: "deduplicate_insert", Value: "disable"}}
}

// keep inserts under a token until it is there.
func (w *Warehouse) keep(ctx context.Context, token string, insert func(settings []ch.Setting) error, there func() (bool, error)) error {
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
			if err = clock.Sleep(ctx, againWait); err == nil {
				ok, err = there()
			}
		}
		if err != nil || ok {
			return err
		}
	}
	return fmt.Errorf("%w: clickhouse has confirmed an insert %d times and does not have it (%s)", store.ErrUnavailable, mostAgain, token)
}
