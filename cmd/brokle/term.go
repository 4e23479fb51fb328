package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// terminal returns the file descriptor of a stream that is a terminal.
func terminal(stream any) (fd int, ok bool) {
	f, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	return int(f.Fd()), true
}

// width is how many columns the terminal of out has; 0 when it is none, so
// that programs get whole lines.
func width(out io.Writer) int {
	fd, ok := terminal(out)
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(fd)
	if err != nil {
		return 0
	}
	return columns
}

// style colours text when out is a terminal and NO_COLOR is unset or empty (no-color.org).
type style struct{ on bool }

func styleOf(out io.Writer) style {
	_, ok := terminal(out)
	return style{ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (s style) sgr(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) red(text string) string  { return s.sgr("31", text) }
func (s style) dim(text string) string  { return s.sgr("2", text) }
func (s style) blue(text string) string { return s.sgr("36", text) }
