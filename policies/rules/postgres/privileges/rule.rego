# METADATA
# title: Roles and privileges are not for agents to change
# description: |
#   GRANT, REVOKE, roles, ownership, row security, and becoming another role.
# custom:
#   hint: Ask whoever administers the database.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.privileges

import data.sallyport.classes

deny contains {"statement": index, "reason": concat("", [statement.class, " changes who may do what."])} if {
	some index, statement in input.operation.statements
	classes.covered(privileged, statement.class)
}

deny contains {"statement": index, "reason": concat("", ["Setting ", statement.setting, " changes who asks."])} if {
	some index, statement in input.operation.statements
	statement.setting in {"role", "session_authorization"}
	not shows(statement)
}

deny contains {"statement": -1, "reason": concat("", [class, " changes who may do what."])} if {
	some class in input.operation.classes
	classes.covered(privileged, class)
	not class in {statement.class | some statement in input.operation.statements}
}

shows(statement) if statement.class == "postgres.session.show"

privileged := [
	"postgres.privilege",
	"postgres.session.set_role",
	"postgres.session.set_session_authorization",
]
