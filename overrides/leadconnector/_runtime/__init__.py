"""Carries out one call of any operation of any spec; knows no field of the API and nothing about HighLevel."""
