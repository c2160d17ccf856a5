package sallyport.rules.postgres.truncate_unnamed_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.truncate_unnamed", "title": "Emptying a table is granted by name"}],
	reasons,
	"Delete with a WHERE clause, or ask for a grant that names postgres.write.truncate.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.truncate_unnamed"]})

reason := "TRUNCATE is allowed only by a grant that names it."

operation := f.one("postgres.write.truncate", [f.stock])

test_refused if judged([f.everything], operation) == refused([reason])

test_refused_to_a_blanket_node if {
	every node in {"postgres", "postgres.write"} {
		judged([f.grant({"allow": [node]})], operation) == refused([reason])
	}
}

test_refused_in_the_second_statement if {
	judged([f.everything], f.sql([f.statement({}), f.statement({"class": "postgres.write.truncate"})])) == refused([reason])
}

test_refused_on_the_operation_only if judged([f.everything], f.bare("postgres.write.truncate")) == refused([reason])

test_refused_to_one_that_names_it_for_another_table if {
	narrow := f.grant({"name": "narrow", "allow": ["postgres.write.truncate"], "tables": ["public.orders"]})
	judged([f.everything, narrow], operation) == refused([reason])
}

test_refused_to_one_that_names_it_for_others if {
	others := {"name": "others", "who": {"groups": ["dba"]}, "on": {"names": ["shop"]}, "allow": ["postgres.write.truncate"]}
	judged([f.everything, others], operation) == refused([reason])
}

test_named if {
	every node in {"postgres.write.truncate"} {
		judged([f.grant({"allow": [node]})], operation) == f.allowed(["crew"])
	}
	judged([f.grant({"allow": ["postgres.write.truncate", "postgres.read"]})], f.bare("postgres.write.truncate")) == f.allowed(["crew"])
}

test_named_in_a_hold if {
	approval := {"groups": ["dba"], "count": 1, "windowMs": 1000}
	judged([f.grant({"hold": ["postgres.write.truncate"], "approval": approval})], operation).decision == "hold"
	judged([f.everything, f.grant({"hold": ["postgres.write.truncate"], "approval": approval})], operation).decision == "hold"
}

test_lifted if judged([lifting], operation) == f.allowed(["lifting"])

test_refused_to_one_that_names_a_neighbour if {
	judged([f.grant({"allow": ["*", "postgres.write.truncate.other"]})], operation) == refused([reason])
}

test_refused_for_the_one_of_two_that_is_not_named if {
	narrow := f.grant({"name": "narrow", "allow": ["postgres.write.truncate"], "tables": ["public.stock"]})
	both := f.sql([
		f.statement({"class": "postgres.write.truncate", "tables": [f.stock]}),
		f.statement({"class": "postgres.write.truncate", "tables": [f.customers]}),
	])
	judged([f.everything, narrow], both) == refused([reason])
}
