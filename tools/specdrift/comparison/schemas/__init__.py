"""Compares schemas; one module for each group of keywords.

The entry is `comparison.SchemaComparison`. `SchemaComparison.changes` takes a schema of each
document and yields every difference of the two and of everything below them. One object serves a
whole document, so that each schema is read once and each pair is reported once for each place.

Reading order:

1. `pairs.py`: the data. A pair of schemas, the result of comparing it, and the caches.
2. `comparison.py`: the queue of pairs, and the comparison of one pair, keyword group by group.
3. `equality.py`: decides whether two schemas have no difference. Unions, discriminators and
   `wrapping.py` need that decision to find out which branches correspond.
4. One module for each group of keywords: `types.py` (with `format`), `values.py`, `limits.py`,
   `restrictions.py`, `properties.py`, `subschemas.py`, `unions.py`, `discriminators.py`.
5. `wrapping.py`: the one comparison that is not keyword by keyword, a schema against a union.

Words that these modules use, in addition to those of the package `comparison`:

- nodes (`model.schema.Nodes`): one schema as a tuple of nodes. Several nodes can describe one
  schema: `allOf` branches can each describe the property `name`, and all of them apply to it.
- normal form (`model.schema.Schema`): one level of a schema, merged from its nodes. References are
  followed and the branches of `allOf` are merged, so two ways to write a schema look the same.
- subschema: a schema directly below another one, such as a property or `items`.
- place: the context of a comparison without the path to the schema. A schema that two paths of one
  body reach is reported at the first, which is the shortest.
- pair (`pairs.SchemaPair`): a schema of the base and its counterpart in the revision.
- branch: one of the schemas that `anyOf`, `oneOf` or `allOf` lists.
- union: the branches of `anyOf` or of `oneOf`. An `allOf` is no union.
- equal: two schemas without a reportable difference in their place. That is not the same text.
"""
