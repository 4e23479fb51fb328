package clickhouse

import "strings"

// tablesAt are the tables that a shard has, those first of which others are made.
func (w *Warehouse) tablesAt(shard int) []tableSpec { return tablesOf(w.options.Cluster, shard == 0) }

// tablesOf are the tables of a shard of a cluster, of the first or another one. Without a cluster they are those of one server that is all.
func tablesOf(cluster string, first bool) (all []tableSpec) {
	if cluster == "" {
		return tables()
	}
	var over []tableSpec
	for _, t := range tables() {
		switch {
		case t.id != "":
			local := t.local()
			all, over = append(all, local), append(over, local.distributed(cluster, t.name, ", "+shardedBy(t.id)))
		case t.name == "marks":
			all, over = append(all, t), append(over, t.distributed(cluster, shardsTable, ""))
		case first:
			all = append(all, t)
		}
	}
	return append(all, over...)
}

// local is the table as a shard has it.
func (t tableSpec) local() tableSpec {
	t.ddl = strings.Replace(t.ddl, "CREATE TABLE IF NOT EXISTS "+t.name+" (", "CREATE TABLE IF NOT EXISTS "+t.name+localSuffix+" (", 1)
	t.name += localSuffix
	return t
}

// distributed is the table that has what all shards have of this one.
func (t tableSpec) distributed(cluster, name, key string) tableSpec {
	return tableSpec{
		name: name, columns: t.columns, over: t.name,
		ddl: "CREATE TABLE IF NOT EXISTS " + name + " AS " + t.name + " ENGINE = Distributed(" + quoted(cluster) + ", currentDatabase(), " + t.name + key + ")",
	}
}

// over says that the engine is Distributed over a table of a cluster.
func (e engine) over(cluster, table string) bool {
	return e.name == "Distributed" && strings.HasPrefix(e.full, "Distributed("+quoted(cluster)+", ") && strings.Contains(e.full, ", "+quoted(table))
}

// in is the column as a table has it: one that is Distributed stores nothing.
func (c column) in(t *tableSpec) column {
	if t.over != "" {
		c.codec = ""
	}
	return c
}

// DDL is the statements that make the tables, in order, of each shard.
func DDL(o Options) (shards [][]string) {
	for n := range 1 + len(o.Further) {
		var statements []string
		for _, t := range tablesOf(o.Cluster, n == 0) {
			statements = append(statements, t.ddl)
		}
		shards = append(shards, statements)
	}
	return shards
}

// ClusterDDL is the statements that make the tables on all servers of a cluster, replicated among those of each shard, of which there may be several. {uuid}, {shard} and {replica} are for
// the servers to fill in.
func ClusterDDL(cluster string, several bool) []string {
	on := " ON CLUSTER `" + strings.ReplaceAll(cluster, "`", "``") + "`"
	made := tables()
	if several {
		made = tablesOf(cluster, true)
	}
	var statements []string
	for _, t := range made {
		begin := "CREATE TABLE IF NOT EXISTS " + t.name
		text := strings.Replace(t.ddl, begin, begin+on, 1)
		const at = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"
		text = strings.Replace(text, " ENGINE = ReplacingMergeTree(", " ENGINE = ReplicatedReplacingMergeTree("+at+", ", 1)
		text = strings.Replace(text, " ENGINE = MergeTree ", " ENGINE = ReplicatedMergeTree("+at+") ", 1)
		text = strings.Replace(text, plainWindow+" = ", "replicated_deduplication_window = ", 1)
		statements = append(statements, text)
	}
	return statements
}
