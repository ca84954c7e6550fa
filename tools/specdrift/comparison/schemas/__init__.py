"""Compares schemas; one module for each group of keywords.

The entry is `comparison.SchemaComparison`. `SchemaComparison.changes` takes a schema of each
document and yields every difference of the two and of everything below them. One object serves a
whole document, so that each schema is read once and each pair is reported once for each place.

Reading order:

1. `pairs.py`: the data. A pair of schemas, the result of comparing it, and the caches.
2. `comparison.py`: the entry, and the comparison of one pair, keyword group by group.
3. `graph.py`: remembers which pairs lead to which others. So a pair is compared once, however many
   operations reach it.
4. One module for each group of keywords: `types.py` (with `format`), `values.py`, `limits.py`,
   `restrictions.py`, `properties.py`, `subschemas.py`, `unions.py`, `discriminators.py`.
5. `branches.py`: finds out which branches of two unions correspond. It asks three helpers:
   `signatures.py` (is it the same structure?), `equality.py` (are two schemas equal?) and
   `compatibility.py` (can one take the place of the other without breaking clients?).
6. `wrapping.py`: the one comparison that is not keyword by keyword, a schema against a union.

Words that these modules use, in addition to those of the package `comparison`:

- nodes (`model.schema.Nodes`): one schema as a tuple of nodes. Several nodes can describe one
  schema: `allOf` branches can each describe the property `name`, and all of them apply to it.
- normal form (`model.schema.Schema`): one level of a schema, merged from its nodes. References are
  followed and the branches of `allOf` are merged, so two ways to write a schema look the same.
- subschema: a schema directly below another one, such as a property or `items`.
- place: the context of a comparison, down to the path to the schema. A schema that two paths of one
  body reach is reported at the first, which is the shortest.
- kind of place (`Context.kind_of_place`): what decides how schemas compare in a place, such as the
  direction of the data. Many places are of one kind. Only the operation, the name of the part and
  the path differ.
- pair (`pairs.SchemaPair`): a schema of the base and its counterpart in the revision.
- branch: one of the schemas that `anyOf`, `oneOf` or `allOf` lists.
- union: the branches of `anyOf` or of `oneOf`. An `allOf` is no union.
- equal: two schemas without a reportable difference in their place. That is not the same text.
"""
