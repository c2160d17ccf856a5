package sallyport.rules.postgres.unparseable_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.unparseable", "title": "SQL that cannot be read is not run"}],
	reasons,
	"Send valid SQL in UTF-8, without NUL, and no longer than the edge parses.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.unparseable"]})

nothing := {
	"kind": "postgres",
	"class": "postgres.unparseable",
	"classes": ["postgres.unparseable"],
	"parseable": false,
	"fingerprint": "",
	"normalized": "",
	"statements": [],
	"problem": "syntax error",
}

reason := "The SQL can't be parsed."

test_refused if judged([f.everything], nothing) == refused([reason])

test_refused_when_it_claims_to_be_parseable if {
	judged([f.everything], object.union(nothing, {"parseable": true})) == refused([reason])
}

test_refused_when_it_claims_another_class if {
	judged([f.everything], object.union(nothing, {"class": "postgres.read", "classes": ["postgres.read"]})) == refused([reason])
}

test_refused_beside_a_readable_statement if {
	operation := object.union(f.bare("postgres.unparseable"), {"class": "postgres.read"})
	judged([f.everything], operation) == refused([reason])
}

test_refused_without_the_fact if {
	judged([f.everything], object.remove(f.sql([f.statement({})]), ["parseable"])) == refused([reason])
}

test_refused_as_a_node_below if {
	operation := object.union(nothing, {"parseable": true, "class": "postgres.unparseable.too_long", "classes": []})
	judged([f.everything], operation) == refused([reason])
}

test_lifted if judged([lifting], nothing) == f.allowed(["lifting"])

test_not_lifted_by_a_grant_to_read if {
	narrow := f.grant({"name": "narrow", "allow": ["postgres.read"], "rules": "off"})
	judged([f.everything, narrow], nothing).decision == "deny"
}

test_refused_without_statements if {
	claims := {"parseable": true, "class": "postgres.read", "classes": ["postgres.read"]}
	judged([f.everything], object.union(nothing, claims)) == refused([reason])
	judged([f.everything], object.remove(object.union(nothing, claims), ["statements"])) == refused([reason])
	judged([f.everything], object.union(nothing, object.union(claims, {"class": "postgres.session.empty"}))) == refused([reason])
	judged([f.everything], object.union(nothing, object.union(claims, {"classes": ["postgres.session.empty"]}))) == refused([reason])
}

test_an_empty_string_is_read if {
	empty := {"parseable": true, "class": "postgres.session.empty", "classes": ["postgres.session.empty"]}
	judged([f.everything], object.union(nothing, empty)) == f.allowed(["everything"])
}
