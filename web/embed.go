// Package web carries the built page in the binary. It promises that the
// program builds without it: site then holds only the page that says how to
// get the real one.
package web

import (
	"embed"
	"io/fs"
)

// site holds unbuilt.html, which is committed, and app, which `make build` makes.
//
//go:embed site
var site embed.FS

// App is the built page: index.html and assets/, each file also as .gz and
// .br. ok is false when the program was built without it.
func App() (files fs.FS, ok bool) {
	if _, err := fs.Stat(site, "site/app/index.html"); err != nil {
		return nil, false
	}
	files, err := fs.Sub(site, "site/app")
	return files, err == nil
}

// Missing is what a person is told where the page is not in the binary.
const Missing = "the web page is not in this binary: it was built without it. `make build` in a clone of the repository builds one that has it"

// Unbuilt is the page to show instead: HTML without script or style.
func Unbuilt() []byte {
	page, err := site.ReadFile("site/unbuilt.html")
	if err != nil {
		panic("web: the page that is committed is not embedded: " + err.Error())
	}
	return page
}
