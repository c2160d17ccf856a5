package sallyport_test

import data.sallyport.fixtures as f

holding := {
	"name": "writes when a DBA agrees",
	"who": {"subjects": ["crew-*"]},
	"on": {"names": ["shop"]},
	"hold": ["postgres.write"],
	"approval": {"groups": ["dba"], "count": 2, "windowMs": 600000},
}

hold := {"requester": f.agent, "resource": f.shop, "groups": ["dba"], "given": []}

answer(approver, changes) := approval if {
	approval := data.sallyport.approval with input as {"approver": approver, "hold": object.union(hold, changes)} with data.grants as [holding]
}

yes := {"allow": true, "rules": [], "reasons": []}

no(name, title, reason) := {
	"allow": false,
	"rules": [{"path": concat(".", ["sallyport.approval", name]), "title": title}],
	"reasons": [reason],
}

approver(changes) := object.union(f.dba, changes)

test_a_person_of_the_group_approves if answer(f.dba, {}) == yes

test_the_requester_does_not if {
	no("requester", "Nobody approves their own request", "You asked for this operation yourself.") == answer(f.dba, {"requester": f.dba})
}

test_the_same_name_elsewhere_is_somebody_else if {
	answer(f.dba, {"requester": object.union(f.dba, {"issuer": "https://other.example"})}) == yes
}

test_an_agent_of_the_approver_does_not_count_as_another if {
	expected := no("requester", "Nobody approves their own request", "You asked for this operation yourself.")
	answer(f.dba, {"requester": object.union(f.dba, {"kind": "workload", "actors": [{"subject": "crew"}]})}) == expected
}

in_chain := no("chain", "Nobody approves what was asked in their name", "You are in the requester's chain of actors.")

test_an_actor_of_the_requester_does_not if {
	answer(f.dba, {"requester": object.union(f.agent, {"actors": [{"subject": "crew"}, {"subject": "dana"}]})}) == in_chain
	answer(f.dba, {"requester": object.union(f.agent, {"actors": [{"subject": "dana", "issuer": "https://idp.example"}]})}) == in_chain
}

test_an_actor_of_that_name_elsewhere_is_somebody_else if {
	answer(f.dba, {"requester": object.union(f.agent, {"actors": [{"subject": "dana", "issuer": "https://other.example"}]})}) == yes
}

test_a_requester_without_chain_is_not_trusted if answer(f.dba, {"requester": {"actors": null}}) == in_chain

test_a_delegated_token_does_not if {
	expected := no("delegated", "Approval is given in person", "Your token was issued to somebody who acts for you.")
	answer(approver({"actors": [{"subject": "crew-stock"}]}), {}) == expected
}

test_the_local_operator_does_not if {
	answer(approver({"provider": "local"}), {}) == no("local", "The local operator does not approve", "Sign in as yourself to approve.")
}

workload_refused := no("person", "A person approves", "Only a person may approve this hold.")

test_a_workload_does_not if answer(approver({"kind": "workload"}), {}) == workload_refused

with_grants(grants) := approval if {
	approval := data.sallyport.approval with input as {"approver": approver({"kind": "workload"}), "hold": hold} with data.grants as grants
}

test_a_workload_does_if_every_holding_grant_says_so if {
	accepting := object.union(holding, {"approval": {"workloads": true}})
	with_grants([accepting]) == yes
	with_grants([accepting, holding]) == workload_refused
	with_grants([accepting, object.union(holding, {"on": {"names": ["other"]}})]) == yes
	with_grants([accepting, object.remove(holding, ["hold", "approval"])]) == yes
	with_grants([]) == workload_refused
}

outside := no("group", "Approval belongs to the groups that the hold names", "You are in none of the groups that may approve this hold.")

test_others_do_not if {
	answer(approver({"groups": ["analysts"]}), {}) == outside
	answer(approver({"groups": []}), {}) == outside
	answer(approver({"groups": ["dba2", "DBA", "*"]}), {}) == outside
	answer(f.dba, {"groups": []}) == outside
}

twice := no("twice", "A person counts once", "You have already answered this hold.")

test_nobody_counts_twice if {
	answer(approver({"groups": ["dba", "leads"]}), {"groups": ["dba", "leads"], "given": [{"subject": "dana", "issuer": "https://idp.example"}]}) == twice
	answer(f.dba, {"given": [{"subject": "erik", "issuer": "https://idp.example"}]}) == yes
	answer(f.dba, {"given": null}) == twice
}

test_every_reason_is_told if {
	count(answer(approver({"kind": "workload", "groups": [], "provider": "local"}), {}).reasons) == 3
}

test_no_input_no_approval if {
	approval := data.sallyport.approval with input as {} with data.grants as [holding]
	approval.allow == false
}
