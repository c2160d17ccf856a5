package sallyport.rules.postgres.privileges_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.privileges", "title": "Roles and privileges are not for agents to change"}],
	reasons,
	"Ask whoever administers the database.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.privileges"]})

test_refused if {
	classes := {"postgres.privilege.grant", "postgres.privilege", "postgres.session.set_role", "postgres.session.set_session_authorization"}
	every class in classes {
		judged([f.everything], f.one(class, [])) == refused([concat("", [class, " changes who may do what."])])
	}
}

test_refused_as_an_ordinary_setting if {
	every setting in {"role", "session_authorization"} {
		operation := f.sql([f.statement({"class": "postgres.session.set", "setting": setting})])
		judged([f.everything], operation) == refused([concat("", ["Setting ", setting, " changes who asks."])])
	}
}

test_refused_as_reset_in_the_second_statement if {
	operation := f.sql([f.statement({}), f.statement({"class": "postgres.session.reset", "setting": "role"})])
	judged([f.everything], operation) == refused(["Setting role changes who asks."])
}

test_refused_on_the_operation_only if {
	judged([f.everything], f.bare("postgres.privilege.grant")) == refused(["postgres.privilege.grant changes who may do what."])
}

test_naming_it_does_not_lift_it if judged([f.grant({"allow": ["postgres.privilege"]})], f.one("postgres.privilege.grant", [])).decision == "deny"

test_other_settings if {
	operation := f.sql([f.statement({"class": "postgres.session.set", "setting": "statement_timeout"})])
	judged([f.everything], operation) == f.allowed(["everything"])
}

test_show_role if {
	operation := f.sql([f.statement({"class": "postgres.session.show", "setting": "role"})])
	judged([f.everything], operation) == f.allowed(["everything"])
}

test_lifted if judged([lifting], f.one("postgres.privilege.grant", [])) == f.allowed(["lifting"])
