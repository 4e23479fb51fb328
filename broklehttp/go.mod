module github.com/brokle-ai/brokle-go/broklehttp

go 1.26.0

require (
	github.com/brokle-ai/brokle-go v0.0.0
	github.com/felixge/httpsnoop v1.0.4
	go.uber.org/goleak v1.3.0
)

require (
	github.com/klauspost/compress v1.20.3 // indirect
	github.com/oklog/ulid/v2 v2.1.2 // indirect
)

replace github.com/brokle-ai/brokle-go => ../
