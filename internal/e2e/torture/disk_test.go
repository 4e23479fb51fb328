package torture

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// disk is a small file system of its own, under a data directory.
type disk struct {
	dir    string // where it is mounted
	device string // "" for one in memory
	image  string
}

// memoryDisk mounts a tmpfs of so many MiB. The error says why this machine refuses.
func memoryDisk(t *testing.T, dir string, mib int) (*disk, error) {
	d := &disk{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := run("mount", "-t", "tmpfs", "-o", fmt.Sprintf("size=%dm", mib), "brokle-torture", dir); err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = d.unmount() })
	return d, nil
}

// loopDisk makes an ext4 that turns read-only after an error, which its driver
// can be asked to find.
func loopDisk(t *testing.T, dir string, mib int) (*disk, error) {
	d := &disk{dir: dir, image: dir + ".img"}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = os.WriteFile(d.image, nil, 0o600)
	}
	if err == nil {
		err = os.Truncate(d.image, int64(mib)<<20)
	}
	if err == nil {
		err = run("mkfs.ext4", "-q", "-F", d.image)
	}
	if err == nil {
		err = d.mount()
	}
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = d.unmount() })
	if _, err := os.Stat(d.trigger()); err != nil {
		return nil, err
	}
	return d, nil
}

// mount mounts the image; what was not synced before an error is gone.
func (d *disk) mount() error {
	if err := run("mount", "-o", "loop,errors=remount-ro", d.image, d.dir); err != nil {
		return err
	}
	table, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(table)) {
		if f := strings.Fields(line); len(f) > 1 && f[1] == d.dir {
			d.device = f[0]
		}
	}
	if d.device == "" {
		return errors.New("the mounted disk is not in /proc/mounts")
	}
	return nil
}

func (d *disk) unmount() error { return run("umount", d.dir) }

func (d *disk) trigger() string {
	return filepath.Join("/sys/fs/ext4", filepath.Base(d.device), "trigger_fs_error")
}

// fail has the file system find an error: from now on it refuses to write, and
// what was not synced never reaches the image.
func (d *disk) fail() error { return os.WriteFile(d.trigger(), []byte("torture"), 0o200) }

// readOnly remounts a disk on which no file is open for writing.
func (d *disk) readOnly(on bool) error {
	mode := "remount,rw"
	if on {
		mode = "remount,ro"
	}
	return run("mount", "-o", mode, d.dir)
}

// fill takes all of the disk's room but about so many bytes, and returns how to give it back.
func (d *disk) fill(leave int64) (empty func() error, err error) {
	path := filepath.Join(d.dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	b, size := make([]byte, 1<<16), int64(0)
	for err == nil {
		var n int
		n, err = f.Write(b)
		size += int64(n)
	}
	if leave > 0 {
		if err := f.Truncate(max(0, size-leave)); err != nil {
			return nil, err
		}
	}
	return func() error { return os.Remove(path) }, f.Close()
}

// fillBut takes the disk's room but for so many bytes, none of which it takes for a moment, and returns how to give it back.
func (d *disk) fillBut(leave int64) (empty func() error, err error) {
	path := filepath.Join(d.dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 1<<20)
	for err == nil {
		var is unix.Statfs_t
		if err = unix.Fstatfs(int(f.Fd()), &is); err != nil || int64(is.Bavail)*int64(is.Bsize) <= leave+int64(len(b)) {
			break
		}
		_, err = f.Write(b)
	}
	return func() error { return os.Remove(path) }, errors.Join(err, f.Close())
}

func run(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}
