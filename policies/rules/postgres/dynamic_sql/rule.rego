# METADATA
# title: SQL inside a string is not run unread
# description: |
#   DO blocks, EXECUTE in a function body, query_to_xml, dblink and their kin run SQL that nobody has parsed.
# custom:
#   hint: Send the SQL itself as a statement.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.dynamic_sql

import data.sallyport.classes

deny contains {"statement": index, "reason": "The statement runs SQL from a string that nobody has read."} if {
	some index, statement in input.operation.statements
	runs_strings(statement)
}

deny contains {"statement": -1, "reason": concat("", [class, " runs SQL that nobody has read."])} if {
	some class in input.operation.classes
	classes.covers("postgres.dynamic", class)
	not class in {statement.class | some statement in input.operation.statements}
}

runs_strings(statement) if not statement.dynamic == false

runs_strings(statement) if classes.covers("postgres.dynamic", statement.class)

runs_strings(statement) if {
	some name in statement.functions
	parts := split(name, ".")
	runs_its_argument(parts[count(parts) - 1])
}

runs_its_argument(name) if startswith(name, "dblink")

runs_its_argument(name) if {
	name in {
		"cursor_to_xml",
		"cursor_to_xmlschema",
		"database_to_xml",
		"database_to_xml_and_xmlschema",
		"database_to_xmlschema",
		"query_to_xml",
		"query_to_xml_and_xmlschema",
		"query_to_xmlschema",
		"schema_to_xml",
		"schema_to_xml_and_xmlschema",
		"schema_to_xmlschema",
		"table_to_xml",
		"table_to_xml_and_xmlschema",
		"table_to_xmlschema",
		"ts_rewrite",
		"ts_stat",
		"crosstab",
		"connectby",
		"xpath_table",
	}
}
