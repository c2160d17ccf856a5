package sallyport

import data.sallyport.roles

# METADATA
# title: May this principal do this in the console?
# description: |
#   `scope` is `all`, or `own` when each thing has to be asked about with a `target`: an own-scoped allow without a target opens
#   the list, and the list shows only what is allowed with its target.
# entrypoint: true
console := {
	"allow": roles.allow,
	"scope": roles.scope,
	"rules": sort(roles.rules),
	"reasons": sort(roles.reasons),
}
