"""The model of an OpenAPI document: places with references followed, and schemas in one normal form."""
