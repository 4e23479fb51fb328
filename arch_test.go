package brokle_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/brokle-ai/brokle-go"

// room is what one package may import of this module, and why not more.
type room struct {
	may     []string // directories; "." is the root package
	inTests []string // further ones for its _test.go files
	because string
}

// contracts are the words that all rooms of the server share, and how they wait.
var contracts = []string{"internal/wire", "internal/entity", "internal/medium", "internal/store", "internal/clock"}

// engines are the real backends, which the tests of the rooms above them run on.
var engines = []string{"internal/store/segmentlog", "internal/store/idindex", "internal/store/duckstore", "internal/store/mediafiles"}

// seam is what decodes and answers requests for ingest, and jsonFormat what does it in JSON.
var (
	seam       = with(contracts, []string{"internal/ingest"})
	jsonFormat = with(seam, []string{"internal/extract", "internal/rawjson", "internal/wireformat"})
)

// with is all of these rooms.
func with(lists ...[]string) []string { return slices.Concat(lists...) }

// inAnyTest is what the tests of every room may use beside their own row.
var inAnyTest = []string{"internal/chance", "internal/harm", "internal/watch"}

// house is the table of arrows; ARCHITECTURE.md says what each room does. A directory
// with Go code and no row here is an error, too.
func house() map[string]room {
	backend := room{
		may:     contracts,
		inTests: []string{"internal/extract", "internal/store/storetest", "internal/query"},
		because: "backends know no one above",
	}
	log, duck, redis, click := backend, backend, backend, backend
	log.may = with(contracts, []string{"internal/bloom", "internal/varint", "internal/extract", "internal/rawjson", "internal/textsearch", "internal/store/idindex", "internal/durable", "internal/lowprio"})
	duck.may = with(contracts, []string{"internal/bloom", "internal/extract", "internal/lowprio", "internal/store/paging", "internal/store/sqltext", "internal/store/sqlview", "internal/store/twinning"})
	click.may = with(contracts, []string{"internal/textsearch", "internal/store/paging", "internal/store/sqltext", "internal/store/sqlview", "internal/store/twinning"})
	click.inTests = with(backend.inTests, []string{"internal/clickhousetest", "internal/redistest", "internal/store/duckstore"})
	integration := room{
		may: []string{".", "internal/modelcall"}, inTests: []string{"brokletest", "internal/modelcall/calltest", "internal/standin"}, because: "it puts one library's seam before the same recorder; it is a module of its own",
	}
	index := backend
	files := backend
	files.may = with(contracts, []string{"internal/durable"})
	index.may = with(contracts, []string{"internal/bloom", "internal/varint", "internal/durable", "internal/lowprio"})
	redis.inTests = with(backend.inTests, []string{"internal/redistest"})
	return map[string]room{
		".": {
			may:     []string{"internal/wire", "internal/clock", "internal/rawjson", "internal/payload", "internal/transport", "internal/delivery"},
			inTests: []string{"brokletest", "internal/entity", "internal/extract", "internal/query"},
			because: "it is what a user imports",
		},
		"brokleeval": {may: []string{".", "internal/interval"}, inTests: []string{"internal/standin"}, because: "it runs users' experiments: it talks to the server as anybody may"},
		"brokletest": {may: []string{"."}, because: "it is for users' tests: it knows what users know"},

		"internal/payload":   {may: []string{"internal/wire", "internal/rawjson"}, because: "it writes payloads, whoever sends them"},
		"internal/transport": {may: []string{"internal/wire", "internal/clock"}, because: "it sends one request; it knows no queue"},
		"internal/spool":     {may: []string{"internal/wire"}, because: "it keeps files; it knows nothing of what is in them"},
		"internal/delivery": {
			may:     []string{"internal/wire", "internal/clock", "internal/rawjson", "internal/payload", "internal/transport", "internal/spool"},
			because: "the machine knows nothing of the API before it",
		},

		"internal/modelcall": {
			may: []string{".", "internal/rawjson"}, inTests: []string{"brokletest", "internal/modelcall/calltest", "internal/standin"}, because: "it records calls by the public API, whichever client sends them",
		},
		"internal/modelcall/calltest": {may: []string{".", "brokletest", "internal/standin"}, because: "it is for tests of what records"},
		"internal/standin":            {because: "a provider knows nothing of who records its calls"},
		"broklehttp":                  integration,
		"brokleopenai":                integration,
		"brokleanthropic":             integration,
		"broklegenai":                 integration,
		"broklelangchain":             integration,
		"brokleotel":                  integration,
		"brokleeino":                  integration,
		"broklegenkit":                integration,

		"internal/wire":    {because: "the words of client and server know neither"},
		"internal/rawjson": {because: "it reads JSON, whatever it means"},
		"internal/medium":  {may: []string{"internal/rawjson"}, because: "it takes bytes out of payloads and puts them back; it knows neither where they are kept nor what an event is"},
		"internal/entity": {
			may: []string{"internal/wire", "internal/rawjson", "internal/varint"}, inTests: []string{"internal/extract", "internal/store/storetest"},
			because: "what an event says and folds into is the same for every door and engine",
		},
		"internal/extract": {
			may: []string{"internal/wire", "internal/rawjson", "internal/entity", "internal/medium", "internal/otel", "internal/otlp"}, inTests: []string{"internal/store/storetest"},
			because: "it reads payloads, wherever they came from",
		},
		"internal/otel": {
			may: []string{"internal/entity", "internal/rawjson"}, inTests: []string{"internal/otlp", "internal/extract", "internal/wire"}, because: "what a span means depends on no door and no store",
		},
		"internal/otlp": {may: []string{"internal/medium", "internal/otel", "internal/rawjson"}, because: "it reads an encoding, whatever it says"},
		"internal/detail": {
			may: []string{"internal/wire", "internal/rawjson", "internal/entity", "internal/otel", "internal/otlp"}, because: "it reads records, whoever asks for them",
		},
		"internal/outgoing": {
			may: []string{"internal/wire", "internal/rawjson", "internal/entity", "internal/extract", "internal/otel", "internal/otlp"}, because: "what goes out is the same, whoever asks",
		},
		"internal/textsearch": {
			may: []string{"internal/wire", "internal/rawjson", "internal/entity", "internal/otlp"}, because: "words are words, in a query and in a payload",
		},

		"internal/store": {
			may: []string{"internal/wire", "internal/entity", "internal/medium", "internal/textsearch"}, inTests: []string{"internal/store/storetest"},
			because: "contracts know no backend",
		},
		"internal/query": {
			may: with(contracts, []string{"internal/textsearch"}), inTests: engines, because: "a question is the same for every door and engine",
		},
		"internal/store/storetest": {
			may: with(contracts, inAnyTest, []string{"internal/extract", "internal/textsearch", "internal/query"}), inTests: engines, because: "a suite knows contracts only",
		},
		"internal/store/segmentlog": log,
		"internal/store/idindex":    index,
		"internal/store/duckstore":  duck,
		"internal/store/mediafiles": files,
		"internal/store/redisclaim": redis,
		"internal/store/clickhouse": click,
		"internal/store/sqltext":    {may: contracts, because: "a condition is a condition, whatever the engine"},
		"internal/store/sqlview":    {may: []string{"internal/entity"}, because: "a view is a view, whatever the engine"},
		"internal/store/paging":     {may: contracts, because: "a page is a page, whatever the engine"},
		"internal/store/twinning":   {may: []string{"internal/entity"}, because: "twins are twins, whatever the engine"},

		"internal/ingest": {
			may:     with(contracts, []string{"internal/extract"}),
			inTests: with(engines, []string{"internal/wireformat", "internal/wireformat/batch", "internal/wireformat/formats"}),
			because: "it decides; it knows no HTTP, no wire format and no engine",
		},
		"internal/wireformat":          {may: seam, inTests: []string{"internal/wireformat/batch"}, because: "the seam knows no format"},
		"internal/wireformat/jsonbody": {may: with(jsonFormat, []string{"internal/otlp"}), because: "it reads JSON for every format"},
		"internal/wireformat/batch":    {may: with(jsonFormat, []string{"internal/wireformat/jsonbody"}), because: "a format knows neither HTTP's limits nor storage"},
		"internal/wireformat/bulk": {
			may: with(jsonFormat, []string{"internal/wireformat/jsonbody", "internal/wireformat/batch"}), because: "it is answered as a batch",
		},
		"internal/wireformat/otlphttp": {
			may: with(jsonFormat, []string{"internal/wireformat/jsonbody", "internal/otlp"}), inTests: []string{"internal/otel"}, because: "a format knows neither HTTP's limits nor storage",
		},
		"internal/wireformat/otlpgrpc": {may: with(seam, []string{"internal/wireformat", "internal/wireformat/otlphttp"}), because: "it is OTLP's messages by other paths"},
		"internal/wireformat/langfuse": {may: with(jsonFormat, []string{"internal/wireformat/jsonbody"}), because: "a format knows neither HTTP's limits nor storage"},
		"internal/wireformat/scores":   {may: with(jsonFormat, []string{"internal/wireformat/jsonbody"}), because: "a format knows neither HTTP's limits nor storage"},
		"internal/wireformat/formats": {
			may: []string{
				"internal/wireformat", "internal/wireformat/batch", "internal/wireformat/bulk", "internal/wireformat/otlphttp",
				"internal/wireformat/otlpgrpc", "internal/wireformat/langfuse", "internal/wireformat/scores",
			}, inTests: with(seam, []string{"internal/extract"}), because: "it is their table",
		},
		"internal/forward": {
			may: with(contracts, []string{"internal/extract", "internal/otlp", "internal/durable", "internal/clock"}), inTests: with(engines, []string{"internal/indexer", "internal/outgoing"}),
			because: "it follows the Log; what a request is made of, and by whom it is started, it does not know",
		},
		"internal/indexer": {
			may: with(contracts, []string{"internal/extract", "internal/durable"}), inTests: with(engines, []string{"internal/query"}), because: "it moves records; it knows no engine",
		},
		"internal/bloom":  {because: "a hash is a hash"},
		"internal/varint": {because: "values are values"},
		"internal/price":  {because: "a price is a function of a call and a book, whoever asks"},
		"internal/pricing": {
			may: []string{"internal/entity", "internal/price", "internal/durable", "internal/document"}, inTests: []string{"internal/wire"}, because: "prices hold by a journal in files, whoever folds",
		},
		"internal/budget": {
			may: with(contracts, []string{"internal/price", "internal/document"}), inTests: with(engines, []string{"internal/durable"}), because: "it asks what was spent as anybody may; it knows no engine and no HTTP of ours",
		},
		"internal/alert": {
			may: with(contracts, []string{"internal/query", "internal/document", "internal/egress"}), inTests: with(engines, []string{"internal/durable"}), because: "it asks as anybody may; it knows no engine and no HTTP of ours",
		},
		"internal/interval": {because: "numbers are numbers"},
		"internal/dataset": {
			may: with(contracts, []string{"internal/interval", "internal/durable"}), inTests: []string{"internal/linestest", "internal/store/storetest"},
			because: "it keeps items in files or where nodes share them, whoever asks for them; it knows no engine",
		},
		"internal/saved":  {may: []string{"internal/document", "internal/entity"}, because: "it keeps what people make, whoever asks for it"},
		"internal/prompt": {may: []string{"internal/document", "internal/wire"}, because: "it keeps what people write, whoever asks for it"},
		"internal/judge": {
			may: with(contracts, []string{"internal/query", "internal/document"}), because: "it asks as anybody may; it knows no engine and no HTTP of ours",
		},
		"internal/egress":   {because: "it carries requests, whoever has them sent"},
		"internal/clock":    {because: "it waits; it knows not what for"},
		"internal/lowprio":  {because: "a thread is a thread"},
		"internal/columnar": {because: "it writes rows, whatever they are of"},
		"internal/document": {may: []string{"internal/durable", "internal/clock"}, because: "it keeps texts in files and among nodes; it knows nothing of what is in them, and no engine"},
		"internal/durable":  {because: "it replaces files; it knows nothing of what is in them"},
		"internal/backup":   {may: []string{"internal/durable"}, because: "it is a form of files; it knows nothing of what is in them"},
		"internal/removal": {
			may: with(contracts, []string{"internal/extract", "internal/durable"}), inTests: with(engines, []string{"internal/indexer", "internal/query", "internal/store/storetest"}),
			because: "it decides what goes; it knows no HTTP and no engine",
		},
		"internal/handover": {
			may: with(contracts, []string{"internal/extract", "internal/query"}), inTests: with(engines, []string{"internal/store/storetest", "internal/indexer"}),
			because: "it moves data between a Log and any Warehouse, and compares what these answer; it knows no engine",
		},
		"internal/repricing": {
			may: with(contracts, []string{"internal/pricing", "internal/query"}), inTests: with(engines, []string{"internal/extract", "internal/indexer", "internal/store/storetest"}),
			because: "it moves a repricing on; it knows no HTTP and no engine",
		},
		"internal/datadir": {
			may: with(engines, []string{"internal/removal", "internal/keyring", "internal/pricing", "internal/alert", "internal/budget", "internal/judge", "internal/prompt", "internal/saved", "internal/dataset", "internal/backup", "internal/durable"}), because: "it knows the form of every file, and runs nothing",
		},
		"internal/verify": {
			may:     with(contracts, engines, []string{"internal/extract", "internal/indexer", "internal/removal", "internal/keyring", "internal/pricing", "internal/alert", "internal/budget", "internal/judge", "internal/prompt", "internal/saved", "internal/dataset", "internal/backup", "internal/datadir"}),
			because: "it looks at what lies there, and runs nothing",
		},
		"internal/keyring": {may: []string{"internal/document", "internal/clock"}, because: "keys are a file; they need nothing else"},
		"internal/page":    {may: []string{"web"}, inTests: []string{"web"}, because: "it serves files"},
		"internal/recent":  {because: "it remembers anything"},
		"internal/signin":  {may: []string{"internal/keyring", "internal/recent", "internal/document"}, because: "it says who somebody is, not what they may"},
		"internal/live": {
			may: with(contracts, []string{"internal/extract", "internal/clock"}), inTests: engines, because: "it watches the Log; it knows no keys and no routes",
		},
		"internal/mcp": {
			may: []string{"internal/wire", "internal/query"}, because: "a tool asks the API as anybody may, with the key of who calls it; it knows no store and no handler",
		},
		"internal/server": {
			may: with(contracts, []string{"internal/extract", "internal/rawjson", "internal/textsearch", "internal/query", "internal/ingest", "internal/wireformat",
				"internal/detail", "internal/outgoing", "internal/wireformat/formats", "internal/removal", "internal/live", "internal/signin", "internal/document", "internal/recent", "internal/page", "internal/keyring", "internal/pricing", "internal/repricing", "internal/alert", "internal/budget", "internal/judge", "internal/prompt", "internal/saved", "internal/columnar", "internal/dataset", "internal/interval", "internal/mcp"}),
			inTests: with(engines, []string{".", "internal/indexer", "internal/wireformat/batch", "internal/wireformat/otlphttp", "internal/wireformat/scores", "internal/store/storetest", "internal/store/sqlview", "internal/linestest"}),
			because: "it speaks HTTP; it knows no format and no engine",
		},
		"web":             {because: "it is the built page's files, nothing else"},
		"internal/sample": {may: []string{"."}, because: "it is an ordinary client of the public API"},
		"internal/daemon": {
			may: with(contracts, engines, []string{".", "internal/extract", "internal/rawjson", "internal/textsearch", "internal/store/redisclaim",
				"internal/store/clickhouse", "internal/ingest", "internal/indexer", "internal/handover", "internal/removal", "internal/keyring", "internal/pricing", "internal/repricing", "internal/alert", "internal/budget", "internal/judge", "internal/prompt", "internal/saved", "internal/dataset", "internal/query", "internal/server", "internal/datadir", "internal/verify",
				"internal/forward", "internal/outgoing", "internal/wireformat", "internal/wireformat/formats", "internal/sample", "internal/backup", "internal/durable", "internal/document", "internal/egress", "internal/signin", "web"}),
			inTests: []string{"internal/e2e/rig", "internal/standin"},
			because: "the only place where all meet",
		},
		"internal/harm":           {because: "it harms files, whatever is in them"},
		"internal/watch":          {because: "it looks, whatever there is to see"},
		"internal/chance":         {because: "it gives tests their seed, whatever they test"},
		"internal/linestest":      {may: []string{"internal/clickhousetest", "internal/store/clickhouse", "internal/store/storetest"}, because: "it is where nodes share datasets, for tests"},
		"internal/clickhousetest": {because: "it starts a ClickHouse for tests, and knows nothing of ours"},
		"internal/redistest":      {may: []string{"internal/clock", "internal/watch"}, because: "it starts a redis-server for tests, and knows nothing of ours"},
		"internal/e2e":            {inTests: []string{".", "brokleeval", "internal/clickhousetest", "internal/redistest", "internal/e2e/rig", "internal/modelcall", "internal/standin", "internal/store/storetest"}, because: "it talks to the built binary; a random history is what it sends"},
		"internal/e2e/rig":        {may: []string{".", "internal/watch"}, because: "it talks to the built binary"},
		"internal/e2e/torture": {
			inTests: []string{".", "internal/clickhousetest", "internal/redistest", "internal/e2e/rig"}, because: "it talks to the built binary",
		},

		"cmd/brokle":     {may: []string{".", "internal/clock", "internal/durable", "internal/columnar", "internal/store/sqlview", "internal/daemon", "internal/verify", "internal/keyring", "internal/backup", "internal/mcp"}, inTests: []string{"internal/e2e/rig"}, because: "an ordinary user of them"},
		"examples/agent": {may: []string{".", "brokleopenai"}, inTests: []string{"brokletest"}, because: "examples are users' programs"},
		"examples/chat":  {may: []string{"."}, because: "examples are users' programs"},
		"examples/first": {may: []string{"."}, because: "examples are users' programs"},
		"examples/gsm8k": {may: []string{"."}, because: "examples are users' programs"},
	}
}

// inherited are the rooms that whoever imports package brokle gets.
var inherited = []string{".", "internal/wire", "internal/clock", "internal/rawjson", "internal/payload", "internal/transport", "internal/spool", "internal/delivery"}

// inheritedMayUse is every module outside the standard library that these rooms may import.
var inheritedMayUse = []string{"github.com/oklog/ulid/v2", "github.com/klauspost/compress"}

func TestArrows(t *testing.T) {
	t.Parallel()
	rooms := house()
	met := map[string]bool{}
	walkImports(t, func(file, imported string) {
		dir := path.Dir(file)
		isTest := strings.HasSuffix(file, "_test.go")
		r, known := rooms[dir]
		if !known {
			if !met[dir] {
				t.Errorf("%s has Go code and no row in the table of arrows (arch_test.go): say what it may import and why", dir)
			}
			met[dir] = true
			return
		}
		met[dir] = true
		target, ours := strings.CutPrefix(imported, module)
		switch {
		case ours && (target == "" || target[0] == '/'):
			target = path.Clean("./" + target)
			allowed := target == dir || slices.Contains(r.may, target) || isTest && slices.Contains(with(r.inTests, inAnyTest), target)
			if !allowed {
				t.Errorf("%s imports %s: %s may import %v, because %s", file, target, dir, r.may, r.because)
			}
		case slices.Contains(inherited, dir) && !isTest && strings.Contains(strings.Split(imported, "/")[0], "."):
			if !slices.ContainsFunc(inheritedMayUse, func(m string) bool { return imported == m || strings.HasPrefix(imported, m+"/") }) {
				t.Errorf("%s imports %s: it may use the standard library and %v, because users inherit our dependencies", file, imported, inheritedMayUse)
			}
		}
	})
	if !met["."] || !met["internal/store"] {
		t.Errorf("the walk met only %v: it looks in the wrong place", slices.Sorted(maps.Keys(met)))
	}
}

// ARCHITECTURE.md names every room.
func TestRoomsAreNamed(t *testing.T) {
	t.Parallel()
	page := read(t, "ARCHITECTURE.md")
	for dir := range house() {
		if _, err := os.Stat(dir); err != nil || strings.HasPrefix(dir, "examples/") {
			continue
		}
		if !strings.Contains(page, "`"+dir+"`") {
			t.Errorf("ARCHITECTURE.md does not name %s", dir)
		}
	}
}

// walkImports calls visit for each import of each Go file of this module.
func walkImports(t *testing.T, visit func(file, imported string)) {
	t.Helper()
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			skip := name == "testdata" || name == "node_modules" || p == "bench" ||
				p != "." && strings.HasPrefix(name, ".")
			if skip {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(fset, p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			imported, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			visit(filepath.ToSlash(p), imported)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// nestedModules are the Makefile's NESTED.
func nestedModules(t *testing.T) []string {
	t.Helper()
	_, list, _ := strings.Cut(read(t, "Makefile"), "\nNESTED      := ")
	list, _, _ = strings.Cut(list, "\n")
	return strings.Fields(list)
}

// Each module beside the root one is in the Makefile's NESTED, and so in lint and unit; those of bench have commands of their own.
func TestModulesAreTested(t *testing.T) {
	t.Parallel()
	nested := nestedModules(t)
	found := 0
	for _, pattern := range []string{"*/go.mod", "*/*/go.mod"} {
		mods, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, mod := range mods {
			dir := filepath.ToSlash(filepath.Dir(mod))
			if strings.HasPrefix(dir, "bench") {
				continue
			}
			if found++; !slices.Contains(nested, dir) {
				t.Errorf("%s is a module and not in NESTED of the Makefile", dir)
			}
		}
	}
	if found != len(nested) {
		t.Errorf("%d modules, %d in NESTED", found, len(nested))
	}
}
