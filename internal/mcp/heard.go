package mcp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
)

// mostLine bounds a message that comes as a line, in bytes.
const mostLine = 4 << 20

// Codes of JSON-RPC (section 5.1).
const (
	codeParse   = -32700
	codeRequest = -32600
	codeMethod  = -32601
)

// messageLines reads lines and gives on those that are messages; of the others it tells refuse, where the protocol's library would end.
type messageLines struct {
	from   *bufio.Reader
	refuse func(code int, message string) error
	rest   []byte // of a line that was read and not given on
}

// Read implements io.Reader.
func (l *messageLines) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		line, long, err := l.line()
		if len(line) == 0 && err != nil {
			return 0, err
		}
		code, why := fault(line, long)
		if code != 0 {
			if err := l.refuse(code, why); err != nil {
				return 0, err
			}
			continue
		}
		if len(line) > 0 {
			l.rest = append(line, '\n')
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// line reads a line without blanks around it; of one that is too long only that it is.
func (l *messageLines) line() (line []byte, long bool, err error) {
	for {
		part, err := l.from.ReadSlice('\n')
		if long = long || len(line)+len(part) > mostLine; !long {
			line = append(line, part...)
		}
		if err != bufio.ErrBufferFull {
			if long {
				line = []byte{'?'}
			}
			return bytes.TrimSpace(line), long, err
		}
	}
}

// fault says why a line is no message; 0 when it is one, or empty.
func fault(line []byte, long bool) (code int, why string) {
	switch {
	case len(line) == 0:
		return 0, ""
	case long:
		return codeRequest, fmt.Sprintf("a message has at most %d bytes, in one line", mostLine)
	case !json.Valid(line):
		return codeParse, "the line is no JSON: each message is one line"
	}
	all := []json.RawMessage{line}
	if line[0] == '[' && json.Unmarshal(line, &all) == nil && len(all) == 0 {
		return codeRequest, "the line is an empty list: a message of JSON-RPC 2.0 is an object"
	}
	for _, one := range all {
		if _, err := jsonrpc.DecodeMessage(one); err != nil {
			return codeRequest, "the line is no message of JSON-RPC 2.0: " + err.Error()
		}
	}
	return 0, ""
}

// oneWriter writes whole messages of several.
type oneWriter struct {
	mu sync.Mutex // guards to
	to io.Writer
}

func (w *oneWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}

// refuse answers what has no id.
func (w *oneWriter) refuse(code int, message string) error {
	_, err := w.Write(append(Refusal(nil, code, message), '\n'))
	return err
}

// Refusal is the answer of JSON-RPC to the message of an id that it does not take; nil is null.
func Refusal(id json.RawMessage, code int, message string) []byte {
	type wrong struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	return []byte(encode(struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Error   wrong           `json:"error"`
	}{"2.0", id, wrong{code, message}}))
}

// Unknown is the answer to a message whose method nobody knows: nil to a notification, which has none.
func Unknown(message []byte) []byte {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method string          `json:"method"`
	}
	if json.Unmarshal(message, &m) != nil || len(m.ID) == 0 || string(m.ID) == "null" {
		return nil
	}
	return Refusal(m.ID, codeMethod, fmt.Sprintf("method not found: %q", cut(m.Method, 100)))
}
