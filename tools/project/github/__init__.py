"""Publishes reports on GitHub: the issue about drift, and the comment on a pull request.

- `client`: the few requests to GitHub's API that this needs.
- `body`: the text of an issue or comment, with the marker by which a later run recognizes it.
- `report_file`: the report that is to be published, which another step or job has written.
- `job`: what GitHub Actions offers a job.
- `issue`: the program of `make issue`.
- `comment`: the program of `make comment`.
"""
