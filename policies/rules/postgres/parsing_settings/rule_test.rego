package sallyport.rules.postgres.parsing_settings_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.parsing_settings", "title": "How SQL is read stays as it is"}],
	reasons,
	"Leave the parser's settings at their defaults.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.parsing_settings"]})

reason := "The setting changes how the server reads the statements that follow."

test_refused if judged([f.everything], f.one("postgres.session.set_parsing", [])) == refused([reason])

test_refused_in_the_second_statement if {
	operation := f.sql([f.statement({}), f.statement({"class": "postgres.session.set_parsing"})])
	judged([f.everything], operation) == refused([reason])
}

test_refused_on_the_operation_only if judged([f.everything], f.bare("postgres.session.set_parsing")) == refused([reason])

test_other_settings if judged([f.everything], f.one("postgres.session.set", [])) == f.allowed(["everything"])

test_lifted if judged([lifting], f.one("postgres.session.set_parsing", [])) == f.allowed(["lifting"])
