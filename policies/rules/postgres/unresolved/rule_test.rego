package sallyport.rules.postgres.unresolved_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.unresolved", "title": "A statement whose reach cannot be told is not run"}],
	reasons,
	"Name tables and columns plainly, without the part that was refused.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.unresolved"]})

test_refused if {
	operation := f.sql([f.statement({"unresolved": ["SELECT FROM f()"]})])
	judged([f.everything], operation) == refused(["It can't be told what this touches: SELECT FROM f()."])
}

test_each_part_is_a_reason if {
	operation := f.sql([f.statement({"unresolved": ["b", "a"]})])
	judged([f.everything], operation) == refused(["It can't be told what this touches: a.", "It can't be told what this touches: b."])
}

test_refused_in_the_second_statement if {
	operation := f.sql([f.statement({}), f.statement({"unresolved": ["a"]})])
	judged([f.everything], operation) == refused(["It can't be told what this touches: a."])
}

test_lifted if judged([lifting], f.sql([f.statement({"unresolved": ["a"]})])) == f.allowed(["lifting"])

test_resolved if judged([f.everything], f.sql([f.statement({})])) == f.allowed(["everything"])
