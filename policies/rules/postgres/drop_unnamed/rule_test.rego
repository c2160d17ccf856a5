package sallyport.rules.postgres.drop_unnamed_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.drop_unnamed", "title": "Dropping things is granted by name"}],
	reasons,
	"Ask for a grant that names postgres.ddl.drop.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.drop_unnamed"]})

reason := "DROP is allowed only by a grant that names it."

operation := f.one("postgres.ddl.drop", [f.stock])

test_refused if judged([f.everything], operation) == refused([reason])

test_refused_to_a_blanket_node if {
	every node in {"postgres"} {
		judged([f.grant({"allow": [node]})], operation) == refused([reason])
	}
}

test_refused_in_the_second_statement if {
	judged([f.everything], f.sql([f.statement({}), f.statement({"class": "postgres.ddl.drop"})])) == refused([reason])
}

test_refused_on_the_operation_only if judged([f.everything], f.bare("postgres.ddl.drop")) == refused([reason])

test_refused_to_one_that_names_it_for_another_table if {
	narrow := f.grant({"name": "narrow", "allow": ["postgres.ddl.drop"], "tables": ["public.orders"]})
	judged([f.everything, narrow], operation) == refused([reason])
}

test_refused_to_one_that_names_it_for_others if {
	others := {"name": "others", "who": {"groups": ["dba"]}, "on": {"names": ["shop"]}, "allow": ["postgres.ddl.drop"]}
	judged([f.everything, others], operation) == refused([reason])
}

test_named if {
	every node in {"postgres.ddl", "postgres.ddl.drop"} {
		judged([f.grant({"allow": [node]})], operation) == f.allowed(["crew"])
	}
	judged([f.grant({"allow": ["postgres.ddl.drop", "postgres.read"]})], f.bare("postgres.ddl.drop")) == f.allowed(["crew"])
}

test_named_in_a_hold if {
	approval := {"groups": ["dba"], "count": 1, "windowMs": 1000}
	judged([f.grant({"hold": ["postgres.ddl.drop"], "approval": approval})], operation).decision == "hold"
	judged([f.everything, f.grant({"hold": ["postgres.ddl.drop"], "approval": approval})], operation).decision == "hold"
}

test_lifted if judged([lifting], operation) == f.allowed(["lifting"])

test_refused_to_one_that_names_a_neighbour if {
	judged([f.grant({"allow": ["*", "postgres.ddl.create"]})], operation) == refused([reason])
}

test_refused_for_the_one_of_two_that_is_not_named if {
	narrow := f.grant({"name": "narrow", "allow": ["postgres.ddl.drop"], "tables": ["public.stock"]})
	both := f.sql([
		f.statement({"class": "postgres.ddl.drop", "tables": [f.stock]}),
		f.statement({"class": "postgres.ddl.drop", "tables": [f.customers]}),
	])
	judged([f.everything, narrow], both) == refused([reason])
}
