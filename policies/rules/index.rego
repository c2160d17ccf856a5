# METADATA
# title: What the default rules found
# description: Written by policies/build.mjs from the folders beside it. Do not edit.
package sallyport.rules

findings contains finding if {
	some found in data.sallyport.rules.postgres.drop_unnamed.deny
	finding := {
		"path": "sallyport.rules.postgres.drop_unnamed",
		"title": "Dropping things is granted by name",
		"hint": "Ask for a grant that names postgres.ddl.drop.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.dynamic_sql.deny
	finding := {
		"path": "sallyport.rules.postgres.dynamic_sql",
		"title": "SQL inside a string is not run unread",
		"hint": "Send the SQL itself as a statement.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.parsing_settings.deny
	finding := {
		"path": "sallyport.rules.postgres.parsing_settings",
		"title": "How SQL is read stays as it is",
		"hint": "Leave the parser's settings at their defaults.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.privileges.deny
	finding := {
		"path": "sallyport.rules.postgres.privileges",
		"title": "Roles and privileges are not for agents to change",
		"hint": "Ask whoever administers the database.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.server.deny
	finding := {
		"path": "sallyport.rules.postgres.server",
		"title": "The server itself is not for agents to change",
		"hint": "Ask whoever administers the database.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.server_files.deny
	finding := {
		"path": "sallyport.rules.postgres.server_files",
		"title": "Files and programs of the server stay out of reach",
		"hint": "Use COPY FROM STDIN or COPY TO STDOUT.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.truncate_unnamed.deny
	finding := {
		"path": "sallyport.rules.postgres.truncate_unnamed",
		"title": "Emptying a table is granted by name",
		"hint": "Delete with a WHERE clause, or ask for a grant that names postgres.write.truncate.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.unknown.deny
	finding := {
		"path": "sallyport.rules.postgres.unknown",
		"title": "A statement of an unknown kind is not run",
		"hint": "Use a statement that the gateway knows.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.unparseable.deny
	finding := {
		"path": "sallyport.rules.postgres.unparseable",
		"title": "SQL that cannot be read is not run",
		"hint": "Send valid SQL in UTF-8, without NUL, and no longer than the edge parses.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.unresolved.deny
	finding := {
		"path": "sallyport.rules.postgres.unresolved",
		"title": "A statement whose reach cannot be told is not run",
		"hint": "Name tables and columns plainly, without the part that was refused.",
		"statement": found.statement,
		"reason": found.reason,
	}
}

findings contains finding if {
	some found in data.sallyport.rules.postgres.write_without_where.deny
	finding := {
		"path": "sallyport.rules.postgres.write_without_where",
		"title": "UPDATE and DELETE say which rows",
		"hint": "Add a WHERE clause that names the rows.",
		"statement": found.statement,
		"reason": found.reason,
	}
}
