"""``python -m deepslate``: the same as the command ``deepslate``."""

import sys

from ._command import main

sys.exit(main())
