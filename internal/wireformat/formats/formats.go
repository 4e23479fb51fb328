// Package formats is the table of the wire formats that the server speaks.
package formats

import (
	"github.com/brokle-ai/brokle-go/internal/wireformat"
	"github.com/brokle-ai/brokle-go/internal/wireformat/batch"
	"github.com/brokle-ai/brokle-go/internal/wireformat/bulk"
	"github.com/brokle-ai/brokle-go/internal/wireformat/langfuse"
	"github.com/brokle-ai/brokle-go/internal/wireformat/otlpgrpc"
	"github.com/brokle-ai/brokle-go/internal/wireformat/otlphttp"
	"github.com/brokle-ai/brokle-go/internal/wireformat/scores"
)

// All is the whole table. A new format is a package and a row here.
func All() wireformat.Table {
	return wireformat.Table{
		batch.Format{},
		bulk.Format{},
		otlphttp.Format{},
		langfuse.Format{},
		scores.Format{},
	}
}

// GRPC is the table of those that come over gRPC.
func GRPC() wireformat.Table { return wireformat.Table{otlpgrpc.Format{}} }
