# METADATA
# title: Grants narrowed to tables
# description: |
#   A grant with `tables` permits only statements all of whose tables it covers, and restricts every statement that
#   touches one of them. In doubt the permission is narrow and the restriction wide.
# schemas:
#   - input: schema.input
#   - data.grants: schema.grants
package sallyport.tables

import data.sallyport.classes
import data.sallyport.globs

# METADATA
# description: The grant speaks of some tables only.
narrowed(grant) if grant.tables

# METADATA
# description: |
#   Permission. A name without schema is read as one in `public`, or in `pg_catalog` when it begins as only names there
#   may. Changing the search path is refused while a narrowed grant speaks, so that the reading stays true.
covers(grant, _) if not narrowed(grant)

covers(grant, table) if {
	some pattern in grant.tables
	[schema, name] := split(pattern, ".")
	globs.matches(schema, assumed_schema(table))
	globs.matches(name, table.name)
}

# METADATA
# description: Restriction. A name without schema may be a table of that name in any schema.
may_touch(grant, table) if covers(grant, table)

may_touch(grant, table) if {
	table.schema == null
	some pattern in grant.tables
	[_, name] := split(pattern, ".")
	globs.matches(name, table.name)
}

# METADATA
# description: |
#   What a statement touches can't be told from its tables: SQL in strings, what the tree does not settle, procedures.
#   A narrowed grant never permits it, and always restricts it.
opaque(statement) if not transparent(statement)

transparent(statement) if {
	statement.dynamic == false
	count(statement.unresolved) == 0
	not classes.covered(opaque_classes, statement.class)
}

# METADATA
# description: Classes whose reach is not in the tables named.
opaque_classes := ["postgres.write.call", "postgres.dynamic", "postgres.unknown", "postgres.unparseable"]

assumed_schema(table) := table.schema if table.schema != null

assumed_schema(table) := "pg_catalog" if {
	table.schema == null
	startswith(table.name, "pg_")
}

assumed_schema(table) := "public" if {
	table.schema == null
	not startswith(table.name, "pg_")
}
