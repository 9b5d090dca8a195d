"""The formulas in a student's text: MathJax typesets them on the TA's page, as far as they cost little there.

A short formula can fill a browser's memory or its stack. What a formula may hold is listed here; what Markdown makes of
a backslash differs between prose and formulas, so a text is judged both as it is and without its escapes.
"""

import re

JOINER = "\N{WORD JOINER}"  # invisible
MAX_NESTING = 30  # of groups; Chromium's stack is full at 80
# Characters from the first to the last formula of each paragraph, in a notebook. What students are given has 4,000;
# MathJax takes a second and 40 MiB for 1,000.
MAX_FORMULAS = 12_000
SHOWN_AS_TEXT = "**The grader shows the formulas of this cell as text: {}.**"
TOO_LONG = f"those of a notebook may have {MAX_FORMULAS:,} characters"
TOO_HEAVY = "they are nested too deep, or have too many rows and delimiters"

_NO_COLUMN = "\N{FULLWIDTH AMPERSAND}"
_NO_DOLLAR = "\N{FULLWIDTH DOLLAR SIGN}"
_ENVIRONMENTS = (
    "aligned align alignat gather gathered split equation multline cases array matrix pmatrix bmatrix Bmatrix vmatrix "
    "Vmatrix smallmatrix"
)
# The commands that are typeset. None takes a length or a size, defines another, makes a link, a style or an attribute,
# loads an extension or sets an argument twice.
_COMMANDS = """
alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi omicron pi varpi rho varrho
sigma varsigma tau upsilon phi varphi chi psi omega
sum prod coprod int iint iiint oint bigcup bigcap bigoplus bigotimes bigodot bigvee bigwedge biguplus
log ln lg exp sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh coth min max sup inf lim limsup liminf det dim
ker gcd deg hom arg operatorname mathop mathbin mathrel mathord mathopen mathclose mathpunct
le leq leqslant ge geq geqslant ne neq lt gt ll gg lll ggg equiv sim simeq approx approxeq cong propto doteq triangleq
perp parallel mid nmid in notin ni subset supset subseteq supseteq subsetneq supsetneq models vdash dashv prec succ
preceq succeq lesssim gtrsim asymp not
pm mp times div cdot ast star circ bullet oplus ominus otimes odot cup cap setminus wedge vee land lor lnot neg dagger
ddagger bmod pmod mod sqcup sqcap uplus amalg diamond
to gets rightarrow leftarrow leftrightarrow longrightarrow longleftarrow longleftrightarrow implies impliedby iff mapsto
longmapsto uparrow downarrow updownarrow hookrightarrow hookleftarrow rightharpoonup leftharpoonup rightleftharpoons
leadsto nearrow searrow swarrow nwarrow xrightarrow xleftarrow
infty partial nabla forall exists nexists emptyset varnothing ell hbar imath jmath wp aleph prime angle triangle square
blacksquare checkmark therefore because top bot dots ldots cdots vdots ddots dotsc dotsb dotsm dotsi dotso colon
left right middle big bigg bigl bigr bigm biggl biggr biggm lbrace rbrace lbrack rbrack langle rangle lvert rvert lVert
rVert vert lfloor rfloor lceil rceil backslash
hat widehat bar overline underline tilde widetilde vec dot ddot check breve acute grave mathring overrightarrow
overleftarrow
frac dfrac tfrac cfrac binom dbinom tbinom sqrt stackrel overset underset overbrace underbrace substack boxed limits
nolimits displaystyle textstyle scriptstyle scriptscriptstyle end cr newline tag notag nonumber label ref eqref hline
color
mathcal mathbb mathbf mathrm mathit mathsf mathtt mathfrak mathscr mathnormal boldsymbol text textbf textit textrm
textsf texttt mbox rm bf it cal quad qquad enspace thinspace negthinspace
"""
# A short operator, such as \E for \mathbb{E}, may be defined: its capital keeps it from being one of those that draw
# it. So names with a capital stay, which are such operators and signs, but for these. Names of one letter stay, which
# set letters: one may also follow the end of a row.
_NO_OPERATOR = "Rule|Space|Huge|LARGE|Large|Tiny|Newextarrow|DeclareMathOperator"
_NAME = r"\\[A-Z][a-zA-Z]{0,19}"
_OPERATOR = (
    rf"(?:(?:re)?newcommand|DeclareMathOperator\*?)(?:\{{{_NAME}\}}|{_NAME})"
    r"\{(?:\\(?:mathbb|mathcal|mathrm|mathbf|operatorname)\{[a-zA-Z]{1,20}\}|[a-zA-Z]{1,20})\}"
)
_KNOWN = rf"{'|'.join(_COMMANDS.split())}|(?!(?:{_NO_OPERATOR})(?![a-zA-Z]))[A-Z][a-zA-Z]*+|[a-z]"
_BEGIN = rf"begin\{{(?:{'|'.join(_ENVIRONMENTS.split())})\*?\}}"
_UNKNOWN = re.compile(rf"\\(?=[a-zA-Z])(?!{_OPERATOR}|{_BEGIN}|(?:{_KNOWN})(?![a-zA-Z]))")
# A row's end with a length, but for a short one; elsewhere, `\\[` begins a formula.
_SHORT = r"\s*+(?:\d{1,2}(?:pt|px|ex)|[0-3]?(?:\.\d{1,2})?em)\s*+\]"
_LENGTH = re.compile(rf"(\\\s*+)(\[(?!{_SHORT})[-+.,\d\s]++[a-z]\s*+[a-z]\s*+\])")
_ROW_ENDS = re.compile(r"\\(?:\\|cr|newline)")
_STRETCHED = re.compile(r"\\(?:left|middle|right)(?![a-zA-Z])")
_OPENS, _CLOSES = r"\\(?:left|begin)(?![a-zA-Z])|\{", r"\\(?:right|end)(?![a-zA-Z])|\}"
_GROUPS = re.compile(rf"(?P<opens>{_OPENS})|(?P<closes>{_CLOSES})|\\.", re.DOTALL)
_ESCAPED = re.compile(r"\\(?=[!-/:-@\[-`{-~])")
_DISPLAY = re.compile(r"\$\$|\\\\[\[\]]|\\(?:begin|end)\b")
_FORMULAS = re.compile(r"(?:\$|\\[()\[\]]|\\begin\b).*(?:\$|\\[()\[\]]|\\end\b(?:\{[a-zA-Z]*\*?\})?)", re.DOTALL)
_BLANK_LINE = re.compile(r"\n *\n")


def tamed(text: str) -> str:
    """The text with formulas that cost little, and no others: an invisible word joiner stops each command that is not
    known. Where they are nested too deep, or grow faster than the text, all are shown as text.
    """
    readings = (text, _ESCAPED.sub("", text))
    if any(_nesting(each) > MAX_NESTING or _draws_much(each, len(_STRETCHED.findall(each))) for each in readings):
        text = as_text(text, TOO_HEAVY)
    text = _LENGTH.sub(rf"\1{JOINER}\2", _UNKNOWN.sub(rf"\\{JOINER}", text))
    columns = max(row.count("&") for row in _ROW_ENDS.split(text))
    return text.replace("&", _NO_COLUMN) if _draws_much(text, columns) else text


def length(text: str) -> int:
    """How many characters the formulas have at most: in each paragraph, those from the first to the last."""
    displays = [*_DISPLAY.finditer(text)]
    if displays:  # a blank line may be in one
        first, last = displays[0].start(), displays[-1].end()
        text = text[:first] + text[first:last].replace("\n", " ") + text[last:]
    return sum(len(found[0]) for each in _BLANK_LINE.split(text) if (found := _FORMULAS.search(each)))


def as_text(text: str, why: str) -> str:
    """The text with no formula, and a line that says `why`."""
    text = re.sub(r"\\(?=[(\[]|begin\b)", rf"\\{JOINER}", text.replace("$", _NO_DOLLAR))
    return f"{text}\n\n{SHOWN_AS_TEXT.format(why)}"


def _nesting(text: str) -> int:
    """How deep groups are in each other, at most: a group that ends without a beginning counts for nothing."""
    depth = deepest = 0
    for each in _GROUPS.finditer(text):
        depth = max(depth + (each["opens"] is not None) - (each["closes"] is not None), 0)
        deepest = max(deepest, depth)
    return deepest


def _draws_much(text: str, pieces: int) -> bool:
    """Whether `pieces` for each row are more than a text of this length: MathJax fills rows, and stretches delimiters
    over all of them.
    """
    return len(_ROW_ENDS.split(text)) * pieces > 2 * len(text) + 1000
