# METADATA
# title: The class tree
# description: Operation classes are a tree, written with dots. A node covers itself and what is below it.
package sallyport.classes

# METADATA
# description: '"*" covers every class.'
covers("*", _)

# METADATA
# description: A node covers itself.
covers(node, class) if node == class

# METADATA
# description: A node covers what is below it. The dot keeps `postgres.read` away from `postgres.ready`.
covers(node, class) if startswith(class, concat("", [node, "."]))

# METADATA
# description: One node of the list is enough.
covered(nodes, class) if {
	some node in nodes
	covers(node, class)
}
