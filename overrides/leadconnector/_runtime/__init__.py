"""Carries out one call of any operation of any OpenAPI document.

It has no field of the API and nothing about HighLevel: both arrive as values.
"""
