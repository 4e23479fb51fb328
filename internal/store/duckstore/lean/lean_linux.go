package lean

import "C" // the C++ file beside this one is linked in before DuckDB's library
