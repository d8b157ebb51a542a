"""Outputs of an exported program that libpt2 gives the strides that the exporter recorded.

Where a value is written after a view of it was taken, the view must not become a copy. libpt2 then copies the value into the
recorded strides where it is made (crates/graph/src/passes/kernel_strides.rs), whatever strides the device's kernel chose.
"""

# Views that need certain strides of their argument.
VIEWS = {"_reshape_alias", "_unsafe_view", "as_strided", "contiguous", "flatten", "reshape", "reshape_as", "unflatten", "view", "view_as"}


def alias(node):
    """How a call's result shares memory with its first argument: None, or an object with `is_write`."""
    schema = getattr(node.target, "_schema", None)
    return schema.returns[0].alias_info if schema and schema.returns else None


def owner(node):
    """The node that made the memory of a value."""
    while alias(node) and node.args:
        node = node.args[0]
    return node


def restrided(graph):
    """The values that are written at or after a view of them."""
    found, viewed = set(), set()
    for node in graph.nodes:
        shared = alias(node)
        if shared and node.target._schema.name.split("::")[-1] in VIEWS:
            viewed.add(owner(node))
        if shared and shared.is_write and owner(node) in viewed:
            found.add(owner(node))
    return found


def recorded_strides(program, at):
    """The recorded strides of an output that is, or follows from, such a value; None for other outputs."""
    nodes = {node.name: node for node in program.graph.nodes}
    output = nodes[program.graph_signature.user_outputs[at]]
    made, open_nodes, seen = restrided(program.graph), [output], set()
    while open_nodes:
        node = open_nodes.pop()
        if node in made:
            return tuple(output.meta["val"].stride())
        open_nodes += [read for read in node.all_input_nodes if read not in seen]
        seen.update(node.all_input_nodes)
    return None
