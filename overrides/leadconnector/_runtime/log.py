"""The one logger of the package, so that an application configures it under one name."""

import logging

logger = logging.getLogger("leadconnector")
