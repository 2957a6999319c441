"""Before the river: reads one expression of a template and says what it can be.

expression  = or ["if" or ["else" expression]]
or          = and *("or" and)          and = not *("and" not)         not = "not" not / comparison
comparison  = sum *(("==" / "!=" / "<" / ">" / "<=" / ">=" / "in" / "not" "in") sum)
sum         = product *(("+" / "-") product)                      numbers only
product     = unary *(("*" / "/" / "//" / "%") unary)             numbers only
unary       = "-" unary / postfix
postfix     = primary *("." name / "[" constant "]" / "|" filter / "is" ["not"] test)
primary     = name / number / string / list of constants / "(" expression ")" / range(...) / loop.cycle(...)
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches

from troth.mail.template_filters import DEFAULTS, FILTERS, LOOP, MAX_RANGE, TESTS, Arguments, FilterFault, property_of
from troth.mail.template_scan import TemplateFault, Token
from troth.mail.template_shape import NUMBER, SCALAR, Shape, boolean, constant, either, number

MAX_DEPTH = 12  # parentheses, signs and negations within one another
MAX_CHAIN = 6  # filters, tests and attributes after one another
MAX_LIST = 50  # constants in a list
_COMPARE = frozenset({"==", "!=", "<", ">", "<=", ">="})
_CONSTANTS = {"true": "boolean", "false": "boolean", "none": "none"}
_CONSTANTS |= {word.capitalize(): kind for word, kind in _CONSTANTS.items()}
_WORDS = frozenset({"and", "or", "not", "in", "is", "if", "else", *_CONSTANTS})
_END = Token("end", "the end of the tag", 0)


class Reader:
    """One tag's tokens, read from left to right. `scope`: name -> shape; `work`: told of every value made."""

    def __init__(
        self, tokens: tuple[Token, ...], line: int, scope: Mapping[str, Shape], work: Callable[[Shape, int], None]
    ) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._line = line
        self._scope = scope
        self._work = work

    @property
    def next(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    @property
    def line(self) -> int:
        """Of the token read last."""
        return self._tokens[self._at - 1].line if self._at else self._line

    def fault(self, code: str, hint: str) -> TemplateFault:
        return TemplateFault(code, self.line, hint)

    def take(self, *texts: str) -> str | None:
        """The next token's text if it is one of these; strings never are."""
        token = self.next
        if token.text not in texts or token.kind in ("string", "end"):
            return None
        self._at += 1
        return token.text

    def need(self, text: str) -> None:
        if not self.take(text):
            raise self.fault("syntax", f"Expected {text} before {self.next.text}.")

    def name(self) -> str:
        """Any name, a word of the language too; one with _ in front is refused wherever it stands."""
        token = self.next
        if token.kind != "name":
            raise self.fault("syntax", f"Expected a name before {token.text}.")
        if token.text.startswith("_"):
            raise self.fault("not_allowed", "A name may not begin with _.")
        self._at += 1
        return token.text

    def done(self) -> None:
        if self.next is not _END:
            raise self.fault("syntax", f"{self.next.text} is not expected here.")

    def expression(self) -> Shape:
        value = self.choice()
        if not self.take("if"):
            return value
        self.choice()
        if not self.take("else"):
            return value
        return self._either(value, self._deeper(self.expression))

    def choice(self) -> Shape:
        """An expression without a conditional; what a loop goes over."""
        value = self._both()
        while self.take("or"):
            value = self._either(value, self._both())
        return value

    def _either(self, one: Shape, other: Shape) -> Shape:
        merged = either(one, other)
        if merged is None:
            raise self.fault("type", "The two sides of if/else, or, and default must be of the same kind.")
        return merged

    def _deeper(self, read: Callable[[], Shape]) -> Shape:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.fault("too_complex", f"An expression is nested more than {MAX_DEPTH} deep; make it simpler.")
        value = read()
        self._depth -= 1
        return value

    def _both(self) -> Shape:
        value = self._not()
        while self.take("and"):
            value = self._either(value, self._not())
        return value

    def _not(self) -> Shape:
        if self.take("not"):
            self._deeper(self._not)
            return boolean()
        return self._comparison()

    def _comparison(self) -> Shape:
        value = self._sum()
        while self._compares():
            self._work(value, self.line)
            self._work(self._sum(), self.line)
            value = boolean()
        return value

    def _compares(self) -> bool:
        if self.take(*_COMPARE, "in"):
            return True
        if self.take("not"):
            self.need("in")
            return True
        return False

    def _sum(self) -> Shape:
        value = self._product()
        while sign := self.take("+", "-"):
            self._numbers(sign, value, self._product())
            value = number()
        return value

    def _product(self) -> Shape:
        value = self._unary()
        while sign := self.take("*", "/", "//", "%"):
            self._numbers(sign, value, self._unary())
            value = number()
        return value

    def _unary(self) -> Shape:
        if self.take("-"):
            self._numbers("-", self._deeper(self._unary))
            return number()
        return self._postfix()

    def _numbers(self, sign: str, *values: Shape) -> None:
        if any(value.kind not in NUMBER for value in values):
            raise self.fault("type", f"{sign} is for numbers only; write two texts one after the other instead.")

    def _postfix(self) -> Shape:
        value, steps = self._primary(), 0
        while step := self.take(".", "[", "|", "is", "("):
            steps += 1
            if steps > MAX_CHAIN:
                raise self.fault(
                    "too_complex", f"More than {MAX_CHAIN} filters and attributes in a row; make it simpler."
                )
            value = self._step(step, value)
        return value

    def _step(self, step: str, value: Shape) -> Shape:
        match step:
            case ".":
                return self._attribute(value, self.name())
            case "[":
                return self._item(value)
            case "|":
                made = self._filter(value, self.name())
                self._work(made, self.line)
                return made
            case "is":
                return self._test()
        raise self.fault("not_allowed", "Only range() and loop.cycle() may be called.")

    def _attribute(self, value: Shape, name: str) -> Shape:
        if value.kind == "loop":
            return self._of_loop(name)
        if value.kind != "object":
            raise self.fault("unknown", f"There is no attribute {name} here: the value is no object.")
        try:
            return property_of(value, name)
        except KeyError:
            raise self.fault("unknown", f"The schema has no property {name} there.") from None

    def _of_loop(self, name: str) -> Shape:
        if name == "cycle":
            self.need("(")
            return Shape("mixed", tuple(source for one in self._constants(")") for source in one.sources))
        if name not in LOOP:
            raise self.fault("not_allowed", f"loop.{name} is not allowed; {', '.join(LOOP)} and cycle are.")
        return number() if LOOP[name] == "number" else boolean()

    def _item(self, value: Shape) -> Shape:
        key = self._constant()
        self.need("]")
        if value.kind == "object" and key.kind == "string" and not (key.literal or "_").startswith("_"):
            return self._attribute(value, key.literal or "")
        if value.kind == "list" and key.kind == "integer":
            return value.items()
        raise self.fault("not_allowed", "Brackets take a whole number for a list, or a property's name in quotes.")

    def _test(self) -> Shape:
        self.take("not")
        name = self.name()
        if name not in TESTS:
            raise self.fault("not_allowed", f"The test {name} is not allowed; {', '.join(TESTS)} are.")
        if TESTS[name]:
            self.need("(")
            self._constants(")")
        return boolean()

    def _filter(self, value: Shape, name: str) -> Shape:
        if name in DEFAULTS:
            return self._default(value)
        known = FILTERS.get(name)
        if known is None:
            raise self.fault("not_allowed", f"The filter {name} is not allowed; {', '.join(FILTERS)} and default are.")
        if value.kind not in known.takes:
            raise self.fault("type", f"The filter {name} does not work on a {value.kind}.")
        arguments = self._arguments() if self.take("(") else {}
        places = {place for place in arguments if isinstance(place, int)}
        if arguments.keys() - places - known.keywords or len(places) > len(known.names):
            raise self.fault("not_allowed", f"The filter {name} does not take that argument.")
        try:
            return known.make(value, arguments)
        except FilterFault as why:
            raise self.fault("type", f"The filter {name} {why}") from None

    def _default(self, value: Shape) -> Shape:
        self.need("(")
        merged = self._either(value, self._deeper(self.expression))
        if self.take(","):
            self._constant()
        self.need(")")
        return merged

    def _arguments(self) -> Arguments:
        """Constants in parentheses, by place and by name; the opening one is read already."""
        arguments: Arguments = {}
        while not self.take(")"):
            following = self._tokens[self._at + 1].text if self._at + 1 < len(self._tokens) else ""
            key: str | int = len(arguments)
            if self.next.kind == "name" and following == "=":
                key = self.name()
                self.need("=")
            arguments[key] = self._constant()
            if self.next.text != ")":
                self.need(",")
        return arguments

    def _constants(self, close: str) -> list[Shape]:
        found: list[Shape] = []
        while not self.take(close):
            found.append(self._constant())
            if len(found) > MAX_LIST:
                raise self.fault("too_complex", f"A list in a template has at most {MAX_LIST} items.")
            if self.next.text != close:
                self.need(",")
        return found

    def _constant(self) -> Shape:
        sign = self.take("-") or ""
        token = self.next
        if token.kind == "number":
            self._at += 1
            return constant("number" if "." in token.text else "integer", sign + token.text)
        if token.kind == "string" and not sign:
            self._at += 1
            return constant("string", token.text[1:-1])
        if token.text in _CONSTANTS and token.kind == "name" and not sign:
            self._at += 1
            return constant(_CONSTANTS[token.text], token.text)
        raise self.fault("not_allowed", f"Only a number or a text in quotes may stand here, not {token.text}.")

    def _primary(self) -> Shape:
        token = self.next
        if token.kind in ("number", "string") or token.text in _CONSTANTS:
            return self._constant()
        if self.take("("):
            value = self._deeper(self.expression)
            self.need(")")
            return value
        if self.take("["):
            return self._literal_list()
        if token.text in _WORDS:
            raise self.fault("syntax", f"{token.text} is not expected here.")
        return self._variable(self.name())

    def _literal_list(self) -> Shape:
        items = self._constants("]")
        sources = tuple(source for one in items for source in one.sources)
        kinds = {one.kind for one in items}
        return Shape("list", count=len(items), item=Shape(kinds.pop() if len(kinds) == 1 else "mixed", sources))

    def _variable(self, name: str) -> Shape:
        if name == "range" and name not in self._scope:
            return self._range()
        if name not in self._scope:
            near = get_close_matches(name, [known for known in self._scope if known != "loop"], 1)
            meant = f"; it has {near[0]}" if near else ""
            raise self.fault("unknown", f"The schema has no variable {name}{meant}.")
        return self._scope[name]

    def _range(self) -> Shape:
        self.need("(")
        limits = self._constants(")")
        if not 1 <= len(limits) <= 3 or any(one.kind != "integer" for one in limits):
            raise self.fault("not_allowed", "range() takes one to three whole numbers, written out.")
        try:
            count = len(range(*(int(one.literal or "0") for one in limits)))
        except ValueError:
            raise self.fault("not_allowed", "range() cannot go in steps of 0.") from None
        if count > MAX_RANGE:
            raise self.fault("too_large", f"range() may give at most {MAX_RANGE} numbers.")
        return Shape("list", count=count, item=number())


def printable(shape: Shape) -> bool:
    return shape.kind in SCALAR
