# METADATA
# title: What a hold asks for
# description: |
#   Every grant that holds has its say: whoever approves is in a group that all of them name, the highest count and the
#   shortest window apply. Without a group in common nobody could approve, and the operation is denied.
# schemas:
#   - input: schema.input
#   - data.grants: schema.grants
package sallyport.holds

import data.sallyport.needs

# METADATA
# description: The requirement that satisfies every holding grant.
requirement := {
	"groups": sort(groups),
	"count": max({grant.approval.count | some grant in needs.holding}),
	"window_ms": min({grant.approval.windowMs | some grant in needs.holding}),
}

# METADATA
# description: Somebody could approve.
answerable if {
	count(requirement.groups) > 0
	requirement.count > 0
	requirement.window_ms > 0
}

groups := intersection({{group | some group in grant.approval.groups} | some grant in needs.holding})
