"""Compares security requirements and security schemes by meaning, not by the names of schemes."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from ..model.document import Document, Node, is_list, is_mapping, pointer
from ..rules import INFO, Change
from .context import Context, Pointers
from .differences import common_names, name_differences


@dataclass(frozen=True)
class RequiredScheme:
    """A security scheme that a requirement contains."""

    meaning: str
    """Equal for two schemes that ask the same of a caller."""
    scopes: frozenset[str]


Requirement: TypeAlias = frozenset[RequiredScheme]
"""One alternative: the schemes that a caller has to satisfy together. It can be empty."""

_ANONYMOUS: Requirement = frozenset()


@dataclass(frozen=True)
class Security:
    """The security of an operation or a document."""

    node: Node
    alternatives: frozenset[Requirement]
    """Empty if nothing is required."""
    scheme_names: frozenset[str]
    """The names of all required schemes."""

    @property
    def allows_anonymous(self) -> bool:
        """Whether a call without credentials is valid."""
        return _ANONYMOUS in self.effective_alternatives

    @property
    def effective_alternatives(self) -> frozenset[Requirement]:
        """The alternatives; the empty one if nothing is required."""
        return self.alternatives or frozenset({_ANONYMOUS})


@dataclass(frozen=True)
class _Scheme:
    """A security scheme of a document."""

    name: str
    node: Node
    meaning: str

    @property
    def description(self) -> str:
        """The meaning and the OAuth flows, for a sentence."""
        flow_names = sorted(name for name, _ in self.node.resolved().members("flows"))
        return " ".join([self.meaning, *flow_names])


_RULES_OF_FLOW_URLS = {
    "authorizationUrl": "api-security-component-oauth-url-changed",
    "tokenUrl": "api-security-component-oauth-token-url-changed",
}


def compare_security(
    base: Security, revised: Security, context: Context, prefix: str
) -> Iterator[Change]:
    """Report added and removed alternatives, or the scopes if only scopes differ.

    Args:
        base: The security in the base.
        revised: The security in the revision.
        context: The place of the operation or the document.
        prefix: The start of the ids: `api-security` or `api-global-security`.
    """
    pointers = _security_pointers(base, revised)
    removed = sorted(base.alternatives - revised.alternatives, key=_description)
    added = sorted(revised.alternatives - base.alternatives, key=_description)

    for requirement in removed:
        # The same schemes with other scopes are one alternative whose scopes changed.
        counterpart = _with_same_schemes(requirement, added)
        if counterpart is not None:
            added.remove(counterpart)
            yield from _compare_scopes(requirement, counterpart, context, prefix, pointers)
            continue
        name = _description(requirement)
        change = context.change(f"{prefix}-removed", pointers, name=name)
        # A caller without credentials was valid and still is.
        if base.allows_anonymous and revised.allows_anonymous:
            change = replace(change, level=INFO)
        yield change

    rejected_callers = [
        requirement
        for requirement in base.effective_alternatives
        if not _accepts_callers_of(revised, requirement)
    ]
    for requirement in added:
        name = _description(requirement)
        change = context.change(f"{prefix}-added", pointers, name=name)
        # Nobody has to use a new alternative, unless it replaces one that asked less.
        if not any(_asks_at_most(callers, requirement) for callers in rejected_callers):
            change = replace(change, level=INFO)
        yield change


def _accepts_callers_of(security: Security, requirement: Requirement) -> bool:
    """Whether callers who satisfy a requirement satisfy one of the alternatives."""
    return any(
        _asks_at_most(alternative, requirement) for alternative in security.effective_alternatives
    )


def _asks_at_most(requirement: Requirement, wider_requirement: Requirement) -> bool:
    """Whether whoever satisfies the wider requirement satisfies the other one."""
    wider_scopes = {scheme.meaning: scheme.scopes for scheme in wider_requirement}
    return all(
        scheme.meaning in wider_scopes and scheme.scopes <= wider_scopes[scheme.meaning]
        for scheme in requirement
    )


def _security_pointers(base: Security, revised: Security) -> Pointers:
    pointers = Pointers.to_both(base.node, revised.node)
    # The document itself has an empty pointer, and no line.
    if pointers.base and pointers.revised:
        return pointers
    return replace(pointers, container=pointer("security"))


def compare_schemes(
    base: Document, revised: Document, names: Collection[str] | None
) -> Iterator[Change]:
    """Report changes of the security schemes. A renamed scheme of the same meaning is no change.

    Args:
        base: The older document.
        revised: The newer document.
        names: The names of the schemes to compare; None for all.
    """
    base_schemes = _schemes(base, names)
    revised_schemes = _schemes(revised, names)
    base_meanings = {scheme.meaning for scheme in base_schemes.values()}
    revised_by_meaning = {scheme.meaning: scheme for scheme in revised_schemes.values()}

    for name, scheme in base_schemes.items():
        counterpart = revised_schemes.get(name) or revised_by_meaning.get(scheme.meaning)
        if counterpart is None:
            pointers = Pointers.of_removed(scheme.node, _schemes_of(revised))
            yield Context().change("api-security-component-removed", pointers, name=name)
        # A name that the base has as well is the counterpart of that scheme, not of this one.
        elif counterpart.name == name or counterpart.name not in base_schemes:
            yield from _compare_scheme(scheme, counterpart)

    for name, scheme in revised_schemes.items():
        if name in base_schemes or scheme.meaning in base_meanings:
            continue
        pointers = Pointers.of_added(scheme.node, _schemes_of(base))
        yield Context().change("api-security-component-added", pointers, name=name)


def security_of(owner: Node) -> Security | None:
    """Return what `security` of an operation or a document says; None without the keyword."""
    node = owner.child("security").part()
    if not is_list(node.value):
        node.skip_unless_empty("is not a list")
        return None
    alternatives = set[Requirement]()
    scheme_names = set[str]()
    for alternative in node.elements():
        schemes = set[RequiredScheme]()
        for name, scopes in alternative.members():
            scheme_names.add(name)
            schemes.add(RequiredScheme(_meaning(node.document, name), _scopes(scopes)))
        alternatives.add(frozenset(schemes))
    # A single alternative that needs nothing means the same as no requirement.
    if alternatives == {_ANONYMOUS}:
        alternatives.clear()
    return Security(node, frozenset(alternatives), frozenset(scheme_names))


def effective_security(owner: Node) -> Security:
    """Return the security that applies to an operation or document.

    An operation without `security` inherits it from the document. If the document has none either,
    nothing is required.
    """
    security = security_of(owner) or security_of(owner.document.root)
    return security or Security(owner, frozenset(), frozenset())


def _compare_scopes(
    base: Requirement,
    revised: Requirement,
    context: Context,
    prefix: str,
    pointers: Pointers,
) -> Iterator[Change]:
    revised_scopes = {scheme.meaning: scheme.scopes for scheme in revised}
    for scheme in sorted(base - revised, key=_meaning_of):
        scopes = sorted(scheme.scopes)
        for difference in name_differences(scopes, sorted(revised_scopes[scheme.meaning])):
            rule_id = f"{prefix}-scope-{difference.action}"
            yield context.change(rule_id, pointers, name=difference.name)


def _compare_scheme(base: _Scheme, revised: _Scheme) -> Iterator[Change]:
    context = Context()
    base_node = base.node.resolved()
    revised_node = revised.node.resolved()
    pointers = Pointers.to_both(base_node, revised_node)
    if base.description != revised.description:
        yield context.change(
            "api-security-component-type-changed",
            pointers,
            old=base.description,
            new=revised.description,
            name=base.name,
        )

    base_flows = dict(base_node.members("flows"))
    revised_flows = dict(revised_node.members("flows"))
    for flow in sorted(common_names(base_flows, revised_flows)):
        yield from _compare_flow(base_flows[flow], revised_flows[flow], base.name, pointers)


def _compare_flow(
    base_flow: Node, revised_flow: Node, scheme_name: str, pointers: Pointers
) -> Iterator[Change]:
    context = Context()
    for keyword, rule_id in _RULES_OF_FLOW_URLS.items():
        base_url = base_flow.get(keyword)
        revised_url = revised_flow.get(keyword)
        if base_url != revised_url:
            yield context.change(rule_id, pointers, old=base_url, new=revised_url, name=scheme_name)
    base_scopes = sorted(scope for scope, _ in base_flow.members("scopes"))
    revised_scopes = sorted(scope for scope, _ in revised_flow.members("scopes"))
    for difference in name_differences(base_scopes, revised_scopes):
        rule_id = f"api-security-component-oauth-scope-{difference.action}"
        yield context.change(rule_id, pointers, name=difference.name)


def _schemes_of(document: Document) -> Node:
    return document.root.child("components", "securitySchemes")


def _schemes(document: Document, names: Collection[str] | None) -> dict[str, _Scheme]:
    """The security schemes of a document by name."""
    schemes = dict[str, _Scheme]()
    for name, node in _schemes_of(document).members():
        if names is None or name in names:
            schemes[name] = _Scheme(name, node, _meaning(document, name))
    return schemes


def _meaning(document: Document, scheme_name: str) -> str:
    """A text that two schemes share if they ask the same of a caller."""
    node = document.root.child("components", "securitySchemes", scheme_name).resolved()
    scheme = node.value
    if not is_mapping(scheme) or not isinstance(scheme.get("type"), str):
        return f"the scheme {scheme_name}, which is described nowhere"
    scheme_type: str = scheme["type"]
    if scheme_type == "apiKey":
        return _meaning_of_api_key(scheme)
    if scheme_type == "http":
        # Names of HTTP authentication schemes ignore case (RFC 9110, section 11.1).
        return f"HTTP {str(scheme.get('scheme')).lower()}"
    if scheme_type == "openIdConnect":
        return f"openIdConnect {scheme.get('openIdConnectUrl')}"
    return scheme_type


def _meaning_of_api_key(scheme: dict[str, Any]) -> str:
    location = str(scheme.get("in"))
    name = str(scheme.get("name"))
    if location == "header":
        name = name.lower()
    return f"the API key {name} in {location}"


def _scopes(node: Node) -> frozenset[str]:
    return frozenset(str(scope.value) for scope in node.elements())


def _with_same_schemes(
    requirement: Requirement, candidates: list[Requirement]
) -> Requirement | None:
    """The first requirement that differs at most in scopes."""
    meanings = {scheme.meaning for scheme in requirement}
    for candidate in candidates:
        if {scheme.meaning for scheme in candidate} == meanings:
            return candidate
    return None


def _description(requirement: Requirement) -> str:
    """A requirement for a sentence, such as `HTTP bearer and oauth2 (read)`."""
    if not requirement:
        return "none"
    descriptions = list[str]()
    for scheme in sorted(requirement, key=_sort_key):
        scopes = ", ".join(sorted(scheme.scopes))
        descriptions.append(f"{scheme.meaning} ({scopes})" if scopes else scheme.meaning)
    return " and ".join(descriptions)


def _sort_key(scheme: RequiredScheme) -> tuple[str, list[str]]:
    return scheme.meaning, sorted(scheme.scopes)


def _meaning_of(scheme: RequiredScheme) -> str:
    return scheme.meaning
