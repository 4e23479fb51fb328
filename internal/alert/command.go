package alert

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	// commandTime is how long a command may take.
	commandTime = 30 * time.Second
	// outputTime is how much longer what it started may hold its output open.
	outputTime = 2 * time.Second
	// mostOutput is how much of its output is read, in bytes.
	mostOutput = 4 << 10
)

// run gives a message to a command, on its standard input. An exit code of 0 is that it was taken. The command is the operator's, and its environment has nothing of
// the server's own, which may hold secrets. What it writes is for the log.
func (a *Alerts) run(ctx context.Context, name string, body []byte) outcome {
	line := a.o.Commands[name]
	if len(line) == 0 {
		return outcome{says: "the server has no command of this name any more"}
	}
	ctx, cancel := context.WithTimeout(ctx, commandTime)
	defer cancel()
	out := &bounded{}
	cmd := exec.CommandContext(ctx, line[0], line[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = bytes.NewReader(body), out, out, outputTime
	for _, v := range []string{"PATH", "HOME", "LANG", "TZ", "SystemRoot"} {
		if value, has := os.LookupEnv(v); has {
			cmd.Env = append(cmd.Env, v+"="+value)
		}
	}
	err := cmd.Run()
	if err == nil {
		return outcome{taken: true, answered: true, says: "exit code 0"}
	}
	if text := strings.TrimSpace(out.text.String()); text != "" {
		a.o.Logger.Warn("a command of alerts failed and said why", "command", name, "output", text)
	}
	var exited *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return outcome{says: fmt.Sprintf("it took longer than %v", commandTime)}
	case errors.As(err, &exited):
		return outcome{answered: true, says: exited.ProcessState.String()}
	}
	a.o.Logger.Error("a command of alerts cannot be run", "command", name, "error", err)
	return outcome{says: "it cannot be run; the server's log says why"}
}

// bounded keeps the beginning of what is written to it.
type bounded struct{ text bytes.Buffer }

func (b *bounded) Write(p []byte) (int, error) {
	b.text.Write(p[:min(len(p), mostOutput-b.text.Len())])
	return len(p), nil
}
