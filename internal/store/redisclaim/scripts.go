package redisclaim

import (
	"bytes"
	"context"
	"crypto/sha1"
	_ "embed" // the scripts
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"
)

//go:embed claim.lua
var claimSource string

//go:embed commit.lua
var commitSource string

//go:embed release.lua
var releaseSource string

// script is a Lua script and the name Redis knows it by.
type script struct {
	source string
	sha    string
}

func newScript(source string) script {
	sum := sha1.Sum([]byte(source))
	return script{source, hex.EncodeToString(sum[:])}
}

// scripts are the three steps.
type scripts struct{ claim, commit, release script }

func newScripts() scripts {
	return scripts{newScript(claimSource), newScript(commitSource), newScript(releaseSource)}
}

// errDamaged: an answer is not the one to the question. It happens when a
// connection hands over bytes that were changed, or the answer to something else.
var errDamaged = errors.New("damaged answer")

// run asks one script about all places and returns one digit per place. args
// gives the arguments of a group after its fields, and more gets what stands
// between the digits of a group and the sum. All groups go out together.
func (c *Claimer) run(ctx context.Context, s script, project string, places []place,
	args func(g group, nonce string) []any, more func(g group, extra string)) (states []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	// The client allocates what a length in an answer says, and a damaged length
	// may say anything.
	defer func() {
		if r := recover(); r != nil {
			states, err = nil, fmt.Errorf("%w: %v", errDamaged, r)
		}
	}()
	groups := groupsOf(project, places, c.cluster)
	cmds := make([]*redis.Cmd, len(groups))
	nonce := strconv.FormatUint(c.nonce.Add(1), 36)
	for i, g := range groups {
		cmds[i] = newCall(ctx, "evalsha", s.sha, g, args(g, nonce))
	}
	c.send(ctx, cmds)
	if retry := c.withSource(ctx, s, cmds); len(retry) > 0 {
		c.send(ctx, retry)
	}
	states = make([]byte, len(places))
	for i, g := range groups {
		extra, err := g.read(cmds[i], nonce, states)
		if err != nil {
			return nil, err
		}
		if more != nil {
			more(g, extra)
		}
	}
	c.health.seen.Store(c.o.Now().UnixNano())
	return states, nil
}

// newCall builds EVALSHA sha numkeys key… fields arg…, or EVAL with the source.
func newCall(ctx context.Context, verb, what string, g group, args []any) *redis.Cmd {
	all := make([]any, 0, 4+len(g.keys)+len(args))
	all = append(all, verb, what, len(g.keys))
	for _, k := range g.keys {
		all = append(all, k)
	}
	all = append(all, g.fields)
	return redis.NewCmd(ctx, append(all, args...)...)
}

// send does not return the error: each command has its own.
func (c *Claimer) send(ctx context.Context, cmds []*redis.Cmd) {
	if len(cmds) == 1 {
		_ = c.client.Process(ctx, cmds[0])
		return
	}
	pipe := c.client.Pipeline()
	for _, cmd := range cmds {
		_ = pipe.Process(ctx, cmd)
	}
	_, _ = pipe.Exec(ctx)
}

// withSource makes the calls again, with the script itself, that a server which
// does not know the script has refused (it was started or flushed since).
func (c *Claimer) withSource(ctx context.Context, s script, cmds []*redis.Cmd) []*redis.Cmd {
	var again []*redis.Cmd
	for i, cmd := range cmds {
		if redis.HasErrorPrefix(cmd.Err(), "NOSCRIPT") {
			args := append([]any{"eval", s.source}, cmd.Args()[2:]...)
			cmds[i] = redis.NewCmd(ctx, args...)
			again = append(again, cmds[i])
		}
	}
	return again
}

// read checks that the answer of cmd is to this question, and whole.
func (g group) read(cmd *redis.Cmd, nonce string, states []byte) (extra string, err error) {
	answer, err := cmd.Text()
	if err != nil {
		return "", err
	}
	n := len(answer) - 2*sha1.Size
	if n < len(g.at) {
		return "", fmt.Errorf("%w: %d bytes for %d ids", errDamaged, len(answer), len(g.at))
	}
	h := sha1.New()
	h.Write([]byte(nonce))
	h.Write(g.fields)
	h.Write([]byte(answer[:n]))
	var sum [2 * sha1.Size]byte
	hex.Encode(sum[:], h.Sum(nil))
	if !bytes.Equal(sum[:], []byte(answer[n:])) {
		return "", fmt.Errorf("%w: its sum is wrong", errDamaged)
	}
	for i, at := range g.at {
		states[at] = answer[i]
	}
	return answer[len(g.at):n], nil
}
