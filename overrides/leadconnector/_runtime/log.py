"""The one logger of the package, so that an application configures it under one name.

Each record has the field `event` in `extra`, which names the step, and fields with its values. The
page docs/observability.md lists them, and a test compares it with the code. A field has no ID and
no token.
"""

import logging

logger = logging.getLogger("leadconnector")
