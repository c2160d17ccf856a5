# METADATA
# title: What an operation needs, and who gives it
# description: |
#   A need is one class together with the tables it is about. An operation is permitted when each of its needs is.
# schemas:
#   - input: schema.input
#   - data.grants: schema.grants
package sallyport.needs

import data.sallyport.classes
import data.sallyport.grants
import data.sallyport.tables

# METADATA
# description: Every need of the operation. `statement` is its index, or -1 for a class that no statement carries.
all := of_statements | of_operation

of_statements contains need if {
	some index, statement in statements
	need := {
		"class": statement.class,
		"statement": index,
		"tables": statement.tables,
		"opaque": is_opaque(statement),
	}
}

# A class in the operation's list that is not the main one of any statement: reading on the way to writing, say.
of_operation contains need if {
	some class in (operation_classes - {need.class | some need in of_statements})
	need := {
		"class": class,
		"statement": -1,
		"tables": [table | some statement in statements; some table in statement.tables; concerns(class, table)],
		"opaque": is_obscure(class),
	}
}

# METADATA
# description: Each statement has its need. One that lacks a fact this policy reads has none, and is not granted.
complete if count(of_statements) == count(statements)

# METADATA
# description: The needs that no grant permits.
missing contains need if {
	some need in all
	not permitted(need)
}

# METADATA
# description: The grants that permit some need, for the record of an allow.
granting contains grant if {
	some need in all
	some grant in grants.speaking
	grants.permits_class(grant, need.class)
}

granting contains grant if {
	some need in all
	is_housekeeping(need.class)
	some grant in grants.speaking
}

# METADATA
# description: The grants that ask for approval of this operation.
holding contains grant if {
	some need in all
	some grant in grants.speaking
	holds(grant, need)
}

# METADATA
# description: The needs that wait for approval.
held contains need if {
	some need in all
	some grant in grants.speaking
	holds(grant, need)
}

# METADATA
# description: The grant by itself permits the need, tables included.
gives(grant, need) if {
	grants.permits_class(grant, need.class)
	not tables.narrowed(grant)
}

gives(grant, need) if {
	grants.permits_class(grant, need.class)
	not need.opaque
	every table in need.tables {
		tables.covers(grant, table)
	}
}

# METADATA
# description: Opening a session, and keeping house in it, is for whoever has any grant here.
permitted(need) if {
	is_housekeeping(need.class)
	count(grants.speaking) > 0
}

# One grant that is not narrowed is enough.
permitted(need) if {
	some grant in grants.speaking
	not tables.narrowed(grant)
	grants.permits_class(grant, need.class)
}

# Else grants add up table by table.
permitted(need) if {
	not need.opaque
	some giver in grants.speaking
	grants.permits_class(giver, need.class)
	every table in need.tables {
		some grant in grants.speaking
		tables.covers(grant, table)
		permits_use(grant, need.class, table.access)
	}
}

permits_use(grant, class, _) if grants.permits_class(grant, class)

# A table that a write only reads may come from a grant to read.
permits_use(grant, _, "read") if grants.permits_class(grant, "postgres.read")

holds(grant, need) if {
	some node in grant.hold
	classes.covers(node, need.class)
	not spared(node, need.class)
	reaches(grant, need, {"read", "write"})
}

# Whoever reads on the way to writing reads all the same.
holds(grant, need) if {
	classes.covered(grant.hold, "postgres.read")
	some table in need.tables
	table.access == "read"
	reaches(grant, need, {"read"})
}

reaches(grant, _, _) if not tables.narrowed(grant)

reaches(_, need, _) if need.opaque

reaches(grant, need, accesses) if {
	some table in need.tables
	table.access in accesses
	tables.may_touch(grant, table)
}

# Nobody approves a BEGIN: housekeeping is held only by a grant that names it.
spared(node, class) if {
	is_housekeeping(class)
	not classes.covers(housekeeping_root(class), node)
}

housekeeping_root(class) := "postgres.session" if classes.covers("postgres.session", class)

housekeeping_root(class) := class if is_connect(class)

is_housekeeping(class) if is_connect(class)

is_housekeeping(class) if {
	classes.covers("postgres.session", class)
	not class in consequential
	not moves_names(class)
}

is_connect(class) if {
	input.operation.kind == "connect"
	endswith(class, ".connect")
}

# These change who asks or how later statements read; they must be granted.
consequential := {
	"postgres.session.set_parsing",
	"postgres.session.set_role",
	"postgres.session.set_session_authorization",
}

# Table names without schema mean something else after it.
moves_names("postgres.session.set_path") if {
	some grant in grants.speaking
	tables.narrowed(grant)
}

is_opaque(statement) if tables.opaque(statement)

else := false

is_obscure(class) if classes.covered(tables.opaque_classes, class)

else if count(statements) == 0

else if {
	some statement in statements
	tables.opaque(statement)
}

else := false

# To read is about what is read; anything else may be about every table.
concerns("postgres.read", table) if table.access == "read"

concerns(class, _) if class != "postgres.read"

# Opening a session has none.
default statements := []

statements := input.operation.statements

operation_classes := {input.operation.class} | {class | some class in input.operation.classes}
