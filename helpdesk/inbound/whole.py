"""The parser of the standard library, which also keeps the source of attached mails and reports, byte for byte.

Without it they would be written anew from what was read, with other line ends and folds than they came with.
"""

from collections.abc import Callable
from email import feedparser, policy
from email.message import Message


class WholeParser:
    """Reads mails whose parts `new_part` makes; an attached one finds its source in `whole` of the part it is in."""

    def __init__(self, new_part: Callable[[policy.Compat32], Message]) -> None:
        self.new_part = new_part

    def parsebytes(self, raw: bytes) -> Message:
        """The mail as a tree of parts."""
        return _Reader(self.new_part, raw.decode("ascii", "surrogateescape")).read()


class _Lines(feedparser.BufferedSubFile):  # type: ignore[name-defined, misc]
    """Lines, and how many characters of them have been taken."""

    taken = 0

    def readline(self) -> object:
        line = super().readline()
        self.taken += len(line) if isinstance(line, str) else 0
        return line

    def unreadline(self, line: str) -> None:
        super().unreadline(line)
        self.taken -= len(line)


class _Reader(feedparser.FeedParser):
    _cur: Message
    _input: _Lines
    _msgstack: list[Message]

    def __init__(self, new_part: Callable[[policy.Compat32], Message], text: str) -> None:
        super().__init__(new_part, policy=policy.compat32)  # type: ignore[arg-type]
        self._input = _Lines()
        self.text = text
        self.starts: dict[int, int] = {}

    def read(self) -> Message:
        self.feed(self.text)
        return self.close()

    def _new_message(self) -> None:
        super()._new_message()  # type: ignore[misc]
        if len(self._msgstack) > 1:
            # Its first part begins where the part's own headers end.
            self.starts.setdefault(id(self._msgstack[-2]), self._input.taken)

    def _pop_message(self) -> Message:
        part: Message = super()._pop_message()  # type: ignore[misc]
        start = self.starts.pop(id(part), None)
        is_inside = any(above.get_content_maintype() == "message" for above in self._msgstack)
        if start is not None and part.get_content_maintype() == "message" and not is_inside:
            source = self.text[start : self._input.taken].encode("ascii", "surrogateescape")
            part.whole = _without_line_end(source) if self._msgstack else source  # type: ignore[attr-defined]
        return part


def _without_line_end(source: bytes) -> bytes:
    """The source without its last line end, which belongs to the boundary below it (RFC 2046 §5.1.1)."""
    return source.removesuffix(b"\n").removesuffix(b"\r") if source.endswith(b"\n") else source
