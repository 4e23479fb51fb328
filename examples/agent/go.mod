module github.com/brokle-ai/brokle-go/examples/agent

go 1.26.0

require (
	github.com/brokle-ai/brokle-go v0.0.0
	github.com/brokle-ai/brokle-go/brokleopenai v0.0.0
	github.com/openai/openai-go/v3 v3.99.0
)

require (
	github.com/coder/websocket v1.8.15 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/oklog/ulid/v2 v2.1.2 // indirect
	github.com/tidwall/gjson v1.20.0 // indirect
	github.com/tidwall/match v1.1.1 // indirect
	github.com/tidwall/pretty v1.2.1 // indirect
	github.com/tidwall/sjson v1.2.5 // indirect
)

replace (
	github.com/brokle-ai/brokle-go => ../../
	github.com/brokle-ai/brokle-go/brokleopenai => ../../brokleopenai
)
