package entity

// Column is a column of the rows of a kind.
type Column struct {
	Field Field
	Name  string
	Type  FieldType // never JSON
	// Group says that statistics can be grouped by it.
	Group bool
}

// Sorts says whether a list can be sorted by the column: a number or a time.
func (c Column) Sorts() bool { return c.Type == Integer || c.Type == Float || c.Type == Time }

// Columns are the columns of a kind's rows, in the order in which the warehouse has them.
func Columns(kind Kind) []Column {
	return columnsThat(func(f Field) bool { return table[f].kept.has(kind) })
}

// EventColumns are the fields that events say, as columns of a table of events. What is JSON
// stays in the payload.
func EventColumns() []Column {
	return columnsThat(func(f Field) bool { return table[f].said != 0 && table[f].held != JSON })
}

func columnsThat(are func(Field) bool) []Column {
	var columns []Column
	for f := range NumFields {
		if row := &table[f]; are(f) {
			columns = append(columns, Column{f, row.name, row.held, row.group})
		}
	}
	return columns
}
