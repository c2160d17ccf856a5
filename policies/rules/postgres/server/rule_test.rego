package sallyport.rules.postgres.server_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.server", "title": "The server itself is not for agents to change"}],
	reasons,
	"Ask whoever administers the database.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.server"]})

test_refused if {
	every class in {"postgres.server", "postgres.server.alter_system", "postgres.server.extension"} {
		judged([f.everything], f.one(class, [])) == refused([concat("", [class, " reaches beyond the database's data."])])
	}
}

test_refused_on_the_operation_only if {
	judged([f.everything], f.bare("postgres.server.load")) == refused(["postgres.server.load reaches beyond the database's data."])
}

test_naming_it_does_not_lift_it if judged([f.grant({"allow": ["postgres.server"]})], f.one("postgres.server.load", [])).decision == "deny"

test_lifted if judged([lifting], f.one("postgres.server.load", [])) == f.allowed(["lifting"])
