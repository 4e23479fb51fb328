package datadir

// The names inside a data directory.
const (
	LogDir        = "log"
	MediaDir      = "media"
	DatasetsDir   = "datasets"
	WarehouseFile = "warehouse.duckdb"
	QuarantineDir = "quarantine"
	KeysFile      = "keys.json"
	ExpiredFile   = "expired.json"
	JournalFile   = "erasing.json"
	PositionsFile = "cursor.key"
	ForwardFile   = "forward.json"
	PricesDir     = "prices"
	BudgetsFile   = "budgets.json"
	SavedFile     = "saved.json"
	AlertsFile    = "alerts.json"
	PromptsDir    = "prompts"
	JudgesFile    = "judges.json"
	JudgeLeadFile = "judgelead.json"
	AlertLeadFile = "alertlead.json"
	NodeFile      = "node.json"
	SignInsFile   = "signins.json"
	DevKeyFile    = "dev.key"
)
