package sallyport.rules.postgres.write_without_where_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.write_without_where", "title": "UPDATE and DELETE say which rows"}],
	reasons,
	"Add a WHERE clause that names the rows.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.write_without_where"]})

reason := "An UPDATE or DELETE has no WHERE clause."

whole(class) := f.statement({"class": class, "tables": [f.stock], "hasWhere": false})

test_update_refused if judged([f.everything], f.sql([whole("postgres.write.update")])) == refused([reason])

test_delete_refused if judged([f.everything], f.sql([whole("postgres.write.delete")])) == refused([reason])

test_refused_inside_a_read if judged([f.everything], f.sql([whole("postgres.read")])) == refused([reason])

test_refused_inside_an_insert if judged([f.everything], f.sql([whole("postgres.write.insert")])) == refused([reason])

test_refused_as_the_second_statement if {
	judged([f.everything], f.sql([f.statement({}), whole("postgres.write.delete")])) == refused([reason])
}

test_refused_when_the_question_was_not_answered if {
	operation := f.sql([f.statement({"class": "postgres.write.delete", "hasWhere": null})])
	judged([f.everything], operation) == refused([reason])
}

test_refused_without_the_fact if {
	operation := f.sql([object.remove(f.statement({"class": "postgres.write.update"}), ["hasWhere"])])
	judged([f.everything], operation) == refused([reason])
}

test_truncate_is_no_way_around if judged([f.everything], f.one("postgres.write.truncate", [f.stock])).decision == "deny"

test_with_where if {
	judged([f.everything], f.one("postgres.write.delete", [f.stock])) == f.allowed(["everything"])
	judged([f.everything], f.one("postgres.write.update", [f.stock])) == f.allowed(["everything"])
}

test_nothing_to_bound if judged([f.everything], f.one("postgres.write.insert", [f.stock])) == f.allowed(["everything"])

test_lifted if judged([lifting], f.sql([whole("postgres.write.delete")])) == f.allowed(["lifting"])
