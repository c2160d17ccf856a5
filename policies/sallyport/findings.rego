# METADATA
# title: Default rules that stand
# description: |
#   A default rule forbids until a grant lifts it, by name or with `rules off`, and that grant by itself permits what the rule
#   is about.
# schemas:
#   - input: schema.input
#   - data.grants: schema.grants
package sallyport.findings

import data.sallyport.grants
import data.sallyport.needs
import data.sallyport.rules

# METADATA
# description: The findings of the default rules that no grant lifts.
standing contains finding if {
	some finding in rules.findings
	not lifted(finding)
}

lifted(finding) if {
	some grant in grants.speaking
	grants.lifts(grant, finding.path)
	count(about(finding)) > 0
	every need in about(finding) {
		needs.gives(grant, need)
	}
}

# -1 is the operation as a whole.
about(finding) := needs.all if finding.statement == -1

about(finding) := {need | some need in needs.all; need.statement in {finding.statement, -1}} if finding.statement >= 0
