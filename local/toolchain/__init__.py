"""The programs that the local environment runs: official ones where they fit, else built from Go.

Everything is named by its binary. What is built is pinned by the go.mod and go.sum files under
`go/`, kept in the user's cache and checked by checksum before it is used again.
"""

from local.toolchain.catalogue import TOOLS
from local.toolchain.charts import charts
from local.toolchain.choose import Choice, How, bin_dir, choose, ensure
from local.toolchain.errors import ToolchainError

__all__ = ["TOOLS", "Choice", "How", "ToolchainError", "bin_dir", "charts", "choose", "ensure"]
