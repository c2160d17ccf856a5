# METADATA
# title: Who may approve a hold
# description: |
#   A person, directly, in one of the groups that the hold names, who has not spoken yet and has no part in the request.
#   Each condition is a positive helper, and what is not shown is refused.
# schemas:
#   - input: schema.approval
#   - data.grants: schema.grants
package sallyport.approvers

import data.sallyport.grants

# METADATA
# description: Nothing speaks against it.
default allow := false

allow if count(refusals) == 0

# METADATA
# description: What speaks against it.
refusals contains refusal("requester", "Nobody approves their own request", "You asked for this operation yourself.") if {
	not somebody_else
}

refusals contains refusal("chain", "Nobody approves what was asked in their name", "You are in the requester's chain of actors.") if {
	not outside_chain
}

refusals contains refusal("delegated", "Approval is given in person", "Your token was issued to somebody who acts for you.") if {
	not in_person
}

refusals contains refusal("local", "The local operator does not approve", "Sign in as yourself to approve.") if {
	not from_provider
}

refusals contains refusal("person", "A person approves", "Only a person may approve this hold.") if {
	not kind_accepted
}

refusals contains refusal("group", "Approval belongs to the groups that the hold names", "You are in none of the groups that may approve this hold.") if {
	not in_group
}

refusals contains refusal("twice", "A person counts once", "You have already answered this hold.") if {
	not unanswered
}

refusal(name, title, reason) := {
	"path": concat(".", ["sallyport.approval", name]),
	"title": title,
	"reason": reason,
}

somebody_else if not same(input.approver, input.hold.requester)

outside_chain if {
	count(overlap) == 0
	is_array(input.hold.requester.actors)
}

overlap contains actor if {
	some actor in input.hold.requester.actors
	is_actor(actor, input.approver)
}

in_person if count(input.approver.actors) == 0

from_provider if input.approver.provider != "local"

kind_accepted if input.approver.kind == "person"

# Every grant that may hold the request has to say so.
kind_accepted if {
	input.approver.kind == "workload"
	count(holding) > 0
	every grant in holding {
		grant.approval.workloads == true
	}
}

holding contains grant if {
	some grant in data.grants
	count(grant.hold) > 0
	grants.speaks(grant, input.hold.requester, input.hold.resource)
}

in_group if {
	some group in input.approver.groups
	group in input.hold.groups
}

unanswered if {
	count([answer | some answer in input.hold.given; same(answer, input.approver)]) == 0
	is_array(input.hold.given)
}

same(one, other) if {
	one.subject == other.subject
	one.issuer == other.issuer
}

# An actor without an issuer is named by the requester's token only: the name is enough.
is_actor(actor, principal) if {
	actor.subject == principal.subject
	object.get(actor, "issuer", principal.issuer) == principal.issuer
}
