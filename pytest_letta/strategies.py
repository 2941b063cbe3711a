"""Hypothesis strategies for what goes into Letta: texts that break naive storage, labels, tags.

None of them makes NUL or a lone surrogate: databases and JSON may refuse those, and do so for good reason.
"""

from __future__ import annotations

from hypothesis import strategies as st

#: Texts that were lost or changed somewhere: markup, templates, writing from right to left, several code points
#: that are one character, line ends, quotes.
AWKWARD = (
    "</value></human>",
    "{{ user }} {0} %s ${HOME}",
    "\u202e\u05e9\u05dc\u05d5\u05dd\u202c \u0627\u0644\u0639\u0631\u0628\u064a\u0629",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 e\u0301 \u00e9",
    "first line\nsecond line\n",
    "tab\tand  two spaces ",
    'it\'s "quoted" \\ and /',
    "null",
)


def texts(max_size: int = 40) -> st.SearchStrategy[str]:
    """Texts of any script, up to `max_size` characters, among them AWKWARD ones and the empty one."""
    characters = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    return st.sampled_from([text for text in AWKWARD if len(text) <= max_size]) | st.text(
        characters, max_size=max_size
    )


def lines(max_size: int = 40) -> st.SearchStrategy[str]:
    """The same without line ends or other control characters, and without blanks at either end."""
    characters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])
    return st.text(characters, max_size=max_size).map(str.strip)


def labels() -> st.SearchStrategy[str]:
    """Labels of blocks, few, so that those of two agents often agree."""
    return st.sampled_from(["human", "persona", "project", "notes"])


def tags() -> st.SearchStrategy[list[str]]:
    """Up to three different tags."""
    return st.lists(st.sampled_from(["birds", "V\u00f6gel", "to do", "2026", "a/b"]), max_size=3, unique=True)
