# METADATA
# title: Which grants speak
# description: |
#   A grant speaks when its `who` matches the principal and its `on` the resource. Each key of `who` and `on` must hold;
#   within a list one entry is enough. A key that this policy does not know never holds.
# schemas:
#   - input: schema.input
#   - data.grants: schema.grants
package sallyport.grants

import data.sallyport.classes
import data.sallyport.globs

# METADATA
# description: The grants that speak about this principal on this resource.
speaking contains grant if {
	some grant in data.grants
	speaks(grant, input.principal, input.resource)
}

# METADATA
# description: True when `who` and `on` of a grant match.
speaks(grant, principal, resource) if {
	count(grant.who) > 0
	every key, wanted in grant.who {
		is_who(key, wanted, principal)
	}
	count(grant.on) > 0
	every key, wanted in grant.on {
		is_on(key, wanted, resource)
	}
}

# METADATA
# description: The grant permits this class, at once or after approval. It says nothing about tables.
permits_class(grant, class) if classes.covered(object.get(grant, "allow", []), class)

permits_class(grant, class) if classes.covered(object.get(grant, "hold", []), class)

# METADATA
# description: The grant names a node at or below `root` that covers the class. A blanket grant does not name it.
names_class(grant, root, class) if {
	some list in ["allow", "hold"]
	some node in grant[list]
	classes.covers(root, node)
	classes.covers(node, class)
}

# METADATA
# description: The grant lifts the default rule with this path.
lifts(grant, _) if grant.rules == "off"

lifts(grant, path) if path in grant.lift

is_who("subjects", patterns, principal) if globs.any_matches(patterns, [principal.subject])

is_who("groups", patterns, principal) if globs.any_matches(patterns, principal.groups)

is_who("kinds", kinds, principal) if principal.kind in kinds

is_who("providers", names, principal) if principal.provider in names

is_who("issuers", issuers, principal) if principal.issuer in issuers

is_who("actors", patterns, principal) if globs.any_matches(patterns, [actor.subject | some actor in principal.actors])

is_on("names", patterns, resource) if globs.any_matches(patterns, [resource.name])

is_on("kinds", kinds, resource) if resource.kind in kinds

is_on("labels", labels, resource) if {
	every label, pattern in labels {
		globs.matches(pattern, resource.labels[label])
	}
}
