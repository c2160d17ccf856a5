# METADATA
# title: Names with wildcards
# description: |
#   `*` stands for any run of characters and `?` for one; all else is literal. Not the built-in glob.match: compiled to
#   WebAssembly it does not match a line feed, so that a name could slip past a grant that masks or holds.
package sallyport.globs

# METADATA
# description: The literal name, wildcards or not.
matches(pattern, value) if pattern == value

# METADATA
# description: The schema of grants keeps backslashes out of patterns, so nothing ends the quotation early.
matches(pattern, value) if {
	regex.match(`[*?]`, pattern)
	quoted := [concat("", [`\Q`, replace(part, "?", `\E.\Q`), `\E`]) | some part in split(pattern, "*")]
	regex.match(concat("", [`(?s)\A`, concat(".*", quoted), `\z`]), value)
}

# METADATA
# description: Some pattern matches some value.
any_matches(patterns, values) if {
	some pattern in patterns
	some value in values
	matches(pattern, value)
}
