# METADATA
# title: A statement of an unknown kind is not run
# description: |
#   The parser read the statement, but nobody has said yet what it does.
# custom:
#   hint: Use a statement that the gateway knows.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.unknown

import data.sallyport.classes

deny contains {"statement": index, "reason": "The statement is of a kind that policy does not know."} if {
	some index, statement in input.operation.statements
	classes.covers("postgres.unknown", statement.class)
}

deny contains {"statement": -1, "reason": "The statement is of a kind that policy does not know."} if {
	some class in input.operation.classes
	classes.covers("postgres.unknown", class)
}
