"""Run in a process of its own: imports every module of a generated package and prints its resource methods as JSON."""

import importlib
import inspect
import json
import pkgutil
import sys


def main() -> None:
    """Print `{"tag.Class.method": [argument, …]}` for the package in the given folder."""
    folder, name = sys.argv[1:]
    sys.path.insert(0, folder)
    package = importlib.import_module(name)
    modules = [
        importlib.import_module(found.name)
        for found in pkgutil.walk_packages(package.__path__, f"{name}.")
    ]
    methods: dict[str, list[str]] = {}
    for module in modules:
        for class_name, value in inspect.getmembers(module, inspect.isclass):
            if value.__module__ == module.__name__ and module.__name__.startswith(f"{name}.api."):
                for method, function in inspect.getmembers(value, inspect.isfunction):
                    tag = module.__name__.rpartition(".")[2]
                    methods[f"{tag}.{class_name}.{method}"] = list(
                        inspect.signature(function).parameters
                    )
    print(json.dumps(methods))


if __name__ == "__main__":
    main()
