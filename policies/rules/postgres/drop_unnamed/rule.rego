# METADATA
# title: Dropping things is granted by name
# description: |
#   DROP needs a grant that names postgres.ddl or a node below it; a blanket grant does not cover it.
# custom:
#   hint: Ask for a grant that names postgres.ddl.drop.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.drop_unnamed

import data.sallyport.classes
import data.sallyport.grants
import data.sallyport.needs

deny contains {"statement": index, "reason": "DROP is allowed only by a grant that names it."} if {
	some index, statement in input.operation.statements
	classes.covers("postgres.ddl.drop", statement.class)
	not named(index)
}

deny contains {"statement": -1, "reason": "DROP is allowed only by a grant that names it."} if {
	some class in input.operation.classes
	classes.covers("postgres.ddl.drop", class)
	not class in {statement.class | some statement in input.operation.statements}
	not named(-1)
}

named(index) if {
	some need in needs.all
	need.statement == index
	some grant in grants.speaking
	grants.names_class(grant, "postgres.ddl", need.class)
	needs.gives(grant, need)
}
