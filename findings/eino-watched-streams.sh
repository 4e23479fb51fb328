#!/usr/bin/env bash
# eino: a stream that its reader closes is read on to its end as soon as anything watches it.
#
# Guessed: when the reader of a streamed answer closes it after the first piece, the source is told at its next piece, whether a
# callback handler reads a copy of the stream or not, and the handler's copy ends there, too.
# Seen 2026-11-30: github.com/cloudwego/eino v0.9.21 (Go), a source of 1000 pieces, of which the reader takes one
#   no handler       the source sends fewer than 20 and is told that the stream is closed
#   one handler      the source sends all 1000; the handler's copy has 1000
# Each handler gets a copy, and the source is told when all copies are closed. So a trace of a stream that a user left shows the whole answer, and the
# provider is asked for all of it, although nobody reads it. A cancelled context is what ends it.
set -euo pipefail
dir=$(mktemp -d); trap 'chmod -R u+w "$dir"; rm -rf "$dir"' EXIT
cd "$dir"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/cloudwego/eino/callbacks"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
)

func run(handlers ...callbacks.Handler) (sent int) {
	ctx := context.Background()
	done := make(chan struct{})
	source := compose.StreamableLambda(func(context.Context, string) (*schema.StreamReader[string], error) {
		r, w := schema.Pipe[string](1)
		go func() {
			defer close(done)
			defer w.Close()
			for sent < 1000 && !w.Send("piece ", nil) {
				sent++
			}
		}()
		return r, nil
	})
	chain, err := compose.NewChain[string, string]().AppendLambda(source).Compile(ctx)
	if err != nil {
		panic(err)
	}
	s, err := chain.Stream(ctx, "", compose.WithCallbacks(handlers...))
	if err != nil {
		panic(err)
	}
	if _, err := s.Recv(); err != nil {
		panic(err)
	}
	s.Close()
	<-done
	return sent
}

func main() {
	fmt.Println("no handler:", run() < 20)
	var reading sync.WaitGroup
	got := map[string]int{}
	var mu sync.Mutex
	h := callbacks.NewHandlerBuilder().OnEndWithStreamOutputFn(func(ctx context.Context, info *callbacks.RunInfo, s *schema.StreamReader[callbacks.CallbackOutput]) context.Context {
		reading.Go(func() {
			defer s.Close()
			for {
				if _, err := s.Recv(); err != nil {
					return
				}
				mu.Lock()
				got[string(info.Component)]++
				mu.Unlock()
			}
		})
		return ctx
	}).Build()
	sent := run(h)
	reading.Wait()
	fmt.Println("one handler:", sent, got["Lambda"])
}
GO
go mod init probe 2>/dev/null
go get github.com/cloudwego/eino/compose@v0.9.21 github.com/cloudwego/eino/callbacks@v0.9.21 github.com/cloudwego/eino/schema@v0.9.21 2>/dev/null
go run . | tee seen.txt
diff seen.txt - <<'WANT'
no handler: true
one handler: 1000 1000
WANT
