"""One module per client, and the program that runs one of them in the client's environment.

These modules run without this project: they import only the standard library and their client.
"""
