"""New files and folders that take the place of old ones in one step, and leave nothing behind."""

from harness.replacement.folders import PartFolder, replaced_folder, temporary_folder
from harness.replacement.parts import remove_stale

__all__ = ["PartFolder", "remove_stale", "replaced_folder", "temporary_folder"]
