package sallyport

import data.sallyport.judgement

# METADATA
# title: The verdict on one operation
# description: |
#   Nothing is allowed unless a grant says so. Lists are sorted, what is not there is null, so that the same input always
#   gives the same bytes.
# entrypoint: true
verdict := {
	"decision": judgement.decision,
	"rules": sort(judgement.rules),
	"reasons": sort(judgement.reasons),
	"hint": judgement.hint,
	"masks": judgement.masks,
	"row_limit": judgement.row_limit,
	"profiles": judgement.profiles,
	"approval": judgement.approval,
	"rules_off": judgement.rules_off,
}
