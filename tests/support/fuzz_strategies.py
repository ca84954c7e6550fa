"""hypothesis strategies for calls with random replies or arguments."""

from __future__ import annotations

from hypothesis import strategies as st

from benchmarks.long.fuzzing.cases import (
    Case,
    case_with_random_arguments,
    case_with_random_replies,
)
from benchmarks.long.fuzzing.replies import HEADER_NAMES, Reply

_randoms = st.randoms(use_true_random=False)

cases_with_random_replies: st.SearchStrategy[Case] = st.builds(case_with_random_replies, _randoms)
cases_with_random_arguments: st.SearchStrategy[Case] = st.builds(
    case_with_random_arguments, _randoms
)

_header_names = st.sampled_from([*HEADER_NAMES, b"Content-Type", b"Content-Encoding"])

replies_of_bytes: st.SearchStrategy[Reply] = st.builds(
    Reply,
    st.integers(100, 999),
    st.lists(st.tuples(_header_names | st.binary(), st.binary())).map(tuple),
    st.lists(st.binary()).map(tuple),
)
"""Replies with any status, any bytes in the headers, and any bytes in the body."""
