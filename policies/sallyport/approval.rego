package sallyport

import data.sallyport.approvers

# METADATA
# title: May this principal approve this hold?
# description: Yes only if nothing speaks against it.
# entrypoint: true
approval := {
	"allow": approvers.allow,
	"rules": sort({{"path": refusal.path, "title": refusal.title} | some refusal in approvers.refusals}),
	"reasons": sort({refusal.reason | some refusal in approvers.refusals}),
}
