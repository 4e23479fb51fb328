module github.com/brokle-ai/brokle-go/bench

go 1.26.0

require github.com/brokle-ai/brokle-go v0.0.0

require (
	github.com/go-json-experiment/json v1.27.2 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/oklog/ulid/v2 v2.1.2 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/brokle-ai/brokle-go => ../
