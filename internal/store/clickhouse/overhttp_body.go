package clickhouse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"regexp"
	"strings"
	"sync/atomic"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/ch-go/compress"
	"github.com/ClickHouse/ch-go/proto"
)

var placeHolder = regexp.MustCompile(`\{(p[0-9]+):([A-Za-z0-9()]+)\}`)

// inlined is the text of a statement with the values of its parameters, as literals that the server reads as it reads parameters.
func inlined(text string, parameters []proto.Parameter) string {
	if len(parameters) == 0 {
		return text
	}
	of := make(map[string]string, len(parameters))
	for _, p := range parameters {
		of[p.Key] = p.Value
	}
	return placeHolder.ReplaceAllStringFunc(text, func(holder string) string {
		parts := placeHolder.FindStringSubmatch(holder)
		value := of[parts[1]]
		if parts[2] == "String" {
			value = unescaped(value)
		}
		return "_CAST(" + quoted(value) + ", '" + parts[2] + "')"
	})
}

// structure is the columns of a table of the caller's.
func structure(in proto.Input) string {
	columns := make([]string, len(in))
	for i, c := range in {
		columns[i] = c.Name + " " + string(c.Data.Type())
	}
	return strings.Join(columns, ", ")
}

// form is a statement and a table of the caller's.
func form(text string, q *ch.Query) (body io.Reader, kind string, err error) {
	var raw proto.Buffer
	if err := encode(&raw, q.ExternalData); err != nil {
		return nil, "", err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err = w.WriteField("query", text); err == nil {
		var file io.Writer
		if file, err = w.CreateFormFile(q.ExternalTable, q.ExternalTable); err == nil {
			_, err = file.Write(raw.Buf)
		}
	}
	return &b, w.FormDataContentType(), errors.Join(err, w.Close())
}

func encode(b *proto.Buffer, in proto.Input) error {
	block := proto.Block{Columns: len(in), Rows: in[0].Data.Rows()}
	return block.EncodeBlock(b, 0, in) // 0 is the version of blocks that are in no connection of the native protocol
}

// answer reads the rows of an answer.
func answer(ctx context.Context, body io.Reader, q *ch.Query) error {
	if q.Result == nil {
		_, err := io.Copy(io.Discard, body)
		return err
	}
	r := proto.NewReader(body)
	r.EnableCompression()
	for {
		var block proto.Block
		switch err := block.DecodeBlock(r, 0, q.Result); {
		case err != nil && block.Columns == 0 && errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case q.OnResult == nil || block.Rows == 0:
			continue
		}
		if err := q.OnResult(ctx, block); err != nil {
			return err
		}
	}
}

// pieces are the rows of an insert, as the body of a request.
type pieces struct {
	ctx        context.Context //nolint:containedctx // a body has none
	q          *ch.Query
	compressor *compress.Writer
	raw        proto.Buffer
	left       []byte
	last       bool
	failed     error // of the input, and of nothing else
	closed     atomic.Bool
	done       chan struct{} // closed when nobody reads them any more
}

func newPieces(ctx context.Context, q *ch.Query) *pieces {
	return &pieces{ctx: ctx, q: q, compressor: compress.NewWriter(compress.LevelZero, compress.LZ4), done: make(chan struct{})}
}

// Read implements io.Reader.
func (p *pieces) Read(b []byte) (int, error) {
	for len(p.left) == 0 {
		if p.last {
			return 0, io.EOF
		}
		if p.failed = p.next(); p.failed != nil {
			return 0, p.failed
		}
	}
	n := copy(b, p.left)
	p.left = p.left[n:]
	return n, nil
}

// next encodes what the statement has, or has more of.
func (p *pieces) next() error {
	if p.q.OnInput == nil {
		p.last = true
	} else if err := p.q.OnInput(p.ctx); errors.Is(err, io.EOF) {
		p.last = true
	} else if err != nil {
		return err
	}
	if p.q.Input[0].Data.Rows() == 0 {
		return nil
	}
	p.raw.Reset()
	if err := encode(&p.raw, p.q.Input); err != nil {
		return fmt.Errorf("encode rows: %w", err)
	}
	if err := p.compressor.Compress(p.raw.Buf); err != nil {
		return fmt.Errorf("compress rows: %w", err)
	}
	p.left = p.compressor.Data
	return nil
}

// Close implements io.Closer.
func (p *pieces) Close() error {
	if !p.closed.Swap(true) {
		close(p.done)
	}
	return nil
}
