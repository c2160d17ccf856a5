# METADATA
# title: How SQL is read stays as it is
# description: |
#   Settings that change how the server reads the next statement.
# custom:
#   hint: Leave the parser's settings at their defaults.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.parsing_settings

import data.sallyport.classes

deny contains {"statement": index, "reason": "The setting changes how the server reads the statements that follow."} if {
	some index, statement in input.operation.statements
	classes.covers("postgres.session.set_parsing", statement.class)
}

deny contains {"statement": -1, "reason": "The setting changes how the server reads the statements that follow."} if {
	some class in input.operation.classes
	classes.covers("postgres.session.set_parsing", class)
	not class in {statement.class | some statement in input.operation.statements}
}
