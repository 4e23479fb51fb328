package standin

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
)

// teeReader is a reader that keeps what was read.
type teeReader struct {
	io.Reader
	kept *strings.Builder
}

func (t teeReader) Read(p []byte) (int, error) {
	n, err := t.Reader.Read(p)
	t.kept.Write(p[:n])
	return n, err
}

// reply writes an answer.
type reply struct {
	w    http.ResponseWriter
	r    *http.Request
	cut  bool          // the stream breaks before its second half
	hold chan struct{} // the stream waits for it after the first token; nil when it does not
	// frames says that the stream is one of Amazon's, not of Server-Sent Events.
	frames bool
}

func (p *reply) whole(format string, args ...any) {
	p.w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(p.w, format, args...)
}

// stream writes events, each "name\ndata" or only data, and flushes each, as providers do. The one after the first token waits for hold; before
// the last third comes a cut.
func (p *reply) stream(firstToken int, events []string) {
	p.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	if p.frames {
		p.w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	}
	flush := http.NewResponseController(p.w)
	for i, e := range events {
		if i == firstToken+1 && p.hold != nil {
			select {
			case <-p.hold:
			case <-p.r.Context().Done():
				return
			}
		}
		if p.cut && i == firstToken+2 {
			panic(http.ErrAbortHandler)
		}
		if name, data, named := strings.Cut(e, "\n"); p.frames {
			_, _ = p.w.Write(frame(data))
		} else if named {
			_, _ = fmt.Fprintf(p.w, "event: %s\ndata: %s\n\n", name, data)
		} else {
			_, _ = fmt.Fprintf(p.w, "data: %s\n\n", e)
		}
		_ = flush.Flush()
	}
}

// frame is one message of Amazon's event stream encoding, which holds an event of Anthropic's stream in base64.
func frame(data string) []byte {
	payload := []byte(`{"bytes":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"}`)
	var headers []byte
	for _, h := range [][2]string{{":event-type", "chunk"}, {":content-type", "application/json"}, {":message-type", "event"}} {
		const text = 7 // the type of a header's value
		headers = append(append(append(headers, byte(len(h[0]))), h[0]...), text)
		headers = append(binary.BigEndian.AppendUint16(headers, uint16(len(h[1]))), h[1]...)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(16+len(headers)+len(payload)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(headers)))
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	b = append(append(b, headers...), payload...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
}
