package clickhousetest

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	_ "embed" // the launcher's source
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"
)

// The engine: a package of the registry, whose one large file is ClickHouse as a library.
const (
	enginePackage = "@chdb/lib-linux-x64-gnu"
	engineVersion = "26.7.3-stable.1"
	engineFile    = "libchdb.so"
	engineSum     = "36ad4e999882821ef13cf2d0f52c93f48e6ee1b4498b35a201c23ce4b8d15bf5" // SHA-256 of engineFile
)

//go:embed launcher/launcher.c
var launcherSource []byte

// errNotHere says that the engine cannot be had where the tests run, through no fault of theirs.
var errNotHere = errors.New("a ClickHouse server cannot be had here")

// unreachable are signs in npm's output that the registry did not answer.
var unreachable = []string{
	"ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "ERR_SOCKET_TIMEOUT", "network request",
}

// installed is where the engine's files are.
type installed struct{ library, launcher string }

// install returns the engine's files, out of the user's cache directory, where it puts them the first time. Several processes
// may ask at once.
func install() (installed, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return installed{}, fmt.Errorf("%w: the package is for linux on amd64", errNotHere)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return installed{}, err
	}
	dir := filepath.Join(cache, "brokle-test-clickhouse", engineVersion)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return installed{}, err
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return installed{}, err
	}
	defer unlock()
	i := installed{filepath.Join(dir, engineFile), filepath.Join(dir, "launcher-"+sumOf(launcherSource)[:16])}
	if _, err := os.Stat(i.library); err != nil {
		if err := download(dir, i.library); err != nil {
			return installed{}, err
		}
	}
	if _, err := os.Stat(i.launcher); err != nil {
		if err := compile(dir, i.launcher); err != nil {
			return installed{}, err
		}
	}
	return i, nil
}

// lock waits until no other process holds the file.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil // closing it unlocks
}

// download has npm fetch the package, and takes the library out of it.
func download(dir, library string) error {
	if _, err := exec.LookPath("npm"); err != nil {
		return fmt.Errorf("%w: npm is missing", errNotHere)
	}
	to, err := os.MkdirTemp(dir, "download-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(to)
	pack := exec.Command("npm", "pack", "--silent", "--fetch-retries", "1", "--pack-destination", to, enginePackage+"@"+engineVersion)
	pack.Dir = to
	if out, err := pack.CombinedOutput(); err != nil {
		for _, sign := range unreachable {
			if strings.Contains(string(out), sign) {
				return fmt.Errorf("%w: the package registry cannot be reached (%s)", errNotHere, sign)
			}
		}
		return fmt.Errorf("npm pack: %w\n%s", err, out)
	}
	packed, err := filepath.Glob(filepath.Join(to, "*.tgz"))
	if err != nil || len(packed) != 1 {
		return fmt.Errorf("npm pack left %q, %w", packed, err)
	}
	got := filepath.Join(to, engineFile)
	if err := unpack(packed[0], "package/"+engineFile, got); err != nil {
		return err
	}
	return os.Rename(got, library)
}

// unpack writes one file of a .tgz, whose sum must be engineSum.
func unpack(archive, name, to string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	files := tar.NewReader(unzipped)
	for {
		h, err := files.Next()
		if err != nil {
			return fmt.Errorf("find %s in %s: %w", name, filepath.Base(archive), err)
		}
		if h.Name == name {
			break
		}
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	sum := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, sum), files)
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != engineSum {
		return fmt.Errorf("%s of %s@%s has the SHA-256 %s, want %s", name, enginePackage, engineVersion, got, engineSum)
	}
	return nil
}

// compile builds the launcher.
func compile(dir, launcher string) error {
	to, err := os.MkdirTemp(dir, "compile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(to)
	source, binary := filepath.Join(to, "launcher.c"), filepath.Join(to, "launcher")
	if err := os.WriteFile(source, launcherSource, 0o644); err != nil {
		return err
	}
	if out, err := exec.Command("cc", "-O1", "-o", binary, source, "-ldl").CombinedOutput(); err != nil {
		return fmt.Errorf("compile the launcher: %w\n%s", err, out)
	}
	return os.Rename(binary, launcher)
}

func sumOf(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
