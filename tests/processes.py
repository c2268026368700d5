"""Looking at processes: who lives, and who descends from whom."""

from pathlib import Path


def is_alive(pid: int) -> bool:
    """True while the process runs; one that has ended and is not yet collected does not."""
    return _stat(Path(f"/proc/{pid}"))[:1] not in ([], ["Z"])


def descendants(pid: int) -> list[int]:
    """All children of a process, theirs included."""
    parents = {int(folder.name): _stat(folder) for folder in Path("/proc").iterdir() if folder.name.isdigit()}
    children = [child for child, stat in parents.items() if stat[1:2] == [str(pid)]]
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


def _stat(folder: Path) -> list[str]:
    """State, parent and so on: what stands behind the name."""
    try:
        return (folder / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
