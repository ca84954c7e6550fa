"""Imports every module of a package and prints its resource methods.

A script of its own, because `verify_package` runs it in a separate process.
"""

import gc
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType


def main() -> None:
    """Print `{"tag.Class.method": [parameter, …]}` as JSON.

    The arguments of the script are the folder that contains the package, and the package's name.
    """
    folder, package_name = sys.argv[1:]
    # A package has hundreds of thousands of objects, which are all used until the end. The search
    # for reference cycles would take a tenth of the time.
    gc.disable()
    sys.path.insert(0, folder)
    methods: dict[str, list[str]] = {}
    for module in import_modules(package_name):
        if module.__name__.startswith(f"{package_name}.api."):
            methods.update(resource_methods(module))
    print(json.dumps(methods))


def import_modules(package_name: str) -> list[ModuleType]:
    """Import every module below a package."""
    package = importlib.import_module(package_name)
    modules = pkgutil.walk_packages(package.__path__, f"{package_name}.")
    return [importlib.import_module(module.name) for module in modules]


def resource_methods(module: ModuleType) -> Iterator[tuple[str, list[str]]]:
    """The methods of the classes that a module defines, with the names of their parameters."""
    # `package.api.tag`, or a module below it.
    tag = module.__name__.split(".")[2]
    for class_name, resource_class in inspect.getmembers(module, inspect.isclass):
        # Imported classes belong to other modules.
        if resource_class.__module__ != module.__name__:
            continue
        for method_name, method in inspect.getmembers(resource_class, inspect.isfunction):
            parameters = list(inspect.signature(method).parameters)
            yield f"{tag}.{class_name}.{method_name}", parameters


if __name__ == "__main__":
    main()
