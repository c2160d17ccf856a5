package sallyport_test

import data.sallyport.fixtures as f

actions := {
	"sessions.read",
	"sessions.revoke",
	"approvals.read",
	"approvals.decide",
	"leases.read",
	"principals.read",
	"principals.revoke",
	"policy.read",
}

console(principal, action, roles) := answered if {
	answered := data.sallyport.console with input as {"principal": principal, "action": action}
		with data.grants as [holding]
		with data.roles as roles
}

console_on(principal, action, target) := answered if {
	answered := data.sallyport.console with input as {"principal": principal, "action": action, "target": target}
		with data.grants as [holding]
}

may(principal, roles) := {action | some action in actions; console(principal, action, roles).scope == "all"}

somebody := object.union(f.dba, {"subject": "sam", "groups": ["staff"]})

role_of(name) := {name: {"groups": ["staff"]}}

refused(action) := {
	"allow": false,
	"scope": "none",
	"rules": [],
	"reasons": [concat("", ["None of your roles allows ", action, "."])],
}

own := {
	"allow": true,
	"scope": "own",
	"rules": [{"path": "sallyport.console.own", "title": "Everybody reads what is theirs"}],
	"reasons": [],
}

group := {
	"allow": true,
	"scope": "own",
	"rules": [{"path": "sallyport.console.group", "title": "Members of an approving group see and decide its holds"}],
	"reasons": [],
}

reading := {"sessions.read", "approvals.read", "leases.read", "principals.read", "policy.read"}

test_viewer if may(somebody, role_of("viewer")) == {"sessions.read", "approvals.read"}

test_approver if may(somebody, role_of("approver")) == {"approvals.read", "approvals.decide"}

test_operator if may(somebody, role_of("operator")) == reading | {"sessions.revoke", "principals.revoke"}

test_auditor if may(somebody, role_of("auditor")) == reading

test_no_role if may(somebody, {}) == set()

test_a_role_for_others if may(somebody, {"operator": {"groups": ["ops"]}}) == set()

test_a_role_for_nobody if may(somebody, {"operator": {}}) == set()

test_a_role_with_an_unknown_key if may(somebody, {"operator": {"groups": ["staff"], "claims": ["*"]}}) == set()

test_an_unknown_role if may(somebody, role_of("root")) == set()

test_an_unknown_action if console(somebody, "policy.publish", role_of("operator")) == refused("policy.publish")

test_role_by_subject_and_provider if {
	may(somebody, {"auditor": {"subjects": ["s?m"], "providers": ["corp"]}}) == reading
	may(somebody, {"auditor": {"subjects": ["s?m"], "providers": ["legacy"]}}) == set()
}

test_a_whole_answer if {
	console(somebody, "leases.read", role_of("auditor")) == {
		"allow": true,
		"scope": "all",
		"rules": [{"path": "sallyport.console.auditor", "title": "Role auditor"}],
		"reasons": [],
	}
}

test_own_sessions_are_read_not_revoked if {
	mine := {"principal": {"subject": "sam", "issuer": "https://idp.example"}}
	console_on(somebody, "sessions.read", mine) == own
	console_on(somebody, "approvals.read", mine) == own
	console_on(somebody, "sessions.revoke", mine) == refused("sessions.revoke")
	console_on(somebody, "approvals.decide", mine) == refused("approvals.decide")
	console(somebody, "sessions.read", {}) == own
}

test_sessions_of_others_are_not_read if {
	theirs := {
		{"principal": {"subject": "erik", "issuer": "https://idp.example"}},
		{"principal": {"subject": "sam", "issuer": "https://other.example"}},
		{"principal": {"subject": "sam"}},
		{},
	}
	every target in theirs {
		console_on(somebody, "sessions.read", target) == refused("sessions.read")
	}
}

test_an_approving_group_reads_and_decides_its_holds if {
	target := {"principal": {"subject": "crew-stock", "issuer": "https://idp.example"}, "groups": ["dba"]}
	console_on(f.dba, "approvals.decide", target) == group
	console_on(f.dba, "approvals.read", target) == group
	console_on(f.dba, "sessions.read", target) == refused("sessions.read")
	console_on(somebody, "approvals.decide", target) == refused("approvals.decide")
	console_on(f.dba, "approvals.decide", object.union(target, {"groups": ["security"]})) == refused("approvals.decide")
	console(f.dba, "approvals.decide", {}) == refused("approvals.decide")
}

test_a_group_that_no_grant_names_decides_nothing if {
	target := {"principal": {"subject": "crew-stock", "issuer": "https://idp.example"}, "groups": ["staff"]}
	console_on(somebody, "approvals.decide", target) == refused("approvals.decide")
}

local := object.union(f.dba, {"provider": "local"})

test_the_local_operator_reads_and_revokes if may(local, {}) == reading | {"sessions.revoke", "principals.revoke"}

test_the_local_operator_never_approves if {
	target := {"principal": {"subject": "crew-stock", "issuer": "https://idp.example"}, "groups": ["dba"]}
	console(local, "approvals.decide", {"approver": {"subjects": ["*"]}}) == refused("approvals.decide")
	console_on(local, "approvals.decide", target) == refused("approvals.decide")
}
