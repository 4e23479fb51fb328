package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

// sessionCommand shows one session as a conversation.
func sessionCommand(std streams) *cli.Command {
	return &cli.Command{
		Name:      "session",
		Usage:     "show one session: its traces with what went in and came out, oldest first",
		ArgsUsage: "ID",
		Flags:     append(clientFlags(), jsonFlag("query"), allFlag()),
		Action: one(std, "the id of a session", func(ctx context.Context, c *cli.Command, client *brokle.Client, id string) (*brokle.Session, error) {
			session, err := client.Sessions.Get(ctx, id)
			if err == nil && c.Bool("all") && session.NextCursor != nil {
				err = allTraces(ctx, client, session)
			}
			return session, err
		}, printSession),
	}
}

// allTraces puts every trace of the session in the place of the first page.
func allTraces(ctx context.Context, client *brokle.Client, s *brokle.Session) error {
	s.Traces, s.NextCursor = nil, nil
	for trace, err := range client.Sessions.Traces(ctx, s.ID) {
		if err != nil {
			return err
		}
		s.Traces = append(s.Traces, trace)
	}
	return nil
}

func printSession(out io.Writer, s *brokle.Session) error {
	t := newTable(out).fit()
	t.row("session", s.ID)
	if len(s.UserIDs) > 0 {
		t.row("users", strings.Join(s.UserIDs, ", "))
	}
	t.row("environments", strings.Join(s.Environments, ", "))
	t.row("first seen", when(s.FirstSeen)+" UTC")
	t.row("last seen", when(s.LastSeen)+" UTC")
	t.row("traces", number(s.TraceCount))
	t.row("tokens", number(s.TotalTokens))
	t.row("cost", cost(s.TotalCost)+missing(s.UnpricedCount))
	if err := t.flush(); err != nil {
		return err
	}
	if _, err := io.WriteString(out, "\n"); err != nil {
		return err
	}
	t = newTable(out, "START", "TRACE", "NAME", ">LATENCY", ">COST", "INPUT", "OUTPUT").fit()
	for i := range s.Traces {
		tr := &s.Traces[i]
		t.row(when(tr.StartTime), tr.ID, shorten(tr.Name, 24), latency(tr.LatencyMS), cost(tr.TotalCost), shorten(preview(tr.Input), 60), shorten(preview(tr.Output), 60))
	}
	if err := t.flush(); err != nil || s.NextCursor == nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nthe first %d of %d traces; --all shows every one\n", len(s.Traces), s.TraceCount)
	return err
}
