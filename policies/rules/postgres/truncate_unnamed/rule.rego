# METADATA
# title: Emptying a table is granted by name
# description: |
#   TRUNCATE needs a grant that names postgres.write.truncate; to grant writing is not enough.
# custom:
#   hint: Delete with a WHERE clause, or ask for a grant that names postgres.write.truncate.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.truncate_unnamed

import data.sallyport.classes
import data.sallyport.grants
import data.sallyport.needs

deny contains {"statement": index, "reason": "TRUNCATE is allowed only by a grant that names it."} if {
	some index, statement in input.operation.statements
	classes.covers("postgres.write.truncate", statement.class)
	not named(index)
}

deny contains {"statement": -1, "reason": "TRUNCATE is allowed only by a grant that names it."} if {
	some class in input.operation.classes
	classes.covers("postgres.write.truncate", class)
	not class in {statement.class | some statement in input.operation.statements}
	not named(-1)
}

named(index) if {
	some need in needs.all
	need.statement == index
	some grant in grants.speaking
	grants.names_class(grant, "postgres.write.truncate", need.class)
	needs.gives(grant, need)
}
