package duckstore

import (
	"errors"
	"fmt"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// conn is a connection without database/sql: the one that writes, and the one
// that scans at Open. Both move whole columns, which database/sql cannot.
// It is not safe for concurrent use.
type conn struct {
	db   mapping.Database
	conn mapping.Connection
	// stuck says that it is in a transaction which it could not end.
	stuck bool
	// fault, when a test sets it, says which statements fail, before they are run.
	fault func(statement string) error
}

// fails is the error that a test wants for the statement.
func (c *conn) fails(statement string) error {
	if c.fault == nil {
		return nil
	}
	return c.fault(statement)
}

// connect opens the database at path through the cache that the SQL driver
// uses too, so that both are one database in this process.
func connect(path string) (*conn, error) {
	return connectWith(path, map[string]string{storedAs: storedVersion})
}

// A new file is written in this storage format: texts by a dictionary that has NULL in it, too, so that DuckDB groups and compares its entries. In what all releases of DuckDB
// read, NULL stands beside, and of a column that has one every row is unpacked. A file that is there stays as it was made.
const storedAs, storedVersion = "storage_compatibility_version", "v1.3.0"

// connectWith is connect with further settings, which must be those of the driver's.
func connectWith(path string, settings map[string]string) (*conn, error) {
	var config mapping.Config
	if mapping.CreateConfig(&config) == mapping.StateError {
		return nil, errors.New("no DuckDB configuration")
	}
	defer mapping.DestroyConfig(&config)
	// The driver sets this too; a differing configuration would be refused.
	if mapping.SetConfig(config, "duckdb_api", "go") == mapping.StateError {
		return nil, errors.New("DuckDB refuses its configuration")
	}
	for name, value := range settings {
		if mapping.SetConfig(config, name, value) == mapping.StateError {
			return nil, errors.New("DuckDB refuses its configuration")
		}
	}
	c := &conn{}
	var why string
	if mapping.GetOrCreateFromCache(duckdb.GetInstanceCache(), path, &c.db, config, &why) == mapping.StateError {
		mapping.Close(&c.db)
		return nil, errors.New(why)
	}
	if mapping.Connect(c.db, &c.conn) == mapping.StateError {
		mapping.Close(&c.db)
		return nil, errors.New("no connection to the open database")
	}
	return c, nil
}

// reconnect gives up the connection and makes another.
func (c *conn) reconnect() error {
	mapping.Disconnect(&c.conn)
	if mapping.Connect(c.db, &c.conn) == mapping.StateError {
		return errors.New("no connection to the open database")
	}
	c.stuck = false
	return nil
}

func (c *conn) close() {
	mapping.Disconnect(&c.conn)
	mapping.Close(&c.db)
}

// exec runs one statement whose text is made by this package. What others gave
// goes in as args, for $1 and so on: string, []string, []int64 or []uint64.
func (c *conn) exec(statement string, args ...any) error {
	return c.run(statement, args, func(mapping.Result) {})
}

// run runs one statement and hands its result to use.
func (c *conn) run(statement string, args []any, use func(mapping.Result)) error {
	if err := c.fails(statement); err != nil {
		return err
	}
	var res mapping.Result
	var state mapping.State
	if len(args) == 0 {
		state = mapping.Query(c.conn, statement, &res)
	} else {
		var prepared mapping.PreparedStatement
		state = mapping.Prepare(c.conn, statement, &prepared)
		defer mapping.DestroyPrepare(&prepared)
		if state == mapping.StateError {
			return errors.New(mapping.PrepareError(prepared))
		}
		for i, arg := range args {
			if bind(prepared, mapping.IdxT(i+1), arg) == mapping.StateError {
				return fmt.Errorf("parameter %d cannot be bound", i+1)
			}
		}
		state = mapping.ExecutePrepared(prepared, &res)
	}
	defer mapping.DestroyResult(&res)
	if state == mapping.StateError {
		return errors.New(mapping.ResultError(&res))
	}
	use(res)
	return nil
}

// bind hands over one parameter.
func bind(prepared mapping.PreparedStatement, at mapping.IdxT, arg any) mapping.State {
	var values []mapping.Value
	element := mapping.TypeVarchar
	switch arg := arg.(type) {
	case string:
		return mapping.BindVarchar(prepared, at, arg)
	case []string:
		values = make([]mapping.Value, len(arg))
		for i, s := range arg {
			values[i] = mapping.CreateVarchar(s)
		}
	case []uint64:
		element = mapping.TypeUBigInt
		values = make([]mapping.Value, len(arg))
		for i, n := range arg {
			values[i] = mapping.CreateUInt64(n)
		}
	case []int64:
		element = mapping.TypeBigInt
		values = make([]mapping.Value, len(arg))
		for i, n := range arg {
			values[i] = mapping.CreateInt64(n)
		}
	default:
		return mapping.StateError
	}
	typ := mapping.CreateLogicalType(element)
	defer mapping.DestroyLogicalType(&typ)
	list := mapping.CreateListValue(typ, values)
	defer mapping.DestroyValue(&list)
	for i := range values {
		mapping.DestroyValue(&values[i])
	}
	return mapping.BindValue(prepared, at, list)
}

// int64s returns the first row of a query as integers, or nil when it has no
// row. Its columns must be BIGINT and not NULL.
func (c *conn) int64s(query string, args ...any) ([]int64, error) {
	var row []int64
	err := c.scan(query, args, func(b block) {
		if row != nil {
			return
		}
		row = make([]int64, b.columns)
		for i := range row {
			row[i] = b.int64s(i)[0]
		}
	})
	return row, err
}

// scan hands the rows of a query to each, a block of up to 2048 at a time.
func (c *conn) scan(query string, args []any, each func(block)) error {
	return c.run(query, args, func(res mapping.Result) {
		for {
			chunk := mapping.FetchChunk(res)
			if chunk.Ptr == nil {
				return
			}
			b := block{
				chunk:   chunk,
				rows:    int(mapping.DataChunkGetSize(chunk)),
				columns: int(mapping.DataChunkGetColumnCount(chunk)),
			}
			if b.rows > 0 {
				each(b)
			}
			mapping.DestroyDataChunk(&chunk)
		}
	})
}

// wholeRows is how many rows of a table whole asks for at once: two row groups.
const wholeRows = 2 * 122_880

// whole hands all rows of a table that satisfy a condition to each, as scan does. It asks for a part of the table at a time: the result of a
// statement lies in memory whole, beside what DuckDB's limit covers, before its first row can be read.
func (c *conn) whole(columns, table, condition string, each func(block)) error {
	end, err := c.int64s("SELECT coalesce(max(rowid) + 1, 0) FROM " + table)
	if err != nil {
		return err
	}
	for from := int64(0); from < end[0]; from += wholeRows {
		part := fmt.Sprintf("SELECT %s FROM %s WHERE rowid >= %d AND rowid < %d %s", columns, table, from, from+wholeRows, condition)
		if err := c.scan(part, nil, each); err != nil {
			return err
		}
	}
	return nil
}

// text is DuckDB's duckdb_string_t: up to 12 bytes stand in it, of a longer
// one it has the first 4 and a pointer.
type text struct {
	length uint32
	head   [4]byte
	tail   [8]byte // the next 8 bytes, or the address
}

const inlineText = 12

// view returns the bytes without copying them.
func (t *text) view() string {
	if t.length <= inlineText {
		return unsafe.String(&t.head[0], t.length)
	}
	return unsafe.String(*(**byte)(unsafe.Pointer(&t.tail)), t.length)
}

// set makes t hold the bytes at p, which stay where they are: the caller keeps
// them pinned. t is DuckDB's memory, so the address is written as a number.
// Written as a pointer, it would make the collector look at what stood there
// before, an address of memory that is long free, and end the process over it.
func (t *text) set(p *byte, n int) {
	t.length = uint32(n)
	copy(t.head[:], unsafe.Slice(p, 4))
	*(*uintptr)(unsafe.Pointer(&t.tail)) = uintptr(unsafe.Pointer(p))
}

// setShort copies s, of at most 12 bytes, into t.
func (t *text) setShort(s string) {
	*t = text{length: uint32(len(s))}
	n := copy(t.head[:], s)
	copy(t.tail[:], s[n:])
}

// appenderError is what the appender says is wrong.
func appenderError(a mapping.Appender) error {
	return fmt.Errorf("append rows: %w", errors.New(mapping.AppenderError(a)))
}
