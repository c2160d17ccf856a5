# METADATA
# title: UPDATE and DELETE say which rows
# description: |
#   An UPDATE or DELETE without WHERE changes every row of its table.
# custom:
#   hint: Add a WHERE clause that names the rows.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.write_without_where

import data.sallyport.classes

deny contains {"statement": index, "reason": "An UPDATE or DELETE has no WHERE clause."} if {
	some index, statement in input.operation.statements
	not bounded(statement)
}

bounded(statement) if statement.hasWhere == true

# Nothing to bound. An UPDATE or DELETE for which the question was not answered is not bounded.
bounded(statement) if {
	statement.hasWhere == null
	not classes.covered(["postgres.write.update", "postgres.write.delete"], statement.class)
}
