"""Copies this package into other projects, and verifies such a copy.

It imports only the standard library, so that it runs where the dependencies of the client are not
installed. `command_line` is the entry. `vendor` has the steps in their order.
"""
