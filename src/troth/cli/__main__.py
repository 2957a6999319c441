"""The composition root as `python -m troth.cli`, which is how `troth up` starts its processes."""

import sys

from troth.cli import main

sys.exit(main())
