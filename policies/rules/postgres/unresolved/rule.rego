# METADATA
# title: A statement whose reach cannot be told is not run
# description: |
#   The parse tree alone does not settle what the statement touches.
# custom:
#   hint: Name tables and columns plainly, without the part that was refused.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.unresolved

deny contains {"statement": index, "reason": concat("", ["It can't be told what this touches: ", what, "."])} if {
	some index, statement in input.operation.statements
	some what in statement.unresolved
}
