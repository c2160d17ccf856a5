# METADATA
# title: SQL that cannot be read is not run
# description: |
#   The real parser could not read the string, or it hides something from it.
# custom:
#   hint: Send valid SQL in UTF-8, without NUL, and no longer than the edge parses.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.unparseable

import data.sallyport.classes

deny contains {"statement": -1, "reason": "The SQL can't be parsed."} if {
	input.operation.kind == "postgres"
	not readable
}

readable if {
	input.operation.parseable == true
	not unparseable
	is_array(input.operation.statements)
	explained
}

# Only an empty string has no statement, and then it does nothing.
explained if count(input.operation.statements) > 0

explained if {
	every class in input.operation.classes {
		classes.covers("postgres.session", class)
	}
	classes.covers("postgres.session", input.operation.class)
}

unparseable if {
	some class in input.operation.classes
	classes.covers("postgres.unparseable", class)
}

unparseable if classes.covers("postgres.unparseable", input.operation.class)
