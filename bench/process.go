package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a server under measurement.
type process struct {
	cmd *exec.Cmd
	url string
}

// start runs the command and waits for its "listening on" line.
func start(ctx context.Context, name string, env []string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, url, ok := strings.Cut(lines.Text(), "listening on "); ok {
			go func() { _, _ = io.Copy(io.Discard, out) }() // ends with the process
			return &process{cmd, strings.TrimSpace(url)}, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("%s ended before it listened", name), cmd.Wait())
}

// startAt runs a command that says nothing and listens on addr.
func startAt(ctx context.Context, addr, name string, env []string, args ...string) (*process, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), env...), os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, url: "http://" + addr}
	if err := waitListening(ctx, addr); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// kill ends it as a crash does.
func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // killed
	return nil
}

// used is what a process has used when it has stopped.
type used struct {
	cpu     time.Duration // of all its threads, in the program and in the kernel
	peakRSS float64       // MB
	// written is write_bytes of proc_pid_io(5): the pages that it made the kernel write, in
	// bytes. A page that is written again after it went to disk counts again.
	written float64
}

// stopped tells the process to stop, waits, and says what it has used in all.
func (p *process) stopped() (u used, err error) {
	pid := p.cmd.Process.Pid
	u.peakRSS = procStatus(pid, "VmHWM:") / 1024 // there is none any more once it ends
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return u, err
	}
	err = until(context.Background(), 5*time.Millisecond, func() error { // it ends, or is killed with its context
		u.peakRSS = max(u.peakRSS, procStatus(pid, "VmHWM:")/1024)
		gone, err := ended(pid)
		if err == nil && !gone {
			err = errNotYet
		}
		return err
	})
	if err != nil {
		return u, err
	}
	u.written = writtenBytes(pid) // what has ended is still to be read until it is waited for
	if err := p.cmd.Wait(); err != nil {
		return u, err
	}
	u.cpu = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	return u, nil
}

// ended says whether a child has ended, and leaves it to be waited for.
func ended(pid int) (bool, error) {
	var info unix.Siginfo
	for {
		err := unix.Waitid(unix.P_PID, pid, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return info.Signo != 0, err
		}
	}
}

func writtenBytes(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "write_bytes:"); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			return n
		}
	}
	return 0
}

// procStatus is a number of proc_pid_status(5); 0 when it is not there.
func procStatus(pid int, name string) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return n
		}
	}
	return 0
}

// cpuNow is the CPU time a living process has used (proc_pid_stat(5); 100 ticks a second).
func cpuNow(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// freeAddress is an address of this machine on which nobody listens now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// waitListening waits half a minute at most.
func waitListening(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return until(ctx, 20*time.Millisecond, func() error {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			return errors.Join(fmt.Errorf("nobody listens on %s: %w", addr, err), errNotYet)
		}
		return conn.Close()
	})
}
