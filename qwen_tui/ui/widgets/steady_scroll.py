"""A scrolling column in which what is read stays where it is."""

from collections.abc import Sequence

from textual.containers import VerticalScroll
from textual.reactive import Reactive
from textual.widget import Widget


class SteadyScroll(VerticalScroll):
    """Does not move what is in view when rows above it come, go or wrap anew."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._kept: tuple[Widget, int] | None = None
        """What is being read: a widget, and the row of the view where its top is."""
        self._is_keeping = False
        self._is_looking = False

    @property
    def following(self) -> bool:
        """The end is in view, and stays so while text arrives."""
        return self.is_vertical_scroll_end

    @property
    def blocks(self) -> Sequence[Widget]:
        """What is read, from top to bottom."""
        return list(self.children)

    async def end_read(self) -> None:
        """Do what may be done above once the end is read; called after a scroll."""

    def hold(self, below: int, moved: int) -> None:
        """Scroll along with rows above the view that come or go, before the layout.

        Args:
            below: The row of the screen below which everything moves.
            moved: By so many rows.
        """
        if self.following or below > self.region.y:
            return
        y = max(self.scroll_y + moved, 0)
        for name in ("scroll_y", "scroll_target_y"):  # unwatched, as the anchor does
            reactive: Reactive[float] = getattr(SteadyScroll, name)
            self.set_reactive(reactive, y)
        self.vertical_scrollbar.position = y

    def forget_place(self) -> None:
        """Hold nothing: other things are to be read now."""
        self._kept = None

    def watch_virtual_size(self) -> None:
        # What `hold` could not foresee: another width.
        if self._kept is None or not self._kept[0].is_attached:
            return
        block, row = self._kept
        moved = block.region.y - self.region.y - row
        if moved:
            self._is_keeping = True
            self.scroll_to(
                y=self.scroll_y + moved, animate=False, force=True, immediate=True
            )
            self._is_keeping = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._is_keeping:
            return
        if new_value >= self.max_scroll_y:
            self._kept = None
        elif self._kept is not None:
            block, row = self._kept
            self._kept = (block, row - round(new_value) + round(old_value))
        if not self._is_looking:
            self._is_looking = True
            self.call_after_refresh(self._look)

    async def _look(self) -> None:
        """Notice after a scroll what is being read."""
        self._is_looking = False
        if self.following:
            self._kept = None
            await self.end_read()
        else:
            self._keep_view()

    def _keep_view(self) -> None:
        top = self.region.y
        for block in self.blocks:
            if block.region.bottom > top:
                self._kept = (block, block.region.y - top)
                return
