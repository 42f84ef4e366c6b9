"""A cell of several pages: their titles stand as section heads, and what has no room waits in a menu."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from workbench.views.controls import HeadTab
from workbench.views.guard import guarded
from workbench.views.widgets import Line, Words, button, menu_item, tab_before, tip, words_width

GAP = 10
SUBTITLE_LEAST = 200  # pixels; a subtitle that is cut to less says nothing
SUBTITLE_PX = 11
SUBTITLE = 0.3  # of the width is kept for what a page says, where tabs have no room


class TabStrip(QWidget):
    """Tabs in a row, as many as have room; the chosen one always, the rest behind a count."""

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.tabs: list[HeadTab] = []
        self.current = 0
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self._fill)
        self.rest = button("", "ghost")
        self.rest.setParent(self)
        self.rest.setMenu(self.menu)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)

    def add(self, title: str) -> None:
        index, tab = len(self.tabs), HeadTab(title, self)
        tab.clicked.connect(lambda: self.chosen.emit(index))
        tab.show()
        tab_before(self.rest, [tab])
        self.tabs.append(tab)
        for each in self.tabs:
            each.setProperty("several", len(self.tabs) > 1)
        self._arrange()

    def choose(self, index: int) -> None:
        self.current = index
        for each, tab in enumerate(self.tabs):
            tab.setChecked(each == index)
        self._arrange()

    def hidden(self) -> list[int]:
        """Those that wait in the menu."""
        return [index for index, tab in enumerate(self.tabs) if tab.isHidden()]

    def sizeHint(self) -> QSize:
        return QSize(self._width(range(len(self.tabs))), 24)

    def minimumSizeHint(self) -> QSize:
        alone = self.tabs[self.current].sizeHint().width() if self.tabs else 0
        return QSize(alone + (GAP + self.rest.sizeHint().width() if len(self.tabs) > 1 else 0), 24)

    @guarded
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrange()

    def _width(self, indices: range | list[int]) -> int:
        return sum(self.tabs[index].sizeHint().width() + GAP for index in indices)

    def _shown(self) -> list[int]:
        """The first ones, and the chosen one in the place of the last of them where it is not among them."""
        every = list(range(len(self.tabs)))
        if self._width(every) <= self.width() + GAP:
            return every
        room = self.width() - self.rest.sizeHint().width()
        shown: list[int] = [self.current]
        for index in every:
            if index != self.current and self._width([*shown, index]) > room:
                break
            if index != self.current:
                shown.append(index)
        return sorted(shown)

    def _arrange(self) -> None:
        self.rest.setText(f"+{len(self.tabs)}")  # the widest it can be
        shown, x = self._shown(), 0
        for index, tab in enumerate(self.tabs):
            tab.setVisible(index in shown)
            if index in shown:
                size = tab.sizeHint()
                tab.setGeometry(x, (self.height() - size.height()) // 2, size.width(), size.height())
                x += size.width() + GAP
        hidden = [self.tabs[index].text() for index in self.hidden()]
        self.rest.setVisible(bool(hidden))
        self.rest.setText(f"+{len(hidden)}")
        self.rest.setToolTip(tip(", ".join(hidden)))
        self.rest.setAccessibleName(f"{len(hidden)} more: {', '.join(hidden)}")
        size = self.rest.sizeHint()
        self.rest.setGeometry(x, (self.height() - size.height()) // 2, size.width(), size.height())
        self.updateGeometry()

    def _fill(self) -> None:
        self.menu.clear()
        for index in self.hidden():
            menu_item(self.menu, self.tabs[index].text(), partial(self.chosen.emit, index))


class TabCell(QWidget):
    """Several pages, one seen; what the seen one says stands beside the tabs, its menu at the end."""

    shown = Signal(object)  # the page's widget

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.pages = QStackedWidget()
        self.strip = TabStrip()
        self.strip.chosen.connect(self._show_at)
        self._subtitles: dict[QWidget, str] = {}
        self._menus: dict[QWidget, QMenu] = {}
        head = QHBoxLayout()
        head.setSpacing(GAP)
        self._subtitle = Line(px=SUBTITLE_PX, least=SUBTITLE_LEAST)
        self._subtitle.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.more = button("⋯", "ghost", "Save or copy what is shown")
        self.menu = QMenu(self.more)
        head.addWidget(self.strip)
        head.addWidget(self._subtitle, 1)
        head.addWidget(self.more)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 8, 6)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.pages, 1)
        for keys, step in (("Ctrl+PgDown", 1), ("Ctrl+PgUp", -1)):
            shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda step=step: self._turn(step))

    @property
    def tabs(self) -> list[HeadTab]:
        return self.strip.tabs

    def add(self, title: str, page: QWidget, menu: QMenu | None = None) -> None:
        """`menu` is that of the page alone; without one it has the cell's."""
        self._menus[page] = menu or self.menu
        self.pages.addWidget(page)
        self.strip.add(title)
        if len(self.tabs) == 1:
            self.show_page(page)

    def show_page(self, page: QWidget) -> None:
        self.pages.setCurrentWidget(page)
        self.more.setMenu(self._menus[page])
        self.strip.choose(self.pages.currentIndex())
        self._tell(page)
        self.shown.emit(page)

    def set_subtitle(self, page: QWidget, text: str) -> None:
        self._subtitles[page] = text
        if self.pages.currentWidget() is page:
            self._tell(page)

    @guarded
    def resizeEvent(self, event: QResizeEvent) -> None:
        self._share()

    def _tell(self, page: QWidget) -> None:
        self._subtitle.set_words(Words(self._subtitles.get(page, ""), tone="faint"))
        self._share()

    def _share(self) -> None:
        room = self.width() - self.more.sizeHint().width() - 2 * GAP - 22
        said = min(words_width(self._subtitle.words, SUBTITLE_PX), SUBTITLE_LEAST)
        if self._subtitle.words.main and room * SUBTITLE >= said:
            room = int(room * (1 - SUBTITLE))
        self.strip.setMaximumWidth(max(room, self.strip.minimumSizeHint().width()))

    def _turn(self, step: int) -> None:
        """The next page, or the one before, round the corner."""
        self._show_at((self.pages.currentIndex() + step) % self.pages.count())

    def _show_at(self, index: int) -> None:
        page = self.pages.widget(index)
        if page is not None:
            self.show_page(page)
