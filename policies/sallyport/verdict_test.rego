# Longer than most: every decision of the one entrypoint, compared whole.
package sallyport_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

judged_for(principal, grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked_by(principal, operation) with data.grants as grants
}

read := f.one("postgres.read", [f.customers])

update := f.one("postgres.write.update", [f.stock])

reader := f.grant({"name": "reads", "allow": ["postgres.read"], "credential": "reader"})

writer := f.grant({"name": "writes", "allow": ["postgres.write"], "credential": "writer"})

careful := f.grant({
	"name": "careful",
	"hold": ["postgres.write"],
	"approval": {"groups": ["dba", "leads"], "count": 1, "windowMs": 600000},
})

with_profiles(verdict, profiles) := object.union(verdict, {"profiles": profiles})

# Nothing is allowed unless a grant says so.

test_no_grants_no_reach if judged([], read) == f.ungranted(["No grant lets you reach shop."])

test_no_document_no_reach if {
	verdict := data.sallyport.verdict with input as f.asked(read)
	verdict == f.ungranted(["No grant lets you reach shop."])
}

test_no_operation_is_denied if {
	verdict := data.sallyport.verdict with input as object.remove(f.asked(read), ["operation"]) with data.grants as [f.unruled]
	verdict == object.union(f.ungranted([]), {"rules_off": true})
}

test_empty_input_is_denied if {
	verdict := data.sallyport.verdict with input as {} with data.grants as [f.unruled]
	verdict.decision == "deny"
}

test_a_read_is_allowed if judged([reader], read) == with_profiles(f.allowed(["reads"]), ["reader"])

test_a_write_needs_its_own if {
	expected := f.ungranted(["No grant allows postgres.write.update of stock on shop."])
	judged([reader], update) == with_profiles(expected, ["reader"])
}

test_reasons_without_tables if {
	expected := f.ungranted(["No grant allows postgres.maintenance.vacuum on shop."])
	judged([reader], f.one("postgres.maintenance.vacuum", [])) == with_profiles(expected, ["reader"])
}

test_a_grant_without_phrases_allows_no_reading if {
	judged([f.grant({})], read) == f.ungranted(["No grant allows postgres.read of customers on shop."])
}

test_grants_add_up if {
	operation := f.sql([
		f.statement({"class": "postgres.read", "tables": [f.customers]}),
		f.statement({"class": "postgres.write.update", "tables": [f.stock], "hasWhere": true}),
	])
	judged([writer, reader], operation) == with_profiles(f.allowed(["reads", "writes"]), ["reader", "writer"])
}

test_each_statement_needs_a_grant if {
	operation := f.sql([
		f.statement({"class": "postgres.read", "tables": [f.customers]}),
		f.statement({"class": "postgres.write.update", "tables": [f.stock], "hasWhere": true}),
	])
	expected := f.ungranted(["No grant allows postgres.write.update of stock on shop."])
	judged([reader], operation) == with_profiles(expected, ["reader"])
}

test_a_class_of_the_operation_only_needs_a_grant if {
	expected := f.ungranted(["No grant allows postgres.write.insert on shop."])
	judged([reader], f.bare("postgres.write.insert")) == with_profiles(expected, ["reader"])
}

test_the_main_class_counts_when_the_list_lacks_it if {
	operation := object.union(read, {"class": "postgres.write.insert"})
	judged([reader], operation).decision == "deny"
}

test_a_statement_without_its_facts_is_denied if {
	operation := object.union(read, {"statements": [f.statement({}), {"class": "postgres.read"}]})
	judged([f.everything], operation).decision == "deny"
}

# The class tree.

test_a_node_covers_what_is_below if judged([f.grant({"allow": ["postgres"]})], update) == f.allowed(["crew"])

test_a_node_does_not_cover_its_neighbours if {
	judged([f.grant({"allow": ["postgres.read"]})], f.one("postgres.ready", [])).decision == "deny"
}

test_a_leaf_does_not_cover_its_parent if {
	judged([f.grant({"allow": ["postgres.write.update"]})], f.one("postgres.write", [])).decision == "deny"
}

test_star_covers_what_no_rule_forbids if judged([f.everything], update) == f.allowed(["everything"])

# Who and on.

test_who if {
	cases := {
		"subject glob": {"subjects": ["crew-*"]},
		"subject": {"subjects": ["crew-stock"]},
		"one character": {"subjects": ["crew-stoc?"]},
		"anybody": {"subjects": ["*"]},
		"second of a list": {"subjects": ["nobody", "crew-*"]},
		"group": {"groups": ["analysts"]},
		"kind": {"kinds": ["workload"]},
		"provider": {"providers": ["corp"]},
		"issuer": {"issuers": ["https://idp.example"]},
		"both": {"subjects": ["crew-*"], "groups": ["anal*"]},
	}
	matching := {name |
		some name, who in cases
		judged([grant_for(who)], read).decision == "allow"
	}
	matching == object.keys(cases)
}

grant_for(who) := object.union(object.remove(f.grant({"allow": ["postgres.read"]}), ["who"]), {"who": who})

grant_on(on) := object.union(object.remove(f.grant({"allow": ["postgres.read"]}), ["on"]), {"on": on})

test_who_not if {
	cases := {
		"nobody": {},
		"other": {"subjects": ["crew"]},
		"case": {"subjects": ["CREW-*"]},
		"prefix": {"subjects": ["crew-stoc"]},
		"not a pattern of its own": {"subjects": ["crew.stock"]},
		"group": {"groups": ["dba"]},
		"person": {"kinds": ["person"]},
		"provider": {"providers": ["local"]},
		"issuer": {"issuers": ["https://idp.example.evil"]},
		"one of two": {"subjects": ["crew-*"], "groups": ["dba"]},
		"actors": {"actors": ["*"]},
		"unknown key": {"subjects": ["*"], "claims": ["*"]},
	}
	matching := {name |
		some name, who in cases
		judged([grant_for(who)], read).decision == "allow"
	}
	matching == set()
}

test_who_by_actor if {
	principal := object.union(f.dba, {"actors": [{"subject": "crew-a"}, {"subject": "orchestrator"}]})
	judged_for(principal, [grant_for({"actors": ["orch*"]})], read) == f.allowed(["crew"])
}

test_a_name_with_a_line_feed_is_matched_too if {
	principal := object.union(f.agent, {"subject": "crew-\nstock"})
	judged_for(principal, [reader], read).decision == "allow"
}

test_on if {
	cases := {
		"name": {"names": ["shop"]},
		"glob": {"names": ["s*p"]},
		"kind": {"kinds": ["postgres"]},
		"label": {"labels": {"env": "prod"}},
		"labels": {"labels": {"env": "pr*", "data": "*"}},
		"both": {"names": ["*"], "labels": {"env": "prod"}},
	}
	matching := {name |
		some name, on in cases
		judged([grant_on(on)], read).decision == "allow"
	}
	matching == object.keys(cases)
}

test_on_not if {
	cases := {
		"nothing": {},
		"name": {"names": ["shop2"]},
		"kind": {"kinds": ["ssh"]},
		"label": {"labels": {"env": "test"}},
		"label it lacks": {"labels": {"team": "*"}},
		"one of two": {"names": ["shop"], "labels": {"env": "test"}},
		"unknown key": {"names": ["shop"], "regions": ["eu"]},
	}
	matching := {name |
		some name, on in cases
		judged([grant_on(on)], read).decision == "allow"
	}
	matching == set()
}

# Opening a session and keeping house in it.

test_connect_with_any_grant if {
	judged([writer, reader], f.connect) == with_profiles(f.allowed(["reads", "writes"]), ["reader", "writer"])
}

test_connect_without_grant if judged([], f.connect) == f.ungranted(["No grant lets you reach shop."])

test_connect_is_no_cover_for_other_classes if {
	operation := {"kind": "connect", "class": "postgres.connect", "classes": ["postgres.connect", "postgres.read"]}
	judged([writer], operation).decision == "deny"
}

test_connect_class_in_a_statement_is_not_housekeeping if judged([reader], f.one("postgres.connect", [])).decision == "deny"

test_housekeeping_with_any_grant if {
	kept := {class |
		some class in ["begin", "commit", "execute", "rollback", "savepoint", "set", "set_path", "show"]
		judged([writer], f.one(concat(".", ["postgres.session", class]), [])) == with_profiles(f.allowed(["writes"]), ["writer"])
	}
	count(kept) == 8
}

test_housekeeping_without_grant if {
	judged([], f.one("postgres.session.begin", [])) == f.ungranted(["No grant lets you reach shop."])
}

test_housekeeping_does_not_change_roles_or_parsing if {
	refused := {class |
		some class in ["set_role", "set_session_authorization", "set_parsing"]
		judged([writer], f.one(concat(".", ["postgres.session", class]), [])).decision == "deny"
	}
	count(refused) == 3
}

test_a_hold_on_everything_spares_housekeeping if {
	held := object.union(careful, {"hold": ["*"]})
	judged([held], f.one("postgres.session.begin", [])) == f.allowed(["careful"])
	judged([held], f.connect) == f.allowed(["careful"])
}

test_a_hold_may_name_housekeeping if {
	judged([object.union(careful, {"hold": ["postgres.session.set"]})], f.one("postgres.session.set", [])).decision == "hold"
	judged([object.union(careful, {"hold": ["postgres.connect"]})], f.connect).decision == "hold"
}

# Holds.

hold_of(reasons, approval) := {
	"decision": "hold",
	"rules": [{"path": "sallyport.grant", "title": "careful"}],
	"reasons": reasons,
	"hint": null,
	"masks": [],
	"row_limit": null,
	"profiles": [],
	"approval": approval,
	"rules_off": false,
}

test_a_hold_permits_after_approval if {
	expected := hold_of(
		["postgres.write.update on shop waits for approval."],
		{"groups": ["dba", "leads"], "count": 1, "window_ms": 600000},
	)
	judged([careful], update) == expected
}

test_an_allow_does_not_undo_a_hold if {
	judged([f.everything, careful], update).decision == "hold"
}

test_a_hold_leaves_the_rest_alone if judged([reader, careful], read).decision == "allow"

test_one_held_statement_holds_the_string if {
	operation := f.sql([
		f.statement({"class": "postgres.read", "tables": [f.customers]}),
		f.statement({"class": "postgres.write.update", "tables": [f.stock], "hasWhere": true}),
	])
	judged([reader, careful], operation).decision == "hold"
}

test_reading_on_the_way_to_writing_is_held if {
	operation := f.one("postgres.write.insert", [f.stock, f.customers])
	held := object.union(careful, {"hold": ["postgres.read"]})
	judged([writer, held], operation).decision == "hold"
	judged([writer, held], f.one("postgres.write.insert", [f.stock])).decision == "allow"
}

test_the_strictest_of_two_holds if {
	other := object.union(careful, {"name": "more careful", "approval": {"groups": ["leads"], "count": 2, "windowMs": 1000}})
	judged([careful, other], update).approval == {"groups": ["leads"], "count": 2, "window_ms": 1000}
}

test_a_hold_that_nobody_can_answer_is_a_deny if {
	other := object.union(careful, {"name": "other", "approval": {"groups": ["security"], "count": 1, "windowMs": 1000}})
	judged([careful, other], update) == f.denied(
		[{"path": "sallyport.hold", "title": "A hold needs somebody who may approve it"}],
		["The grants that hold this operation have no group in common that may approve it."],
		null,
	)
}

test_a_hold_without_approval_is_a_deny if {
	judged([object.remove(careful, ["approval"])], update).decision == "deny"
}

test_a_hold_does_not_lift_a_rule if {
	operation := f.sql([f.statement({"class": "postgres.write.delete", "tables": [f.stock], "hasWhere": false})])
	judged([careful], operation).decision == "deny"
}

# Masks, limits, rules off.

card := {"column": "public.customers.card", "with": "redact"}

email := {"column": "public.customers.email", "with": "partial"}

test_masks_of_every_grant_that_speaks if {
	masked := f.grant({"name": "masked", "allow": ["postgres.write"], "mask": [email, card]})
	judged([f.everything, masked], read) == object.union(f.allowed(["everything"]), {"masks": [card, email]})
}

test_masks_hold_with_rules_off if {
	masked := f.grant({"name": "masked", "mask": [card]})
	expected := object.union(f.allowed(["test database"]), {"masks": [card], "rules_off": true})
	judged([f.unruled, masked], f.sql([f.statement({"dynamic": true})])) == expected
}

test_masks_of_others_do_not_apply if {
	judged([reader, grant_for({"groups": ["dba"]}), object.union(grant_for({"groups": ["dba"]}), {"mask": [card]})], read).masks == []
}

test_a_mask_alone_allows_nothing if judged([f.grant({"mask": [card]})], read).decision == "deny"

test_the_smallest_limit if {
	some_rows := f.grant({"name": "some", "limits": {"rows": 1000}})
	few_rows := f.grant({"name": "few", "limits": {"rows": 10}})
	judged([f.everything, some_rows, few_rows], read) == object.union(f.allowed(["everything"]), {"row_limit": 10})
}

test_rules_off_lifts_every_rule if {
	operation := f.sql([f.statement({"class": "postgres.unknown", "unresolved": ["x"], "dynamic": true, "hasWhere": false, "copy": "program"})])
	judged([f.unruled], operation) == object.union(f.allowed(["test database"]), {"rules_off": true})
}

test_rules_off_lifts_only_for_what_the_grant_permits if {
	narrow := f.grant({"name": "narrow", "allow": ["postgres.read"], "rules": "off"})
	operation := f.sql([f.statement({"class": "postgres.write.delete", "tables": [f.stock], "hasWhere": false})])
	verdict := judged([f.everything, narrow], operation)
	verdict.decision == "deny"
	verdict.rules_off == true
}

test_rules_off_of_others_does_not_apply if {
	others := object.union(grant_for({"groups": ["dba"]}), {"allow": ["*"], "rules": "off"})
	verdict := judged([f.everything, others], f.sql([f.statement({"dynamic": true})]))
	verdict.decision == "deny"
	verdict.rules_off == false
}

test_one_rule_is_lifted_by_name if {
	lifting := f.grant({"name": "lifting", "allow": ["postgres.write"], "lift": ["sallyport.rules.postgres.write_without_where"]})
	all_rows := f.sql([f.statement({"class": "postgres.write.delete", "tables": [f.stock], "hasWhere": false})])
	judged([lifting], all_rows) == f.allowed(["lifting"])
	judged([lifting], f.sql([f.statement({"class": "postgres.write.delete", "hasWhere": false, "dynamic": true})])).decision == "deny"
}

test_lifting_for_one_statement_leaves_the_other if {
	lifting := f.grant({"name": "lifting", "allow": ["postgres.write.delete"], "lift": ["sallyport.rules.postgres.write_without_where"]})
	operation := f.sql([
		f.statement({"class": "postgres.write.delete", "tables": [f.stock], "hasWhere": false}),
		f.statement({"class": "postgres.write.update", "tables": [f.stock], "hasWhere": false}),
	])
	judged([f.everything, lifting], operation).decision == "deny"
}

# Grants narrowed to tables.

narrow_read(tables) := f.grant({"name": "narrow", "allow": ["postgres.read"], "tables": tables})

table(schema, name) := {"schema": schema, "name": name, "access": "read"}

test_narrowed_to_tables if {
	allowed := {pattern |
		some pattern in ["public.customers", "public.cust*", "public.*", "*.customers", "*.*"]
		judged([narrow_read([pattern])], read) == f.allowed(["narrow"])
	}
	count(allowed) == 5
}

test_narrowed_not if {
	allowed := {pattern |
		some pattern in ["public.orders", "secret.*", "secret.customers", "*.customer", "public.customers2", "customers", "public"]
		judged([narrow_read([pattern])], read).decision == "allow"
	}
	allowed == set()
}

test_every_table_must_be_covered if {
	operation := f.one("postgres.read", [f.customers, table("public", "salaries")])
	judged([narrow_read(["public.customers"])], operation).decision == "deny"
	judged([narrow_read(["public.customers", "public.salaries"])], operation).decision == "allow"
	judged([narrow_read(["public.customers"]), narrow_read(["public.salaries"])], operation).decision == "allow"
}

test_narrowed_to_no_table if {
	judged([narrow_read([])], read).decision == "deny"
	judged([narrow_read([])], f.one("postgres.read", [])).decision == "allow"
}

test_a_name_without_schema_is_one_in_public if {
	judged([narrow_read(["public.*"])], f.one("postgres.read", [table(null, "customers")])).decision == "allow"
	judged([narrow_read(["secret.*"])], f.one("postgres.read", [table(null, "customers")])).decision == "deny"
}

test_a_catalog_is_not_in_public if {
	judged([narrow_read(["public.*"])], f.one("postgres.read", [table(null, "pg_authid")])).decision == "deny"
	judged([narrow_read(["pg_catalog.pg_class"])], f.one("postgres.read", [table(null, "pg_class")])).decision == "allow"
}

test_a_schema_with_a_dot_is_not_two_names if {
	judged([narrow_read(["a.*"])], f.one("postgres.read", [table("a.b", "c")])).decision == "deny"
}

test_the_search_path_stays_while_a_grant_is_narrowed if {
	set_path := f.one("postgres.session.set_path", [])
	judged([narrow_read(["public.*"])], set_path).decision == "deny"
	judged([narrow_read(["public.*"]), writer], set_path).decision == "deny"
	judged([narrow_read(["public.*"]), f.everything], set_path).decision == "allow"
}

test_a_narrowed_grant_permits_nothing_opaque if {
	cases := {
		"dynamic": {"dynamic": true},
		"unresolved": {"unresolved": ["f()"]},
		"call": {"class": "postgres.write.call"},
	}
	lifted := f.grant({"name": "narrow", "allow": ["*"], "rules": "off", "tables": ["*.*"]})
	allowed := {name | some name, facts in cases; judged([lifted], f.sql([f.statement(facts)])).decision == "allow"}
	allowed == set()
	judged([lifted], f.bare("postgres.write.insert")).decision == "allow"
	judged([lifted], f.bare("postgres.write.call")).decision == "deny"
	judged([lifted], object.union(f.bare("postgres.write.insert"), {"statements": []})).decision == "deny"
}

test_a_class_of_the_operation_with_opaque_statements_is_opaque if {
	operation := object.union(f.bare("postgres.write.insert"), {"statements": [f.statement({"dynamic": true})]})
	judged([f.grant({"name": "narrow", "allow": ["*"], "rules": "off", "tables": ["*.*"]})], operation).decision == "deny"
}

test_reads_of_a_write_may_come_from_a_grant_to_read if {
	operation := f.one("postgres.write.insert", [f.stock, f.customers])
	narrow_write := f.grant({"name": "stock", "allow": ["postgres.write"], "tables": ["public.stock"]})
	judged([narrow_write], operation).decision == "deny"
	judged([narrow_write, reader], operation).decision == "allow"
	judged([narrow_write, narrow_read(["public.customers"])], operation).decision == "allow"
}

test_a_listed_read_is_about_what_is_read if {
	operation := object.union(
		f.one("postgres.write.insert", [f.stock, f.customers]),
		{"classes": ["postgres.read", "postgres.write.insert"]},
	)
	narrow_write := f.grant({"name": "stock", "allow": ["postgres.write"], "tables": ["public.stock"]})
	judged([narrow_write], operation).decision == "deny"
	judged([narrow_write, narrow_read(["public.customers"])], operation) == f.allowed(["narrow", "stock"])
	judged([narrow_write, narrow_read(["public.orders"])], operation).decision == "deny"
	judged([writer], operation).decision == "deny"
}

test_writes_do_not_come_from_a_grant_to_read if {
	operation := f.one("postgres.write.insert", [f.stock])
	other := f.grant({"name": "other", "allow": ["postgres.write"], "tables": ["public.other"]})
	judged([other, reader], operation).decision == "deny"
}

test_a_narrowed_hold_holds_what_may_touch_its_tables if {
	held := object.union(careful, {"tables": ["public.stock"]})
	hits := {
		"the table": f.one("postgres.write.update", [f.stock]),
		"among others": f.one("postgres.write.update", [f.stock, f.customers]),
		"without schema": f.one("postgres.write.update", [object.union(f.stock, {"schema": null})]),
		"opaque": f.sql([f.statement({"class": "postgres.write.call"})]),
	}
	misses := {
		"other table": f.one("postgres.write.update", [object.union(f.stock, {"name": "orders"})]),
		"other schema": f.one("postgres.write.update", [object.union(f.stock, {"schema": "other"})]),
		"none": f.one("postgres.write.update", []),
	}
	{name | some name, operation in hits; judged([f.everything, held], operation).decision == "hold"} == object.keys(hits)
	{name | some name, operation in misses; judged([f.everything, held], operation).decision == "allow"} == object.keys(misses)
}

test_a_narrowed_hold_follows_a_name_without_schema_everywhere if {
	held := object.union(careful, {"tables": ["secret.stock"]})
	judged([f.everything, held], f.one("postgres.write.update", [object.union(f.stock, {"schema": null})])).decision == "hold"
}

# Found by leaving out one condition at a time.

test_a_statement_without_its_facts_is_denied_with_rules_off_too if {
	operation := object.union(read, {"statements": [f.statement({}), object.remove(f.statement({}), ["tables"])]})
	verdict := judged([f.unruled], operation)
	verdict.decision == "deny"
	verdict.rules == [{"path": "sallyport.default", "title": "Nothing is allowed unless a grant says so"}]
}

test_a_narrowed_grant_lifts_no_rule_for_what_is_opaque if {
	narrow := f.grant({"name": "narrow", "allow": ["*"], "rules": "off", "tables": ["*.*"]})
	judged([f.everything, narrow], f.sql([f.statement({"dynamic": true, "tables": [f.customers]})])).decision == "deny"
}

held_reading(patterns) := object.union(careful, {"hold": ["postgres.read"], "tables": patterns})

test_a_narrowed_hold_on_reading if {
	operation := f.one("postgres.write.insert", [f.stock, f.customers])
	judged([f.everything, held_reading(["public.customers"])], operation).decision == "hold"
	judged([f.everything, held_reading(["public.stock"])], operation).decision == "allow"
	judged([f.everything, held_reading(["public.orders"])], operation).decision == "allow"
}

test_a_narrowed_hold_spares_another_name_without_schema if {
	held := object.union(careful, {"tables": ["public.stock"]})
	orders := {"schema": null, "name": "orders", "access": "write"}
	judged([f.everything, held], f.one("postgres.write.update", [orders])).decision == "allow"
}

test_a_hold_names_what_waits_and_nothing_else if {
	operation := f.sql([
		f.statement({"class": "postgres.read", "tables": [f.customers]}),
		f.statement({"class": "postgres.write.update", "tables": [f.stock], "hasWhere": true}),
	])
	expected := hold_of(
		["postgres.write.update on shop waits for approval."],
		{"groups": ["dba", "leads"], "count": 1, "window_ms": 600000},
	)
	judged([reader, careful], operation) == with_profiles(expected, ["reader"])
}

test_what_is_denied_anyway_does_not_speak_of_its_hold if {
	other := object.union(careful, {"name": "other", "approval": {"groups": ["security"], "count": 1, "windowMs": 1000}})
	operation := f.sql([
		f.statement({"class": "postgres.maintenance.vacuum"}),
		f.statement({"class": "postgres.write.update", "tables": [f.stock], "hasWhere": true}),
	])
	judged([careful, other], operation) == f.ungranted(["No grant allows postgres.maintenance.vacuum on shop."])
}

test_a_hold_for_no_count_or_no_time_is_a_deny if {
	every part in [{"count": 0}, {"windowMs": 0}, {"groups": []}] {
		judged([object.union(careful, {"approval": part})], update).decision == "deny"
	}
}
