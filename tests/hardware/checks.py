"""Claims that are checked one after the other, each with its time and figure.

Room: tests.
Invariant: a claim that fails does not keep the next from being looked at.
"""
import time
import traceback


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, []

    def claim(self, name, prove, *arguments):
        """Proves a claim; what `prove` returns is its figure."""
        begun = time.monotonic()
        try:
            figure, mark = prove(*arguments), 'ok  '
            self.passed += 1
        except Exception as error:
            mark = 'FAIL'
            where = traceback.extract_tb(error.__traceback__)[1:]
            figure = f"{type(error).__name__}: {error}\n     at {' < '.join(f'{place.name}:{place.lineno}' for place in reversed(where))}"
            self.failed.append(name)
        print(f"{mark} {name} ({time.monotonic() - begun:.1f} s){f': {figure}' if figure else ''}", flush=True)

    def sum(self):
        print(f'{self.passed} passed, {len(self.failed)} failed')
        return 1 if self.failed else 0


def same(found, wanted, what):
    """Fails with both sides in words."""
    assert found == wanted, f'{what}: found {found!r}, wanted {wanted!r}'
