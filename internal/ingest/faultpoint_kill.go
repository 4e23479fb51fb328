//go:build faultpoints

package ingest

import (
	"os"
	"syscall"
)

// faultPoint kills the process, as SIGKILL from outside would, when
// BROKLE_FAULT_POINT names this point. Only tests build it.
func faultPoint(name string) {
	if os.Getenv("BROKLE_FAULT_POINT") == name {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
