package sallyport.rules.postgres.unknown_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.unknown", "title": "A statement of an unknown kind is not run"}],
	reasons,
	"Use a statement that the gateway knows.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.unknown"]})

reason := "The statement is of a kind that policy does not know."

test_refused if judged([f.everything], f.one("postgres.unknown", [])) == refused([reason])

test_refused_as_a_node_below if judged([f.everything], f.one("postgres.unknown.new_stmt", [])) == refused([reason])

test_refused_after_a_known_one if {
	judged([f.everything], f.sql([f.statement({}), f.statement({"class": "postgres.unknown"})])) == refused([reason])
}

test_refused_on_the_operation_only if judged([f.everything], f.bare("postgres.unknown")) == refused([reason])

test_lifted if judged([lifting], f.one("postgres.unknown", [])) == f.allowed(["lifting"])
