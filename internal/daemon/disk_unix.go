//go:build unix

package daemon

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// freeSpace is how much an ordinary user may still write to the disk of dir.
func freeSpace(dir string) (Bytes, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("statfs: %w", err)
	}
	return Bytes(uint64(st.Bavail) * uint64(st.Bsize)), nil
}

// CheckDataDir says what would keep a node from using cfg's data directory,
// without making it: the first problem found.
func CheckDataDir(cfg Config) error {
	cfg = cfg.withDefaults()
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return err
	}
	for { // the nearest directory that exists is where the node would begin to make it
		info, err := os.Stat(dir)
		if err == nil && !info.IsDir() {
			return settingNamed("DataDir").wrong(cfg.DataDir, dir+" is not a directory")
		}
		if err == nil {
			break
		}
		absent := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
		if !absent || dir == filepath.Dir(dir) {
			return settingNamed("DataDir").wrong(cfg.DataDir, err.Error())
		}
		dir = filepath.Dir(dir)
	}
	const write, search = 2, 1 // access(2)
	if err := syscall.Access(dir, write|search); err != nil {
		return settingNamed("DataDir").wrong(cfg.DataDir, dir+" is not writable")
	}
	if free, err := freeSpace(dir); err == nil && free < cfg.MinFreeDisk {
		return settingNamed("MinFreeDisk").wrong(cfg.MinFreeDisk,
			fmt.Sprintf("the disk of %s has %d MiB free, so every request would be refused", dir, free>>20))
	}
	return nil
}
