"""Give a network away: as a file that limen reads back.

==========  ========================================================
`save`      write a model or a network to a ``.limen`` file
`load`      read one; whatever isn't sound is refused by name
==========  ========================================================
"""

from __future__ import annotations

from limen.export.file import load, save

__all__ = ["load", "save"]
