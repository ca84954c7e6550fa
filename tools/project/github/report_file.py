"""Reads the text of an issue or comment, which another step or job has written."""

from __future__ import annotations

import os
import stat

MAXIMUM_BYTES = 2**20
"""Of the file. The text has at most four bytes for each of 65,536 characters."""


class ReportFileError(Exception):
    """There is no text to publish. The message has one line."""


def read_report(path: str, target: str) -> str:
    """The text in a file. Characters that are not UTF-8 are replaced.

    The file may come from a job that ran the code of a pull request. So a link is not followed: it
    could lead to a secret of this job.

    Args:
        path: the file.
        target: the make target that writes it, for the message.

    Raises:
        ReportFileError: the file is missing, not a regular file, or too large.
    """
    try:
        # Without O_NONBLOCK, opening a pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ReportFileError(
            f"{path}: cannot be read: {error.strerror}: run `{target}` first"
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ReportFileError(f"{path}: is not a regular file: run `{target}` again")
        with open(descriptor, "rb", closefd=False) as file:
            content = file.read(MAXIMUM_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > MAXIMUM_BYTES:
        raise ReportFileError(f"{path}: has more than {MAXIMUM_BYTES >> 20} MiB")
    return content.decode(errors="replace")
