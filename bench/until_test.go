package main

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

func TestUntil(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin, asked := time.Now(), 0
		answers := []error{errNotYet, errors.Join(io.EOF, errNotYet), io.EOF}
		err := until(ctx, time.Second, func() error { asked++; return answers[asked-1] })
		if !errors.Is(err, io.EOF) || errors.Is(err, errNotYet) || time.Since(begin) != 2*time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		if err := until(ctx, time.Second, func() error { return errNotYet }); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}
