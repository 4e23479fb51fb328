package daemon

// The names inside a data directory.
const (
	logDir        = "log"
	warehouseFile = "warehouse.duckdb"
	quarantineDir = "quarantine"
	keysFile      = "keys.json"
	expiredFile   = "expired.json"
	journalFile   = "erasing.json"
	positionsFile = "cursor.key"
)
