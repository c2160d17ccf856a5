# METADATA
# title: Roles in the console
# description: |
#   `roles` in the grants document names who is what. Without a role a principal reads its own sessions and holds, and members of
#   a group that approves read and decide the holds of that group. The local operator reads and revokes, and never approves.
# schemas:
#   - input: schema.console
#   - data.grants: schema.grants
#   - data.roles: schema.roles
package sallyport.roles

import data.sallyport.globs

# METADATA
# description: Denied unless a role or a default says so.
default allow := false

allow if count(rules) > 0

# METADATA
# description: What the answer covers.
default scope := "none"

scope := "all" if count(by_role) > 0

scope := "own" if {
	count(by_role) == 0
	count(by_default) > 0
}

# METADATA
# description: The roles and defaults that allow it, or the default deny.
rules := by_role | by_default

# METADATA
# description: Why not.
reasons contains concat("", ["None of your roles allows ", input.action, "."]) if not allow

by_role contains {"path": concat(".", ["sallyport.console", name]), "title": concat(" ", ["Role", name])} if {
	some name in held
	input.action in actions[name]
	not operator_decides
}

by_default contains {"path": "sallyport.console.own", "title": "Everybody reads what is theirs"} if {
	input.action in {"sessions.read", "approvals.read"}
	own
}

by_default contains {"path": "sallyport.console.group", "title": "Members of an approving group see and decide its holds"} if {
	input.action in {"approvals.read", "approvals.decide"}
	approves
	not local_operator
}

held contains name if {
	some name, who in data.roles
	count(who) > 0
	every key, patterns in who {
		is_member(key, patterns)
	}
}

held contains "local" if local_operator

is_member("groups", patterns) if globs.any_matches(patterns, input.principal.groups)

is_member("subjects", patterns) if globs.any_matches(patterns, [input.principal.subject])

is_member("providers", names) if input.principal.provider in names

local_operator if input.principal.provider == "local"

operator_decides if {
	local_operator
	input.action == "approvals.decide"
}

# A list without a target holds what is theirs once it is filtered.
own if not input.target

own if {
	input.target.principal.subject == input.principal.subject
	input.target.principal.issuer == input.principal.issuer
}

approves if {
	input.action == "approvals.read"
	not input.target
}

approves if {
	some group in input.target.groups
	group in input.principal.groups
	group in approving_groups
}

approving_groups contains group if {
	some grant in data.grants
	some group in grant.approval.groups
}

reading := {"sessions.read", "approvals.read", "leases.read", "principals.read", "policy.read"}

actions := {
	"viewer": {"sessions.read", "approvals.read"},
	"approver": {"approvals.read", "approvals.decide"},
	"operator": (reading | {"sessions.revoke", "principals.revoke"}),
	"auditor": reading,
	"local": (reading | {"sessions.revoke", "principals.revoke"}),
}
