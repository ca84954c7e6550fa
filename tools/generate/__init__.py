"""The generation step: writes the client in `generated/` from `spec/openapi.yaml`.

`__main__.py` lists its steps, one module each: load, check, tolerance, generate, verify, contract,
swap.
"""
