package brokleeval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strconv"
)

// cache keeps answers by what was asked, a file each. A nil one keeps nothing. What cannot be read or written is as what is not there.
type cache struct{ dir string }

type cacheKey struct{}

func withCache(ctx context.Context, c *cache) context.Context {
	return context.WithValue(ctx, cacheKey{}, c)
}

func cacheOf(ctx context.Context) *cache {
	c, _ := ctx.Value(cacheKey{}).(*cache)
	return c
}

// keyOf is the name of what is known by these parts, each of which its length stands before.
func keyOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (c *cache) path(key string) string { return filepath.Join(c.dir, key[:2], key[2:]+".json") }

func (c *cache) get(key string) ([]byte, bool) {
	if c == nil {
		return nil, false
	}
	raw, err := os.ReadFile(c.path(key))
	return raw, err == nil
}

func (c *cache) put(key string, raw []byte) {
	if c == nil {
		return
	}
	path := c.path(key)
	if os.MkdirAll(filepath.Dir(path), 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // two may keep the same at once
	if err != nil {
		return
	}
	_, err = f.Write(raw)
	if shut := f.Close(); err == nil {
		err = shut
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}
