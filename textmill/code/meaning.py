"""What a module does: its syntax tree without what only people read.

Comments, formatting, docstrings, printed lines (`say`), error messages and type hints of functions are removed.
"""

import ast
from collections.abc import Iterator
from typing import TypeGuard

# Calls without side effects, which only format what is printed.
HARMLESS = {"all", "any", "dict", "int", "len", "list", "map", "max", "min", "range", "round", "set", "sorted"}
HARMLESS |= {"str", "sum", "tuple", "zip", "format", "items", "join", "keys", "strip", "values"}

# Decorators that do not read type hints.
UNREAD = {"abstractmethod", "cache", "cached_property", "classmethod", "contextmanager", "property", "staticmethod"}
HINTED = "main"  # of a stage: the runner converts its arguments by their type hints


def meaning(tree: ast.Module) -> str:
    """Returns the module as text, the same in every version of Python and after edits that change nothing it does."""
    return "".join(_written(_Meaning().visit(tree)))


def is_type_checking(node: ast.AST) -> TypeGuard[ast.If]:
    """Returns whether a node is `if TYPE_CHECKING`."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


class _Meaning(ast.NodeTransformer):
    inside = False  # whether the current node is in a function

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if body == []:
            body.append(ast.Pass())
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        if isinstance(node.value, ast.Constant):  # a docstring
            return None
        if _name(node.value) == "say":
            return _Wordless().visit(node) if _does_something(node.value) else None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if _name(node).endswith("Error"):
            node.args = [ast.Constant("") if _is_text(argument) else argument for argument in node.args]
        return node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.AST]:
        return [self.visit(child) for child in node.orelse] if is_type_checking(node) else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        if node.name != HINTED and {_called(decorator) for decorator in node.decorator_list} <= UNREAD:
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        return self._within(node, inside=True)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._within(node, inside=False)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if not self.inside:  # in a class: pydantic and dataclasses read it
            return node
        return ast.Assign([node.target], node.value) if node.value else None

    def _within(self, node: ast.AST, inside: bool) -> ast.AST:
        outside, self.inside = self.inside, inside
        self.generic_visit(node)
        self.inside = outside
        return node


class _Wordless(ast.NodeTransformer):
    """A transformer that removes the text from a `say` whose calls may do more than print."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self.generic_visit(node) if _name(node) in {"say", *HARMLESS} else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant("") if isinstance(node.value, str) else node


def _does_something(node: ast.AST) -> bool:
    """Returns whether a `say` may do more than print."""
    acts = (ast.NamedExpr, ast.Yield, ast.YieldFrom, ast.Await)
    calls = {_name(call) for call in ast.walk(node) if isinstance(call, ast.Call)}
    return bool(calls - {"say"} - HARMLESS) or any(isinstance(child, acts) for child in ast.walk(node))


def _called(decorator: ast.expr) -> str:
    """Returns the last name of a decorator: `cache` for `@functools.cache`."""
    return str(getattr(decorator, "attr", getattr(decorator, "id", _name(decorator))))


def _name(node: ast.AST) -> str:
    """Returns the last name of what is called: `join` for `", ".join(...)`."""
    function = node.func if isinstance(node, ast.Call) else None
    return getattr(function, "attr", getattr(function, "id", ""))


def _is_text(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr():
            return True
        case ast.Constant():
            return isinstance(node.value, str)
        case ast.BinOp(op=ast.Add()):
            return _is_text(node.left) and _is_text(node.right)
        case ast.IfExp():
            return _is_text(node.body) and _is_text(node.orelse)
    return False


def _written(node: object) -> Iterator[str]:
    """Yields a tree as `ast.dump` has it, but equal in Python 3.11 to 3.14: no empty fields, f-strings' text joined."""
    if isinstance(node, ast.AST):
        yield f"{type(node).__name__}("
        for name, value in ast.iter_fields(node):
            if name not in ("ctx", "kind", "type_comment", "type_ignores") and value not in (None, []):
                yield f"{name}="
                yield from _written(_in_one_piece(value) if isinstance(node, ast.JoinedStr) else value)
            elif isinstance(node, ast.Constant) and name == "value":
                yield "None"
        yield ")"
    elif isinstance(node, list):
        yield "["
        for child in node:
            yield from _written(child)
            yield ","
        yield "]"
    else:
        yield f"{type(node).__name__}:{node!r}"


def _in_one_piece(parts: list[ast.expr]) -> list[ast.expr]:
    merged: list[ast.expr] = []
    for part in parts:
        match part, merged[-1:]:
            case ast.Constant(value=""), _:
                pass
            case ast.Constant(value=str(text)), [ast.Constant(value=str(before))]:
                merged[-1] = ast.Constant(before + text)
            case _:
                merged.append(part)
    return merged
