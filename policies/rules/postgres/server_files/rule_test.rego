package sallyport.rules.postgres.server_files_test

import data.sallyport.fixtures as f

judged(grants, operation) := verdict if {
	verdict := data.sallyport.verdict with input as f.asked(operation) with data.grants as grants
}

refused(reasons) := f.denied(
	[{"path": "sallyport.rules.postgres.server_files", "title": "Files and programs of the server stay out of reach"}],
	reasons,
	"Use COPY FROM STDIN or COPY TO STDOUT.",
)

lifting := f.grant({"name": "lifting", "allow": ["*"], "lift": ["sallyport.rules.postgres.server_files"]})

copies(where) := f.sql([f.statement({"kind": "copy", "class": "postgres.write.copy", "tables": [f.stock], "copy": where})])

calls(name) := f.sql([f.statement({"functions": [name]})])

test_refused_with_a_program if judged([f.everything], copies("program")) == refused(["COPY with a program runs on the server."])

test_refused_with_a_file if judged([f.everything], copies("file")) == refused(["COPY with a file runs on the server."])

test_refused_when_reading if {
	operation := f.sql([f.statement({"kind": "copy", "copy": "program"})])
	judged([f.everything], operation) == refused(["COPY with a program runs on the server."])
}

test_refused_functions if {
	every name in {"pg_read_file", "pg_catalog.pg_read_file", "pg_ls_dir", "lo_import", "lo_export", "pg_read_binary_file", "pg_stat_file"} {
		judged([f.everything], calls(name)) == refused([concat("", [name, "() reaches the server's files or programs."])])
	}
}

test_refused_in_the_second_statement if {
	operation := f.sql([f.statement({}), f.statement({"functions": ["lower", "pg_read_file"]})])
	judged([f.everything], operation) == refused(["pg_read_file() reaches the server's files or programs."])
}

test_the_client_is_fine if {
	judged([f.everything], copies("stdin")) == f.allowed(["everything"])
	judged([f.everything], copies("stdout")) == f.allowed(["everything"])
	judged([f.everything], calls("pg_size_pretty")) == f.allowed(["everything"])
}

test_lifted if judged([lifting], copies("program")) == f.allowed(["lifting"])
