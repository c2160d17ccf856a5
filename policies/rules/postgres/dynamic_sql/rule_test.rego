package sallyport.rules.postgres.dynamic_sql_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.dynamic_sql", "title": "SQL inside a string is not run unread"}],
	reasons,
	"Send the SQL itself as a statement.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.dynamic_sql"]})

reason := "The statement runs SQL from a string that nobody has read."

test_refused if judged([f.everything], f.sql([f.statement({"dynamic": true})])) == refused([reason])

test_refused_by_class_without_the_fact if judged([f.everything], f.one("postgres.dynamic.do", [])) == refused([reason])

test_refused_without_any_fact if {
	judged([f.everything], f.sql([object.remove(f.statement({}), ["dynamic"])])).decision == "deny"
}

test_refused_functions if {
	every name in {"query_to_xml", "pg_catalog.query_to_xml", "dblink", "public.dblink_exec", "table_to_xml", "ts_stat", "cursor_to_xml", "crosstab"} {
		judged([f.everything], f.sql([f.statement({"functions": [name]})])) == refused([reason])
	}
}

test_refused_in_the_second_statement if {
	judged([f.everything], f.sql([f.statement({}), f.statement({"dynamic": true})])) == refused([reason])
}

test_refused_on_the_operation_only if {
	judged([f.everything], f.bare("postgres.dynamic.execute")) == refused(["postgres.dynamic.execute runs SQL that nobody has read."])
}

test_other_functions if judged([f.everything], f.sql([f.statement({"functions": ["lower", "xmlparse"]})])) == f.allowed(["everything"])

test_lifted if judged([lifting], f.one("postgres.dynamic.do", [])) == f.allowed(["lifting"])
