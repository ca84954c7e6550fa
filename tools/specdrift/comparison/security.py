"""Compares what operations require by what it means to who calls: the kind of a scheme and its scopes, not its name."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from ..model.document import Document, Node, is_list, is_mapping
from ..rules import INFO, Change, Place, moved

Requirement: TypeAlias = frozenset[tuple[str, frozenset[str]]]
"""All that one alternative takes: the meaning of each scheme, and its scopes."""

_FLOW_URLS = (
    ("authorizationUrl", "api-security-component-oauth-url-changed"),
    ("tokenUrl", "api-security-component-oauth-token-url-changed"),
)


@dataclass(frozen=True)
class Security:
    """What an operation, or the document, requires."""

    node: Node
    alternatives: frozenset[Requirement]
    """Empty where nothing is required."""

    @property
    def schemes(self) -> set[str]:
        """The names of the schemes that are required."""
        return {
            name for _, alternative in self.node.children() for name, _ in alternative.children()
        }


def security_of(owner: Node) -> Security | None:
    """What the `security` of an operation or of a document says; None where it has none."""
    node = owner.child("security")
    if not is_list(node.value):
        return None
    found = set[Requirement]()
    for _, alternative in node.children():
        schemes = (
            (_meaning(node.document, name), scopes.value) for name, scopes in alternative.children()
        )
        found.add(
            frozenset(
                (kind, frozenset(map(str, scopes if is_list(scopes) else ())))
                for kind, scopes in schemes
            )
        )
    # To require one alternative that takes nothing is to require nothing.
    return Security(node, frozenset() if found == {frozenset()} else frozenset(found))


def compare_security(
    securities: tuple[Security | None, Security | None],
    place: Place,
    prefix: str,
    owners: tuple[Node, Node],
) -> Iterator[Change]:
    """What was added to the alternatives, and what removed; where only scopes differ, the scopes.

    Args:
        securities: what the base requires, and what the revision.
        place: the operation.
        prefix: how ids begin: `api-security` or `api-global-security`.
        owners: where that is told of which there is no `security`.
    """
    before, after = securities
    where = (
        (before.node if before else owners[0]).location,
        (after.node if after else owners[1]).location,
    )
    old, new = (found.alternatives if found else frozenset[Requirement]() for found in securities)
    come = sorted(new - old, key=_told)
    for gone in sorted(old - new, key=_told):
        kept = next((other for other in come if _kinds(other) == _kinds(gone)), None)
        if kept is None:
            change = place.change(f"{prefix}-removed", *where, name=_told(gone))
            is_free = frozenset() in old and not (new and all(new))  # nothing has to be there
            yield replace(change, level=INFO) if is_free else change
            continue
        come.remove(kept)
        for kind, scopes in sorted(gone - kept, key=lambda scheme: scheme[0]):
            others = next(found for name, found in kept if name == kind)
            for name, action in moved(sorted(scopes), sorted(others)):
                yield place.change(f"{prefix}-scope-{action}", *where, name=name)
    for requirement in come:  # one that takes nothing makes the others optional
        change = place.change(f"{prefix}-added", *where, name=_told(requirement))
        yield replace(change, level=INFO) if frozenset() in new else change


def compare_schemes(
    base: Document, revision: Document, names: Collection[str] | None
) -> Iterator[Change]:
    """What changed in the security schemes themselves; one that another already means, or still does, did not.

    Args:
        base: the older document.
        revision: the newer one.
        names: of the schemes that count; `None` for all.
    """
    place = Place()
    old, new = (
        {name: node for name, node in schemes if names is None or name in names}
        for schemes in (
            document.root.children("components", "securitySchemes") for document in (base, revision)
        )
    )
    meant_before, meant_after = (
        {_meaning(base, name) for name in old},
        {_meaning(revision, name): name for name in new},
    )
    for name, node in old.items():
        renamed = meant_after.get(_meaning(base, name))
        if name in new:
            yield from _compare_scheme((name, name), node.resolved(), new[name].resolved(), place)
        elif renamed is None:
            yield place.change("api-security-component-removed", node.location, "", name=name)
        elif renamed not in old:
            yield from _compare_scheme(
                (name, renamed), node.resolved(), new[renamed].resolved(), place
            )
    for name, node in new.items():
        if name not in old and _meaning(revision, name) not in meant_before:
            yield place.change("api-security-component-added", "", node.location, name=name)


def _compare_scheme(names: tuple[str, str], old: Node, new: Node, place: Place) -> Iterator[Change]:
    where, name = (old.location, new.location), names[0]
    before, after = dict(old.children("flows")), dict(new.children("flows"))
    kinds = [" ".join([_meaning(old.document, name), *sorted(before)])]
    kinds.append(" ".join([_meaning(new.document, names[1]), *sorted(after)]))
    if kinds[0] != kinds[1]:
        yield place.change("api-security-component-type-changed", *where, *kinds, name=name)
    for flow in sorted(before.keys() & after.keys()):
        for key, rule in _FLOW_URLS:
            urls = (before[flow].get(key), after[flow].get(key))
            if urls[0] != urls[1]:
                yield place.change(rule, *where, *urls, name=name)
        scopes = (
            sorted(scope for scope, _ in flows[flow].children("scopes"))
            for flows in (before, after)
        )
        for scope, action in moved(*scopes):
            yield place.change(f"api-security-component-oauth-scope-{action}", *where, name=scope)


def _meaning(document: Document, name: str) -> str:
    """What a scheme asks of who calls, in words that two schemes share only where they ask the same."""
    scheme = document.root.child("components", "securitySchemes", name).resolved().value
    if not is_mapping(scheme) or not isinstance(scheme.get("type"), str):
        return f"the scheme {name}, which is described nowhere"
    kind: str = scheme["type"]
    if kind == "apiKey":
        place, key = str(scheme.get("in")), str(scheme.get("name"))
        return f"the API key {key.lower() if place == 'header' else key} in {place}"
    if kind == "http":
        return f"HTTP {str(scheme.get('scheme')).lower()}"
    return f"{kind} {scheme.get('openIdConnectUrl')}" if kind == "openIdConnect" else kind


def _kinds(requirement: Requirement) -> frozenset[str]:
    return frozenset(kind for kind, _ in requirement)


def _told(requirement: Requirement) -> str:
    """A requirement as a person reads it."""
    schemes = sorted((kind, sorted(scopes)) for kind, scopes in requirement)
    return (
        " and ".join(
            kind + (f" ({', '.join(scopes)})" if scopes else "") for kind, scopes in schemes
        )
        or "none"
    )
