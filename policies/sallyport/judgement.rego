# METADATA
# title: How the parts become one decision
# description: |
#   What any grant allows is allowed; a hold, a mask or a limit of any grant that speaks applies; a default rule that is not
#   lifted forbids whatever the grants say.
# schemas:
#   - input: schema.input
#   - data.grants: schema.grants
package sallyport.judgement

import data.sallyport.findings
import data.sallyport.grants
import data.sallyport.holds
import data.sallyport.needs

# METADATA
# description: '`allow`, `deny` or `hold`. Whatever is not an allow or a hold is a deny.'
default decision := "deny"

decision := "allow" if {
	permitted
	count(needs.holding) == 0
}

decision := "hold" if {
	permitted
	count(needs.holding) > 0
	holds.answerable
}

# METADATA
# description: The rules behind the decision; for an allow or a hold, the grants.
rules contains {"path": "sallyport.grant", "title": grant.name} if {
	decision == "allow"
	some grant in needs.granting
}

rules contains {"path": "sallyport.grant", "title": grant.name} if {
	decision == "hold"
	some grant in needs.holding
}

rules contains {"path": finding.path, "title": finding.title} if {
	some finding in findings.standing
}

rules contains {"path": "sallyport.default", "title": "Nothing is allowed unless a grant says so"} if {
	not granted
}

rules contains {"path": "sallyport.hold", "title": "A hold needs somebody who may approve it"} if {
	unanswerable
}

# METADATA
# description: What is wrong, one sentence each. Empty for an allow.
reasons contains finding.reason if some finding in findings.standing

reasons contains concat("", ["No grant lets you reach ", input.resource.name, "."]) if count(grants.speaking) == 0

reasons contains reason if {
	count(grants.speaking) > 0
	some need in needs.missing
	not told_by_a_rule(need.class)
	reason := concat("", ["No grant allows ", need.class, on_tables(need), " on ", input.resource.name, "."])
}

reasons contains reason if {
	decision == "hold"
	some need in needs.held
	reason := concat("", [need.class, " on ", input.resource.name, " waits for approval."])
}

reasons contains "The grants that hold this operation have no group in common that may approve it." if unanswerable

# METADATA
# description: What to do about it, or null.
hint := concat(" ", sort(hints)) if count(hints) > 0

else := null

hints contains finding.hint if some finding in findings.standing

hints contains "Ask for a grant that covers it, or do without." if not granted

# METADATA
# description: The masks of every grant that speaks, whatever the decision and whether or not rules are off.
masks := sort({mask |
	some grant in grants.speaking
	some mask in grant.mask
})

# METADATA
# description: The smallest row limit of the grants that speak, or null.
row_limit := min(limits) if count(limits) > 0

else := null

# METADATA
# description: Credential profiles of the grants that speak, sorted.
profiles := sort({grant.credential | some grant in grants.speaking})

# METADATA
# description: What a hold asks for; null unless the decision is `hold`.
approval := holds.requirement if decision == "hold"

else := null

# METADATA
# description: A grant that speaks has `rules off`.
rules_off if {
	some grant in grants.speaking
	grant.rules == "off"
}

else := false

permitted if {
	granted
	count(findings.standing) == 0
}

granted if {
	count(grants.speaking) > 0
	needs.complete
	count(needs.all) > 0
	count(needs.missing) == 0
}

# That it can't be read is told already; that nobody was granted what can't be read would only confuse.
told_by_a_rule(class) if {
	class in {"postgres.unparseable", "postgres.unknown"}
	count(findings.standing) > 0
}

unanswerable if {
	permitted
	count(needs.holding) > 0
	not holds.answerable
}

limits := {grant.limits.rows | some grant in grants.speaking}

on_tables(need) := "" if count(need.tables) == 0

on_tables(need) := concat("", [" of ", concat(", ", sort({table.name | some table in need.tables}))]) if count(need.tables) > 0
