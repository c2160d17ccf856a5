# METADATA
# title: The server itself is not for agents to change
# description: |
#   Server settings, extensions, languages, foreign servers, tablespaces, replication, databases.
# custom:
#   hint: Ask whoever administers the database.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.server

import data.sallyport.classes

deny contains {"statement": index, "reason": concat("", [statement.class, " reaches beyond the database's data."])} if {
	some index, statement in input.operation.statements
	classes.covers("postgres.server", statement.class)
}

deny contains {"statement": -1, "reason": concat("", [class, " reaches beyond the database's data."])} if {
	some class in input.operation.classes
	classes.covers("postgres.server", class)
	not class in {statement.class | some statement in input.operation.statements}
}
