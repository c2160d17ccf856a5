# METADATA
# title: Files and programs of the server stay out of reach
# description: |
#   COPY from or to a file or a program, and the functions that read and write the server's files.
# custom:
#   hint: Use COPY FROM STDIN or COPY TO STDOUT.
# schemas:
#   - input: schema.input
package sallyport.rules.postgres.server_files

deny contains {"statement": index, "reason": concat("", ["COPY with a ", statement.copy, " runs on the server."])} if {
	some index, statement in input.operation.statements
	statement.copy in {"file", "program"}
}

deny contains {"statement": index, "reason": concat("", [name, "() reaches the server's files or programs."])} if {
	some index, statement in input.operation.statements
	some name in statement.functions
	names_file_function(split(name, "."))
}

names_file_function(parts) if parts[count(parts) - 1] in file_functions

file_functions := {
	"lo_export",
	"lo_import",
	"pg_current_logfile",
	"pg_file_read",
	"pg_file_rename",
	"pg_file_sync",
	"pg_file_unlink",
	"pg_file_write",
	"pg_logdir_ls",
	"pg_ls_archive_statusdir",
	"pg_ls_dir",
	"pg_ls_logdir",
	"pg_ls_logicalmapdir",
	"pg_ls_logicalsnapdir",
	"pg_ls_replslotdir",
	"pg_ls_summariesdir",
	"pg_ls_tmpdir",
	"pg_ls_waldir",
	"pg_read_binary_file",
	"pg_read_file",
	"pg_read_file_old",
	"pg_read_server_files",
	"pg_stat_file",
}
