# METADATA
# title: What tests are made of
package sallyport.fixtures

agent := {
	"subject": "crew-stock",
	"issuer": "https://idp.example",
	"provider": "corp",
	"kind": "workload",
	"groups": ["analysts"],
	"actors": [],
}

dba := {
	"subject": "dana",
	"issuer": "https://idp.example",
	"provider": "corp",
	"kind": "person",
	"groups": ["dba"],
	"actors": [],
}

shop := {"name": "shop", "kind": "postgres", "labels": {"env": "prod", "data": "customer"}}

customers := {"schema": "public", "name": "customers", "access": "read"}

stock := {"schema": "public", "name": "stock", "access": "write"}

# METADATA
# description: One statement; `facts` replace the plain ones.
statement(facts) := object.union(
	{
		"kind": "select",
		"class": "postgres.read",
		"tables": [],
		"columns": [],
		"functions": [],
		"hasWhere": null,
		"locks": null,
		"dynamic": false,
		"unresolved": [],
	},
	facts,
)

# METADATA
# description: An operation of these statements and nothing else.
sql(statements) := {
	"kind": "postgres",
	"class": statements[0].class,
	"classes": sort({each.class | some each in statements}),
	"parseable": true,
	"fingerprint": "f",
	"normalized": "n",
	"statements": statements,
}

# METADATA
# description: A single statement of that class, on those tables.
one(class, tables) := sql([statement({"class": class, "tables": tables, "hasWhere": has_where(class)})])

has_where(class) if class in {"postgres.write.update", "postgres.write.delete"}

else := null

# METADATA
# description: An operation whose statements do not carry the class.
bare(class) := object.union(sql([statement({})]), {"class": class, "classes": [class, "postgres.read"]})

connect := {"kind": "connect", "class": "postgres.connect", "classes": ["postgres.connect"]}

# METADATA
# description: The crew's input for an operation on the shop.
asked(operation) := asked_by(agent, operation)

asked_by(principal, operation) := {
	"principal": principal,
	"session": {"id": "s1", "run": null, "operations": 0, "rows": 0, "bytes": 0, "denials": 0},
	"resource": shop,
	"operation": operation,
	"time": "2026-01-01T00:00:00Z",
}

# METADATA
# description: A grant to the crew on the shop.
grant(more) := object.union({"name": "crew", "who": {"subjects": ["crew-*"]}, "on": {"names": ["shop"]}}, more)

everything := grant({"name": "everything", "allow": ["*"]})

unruled := grant({"name": "test database", "allow": ["*"], "rules": "off"})

# METADATA
# description: An allow by those grants, with nothing to it.
allowed(names) := {
	"decision": "allow",
	"rules": [{"path": "sallyport.grant", "title": name} | some name in names],
	"reasons": [],
	"hint": null,
	"masks": [],
	"row_limit": null,
	"profiles": [],
	"approval": null,
	"rules_off": false,
}

# METADATA
# description: A deny for those reasons.
denied(rules, reasons, hint) := {
	"decision": "deny",
	"rules": rules,
	"reasons": reasons,
	"hint": hint,
	"masks": [],
	"row_limit": null,
	"profiles": [],
	"approval": null,
	"rules_off": false,
}

# METADATA
# description: The default deny.
ungranted(reasons) := denied(
	[{"path": "sallyport.default", "title": "Nothing is allowed unless a grant says so"}],
	reasons,
	"Ask for a grant that covers it, or do without.",
)
