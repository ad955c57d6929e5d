"""Claims that are checked one after the other, each with its time and figure.

Room: tests.
Invariant: a claim that fails does not keep the next from being looked at, and a part that breaks
off between two claims is a failure too.
"""
import threading
import time
import traceback


class Checks:
    def __init__(self):
        self.passed, self.failed, self.lock = 0, [], threading.Lock()

    def claim(self, name, prove, *arguments):
        """Proves a claim; what `prove` returns is its figure."""
        begun = time.monotonic()
        try:
            figure, is_so = prove(*arguments), True
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[1:]
            figure = f"{type(error).__name__}: {error}\n     at {' < '.join(f'{place.name}:{place.lineno}' for place in reversed(where))}"
            is_so = False
        self.tell(is_so, f"{name} ({time.monotonic() - begun:.1f} s){f': {figure}' if figure else ''}")

    def tell(self, is_so, line):
        with self.lock:
            if is_so:
                self.passed += 1
            else:
                self.failed.append(line)
            print('ok  ' if is_so else 'FAIL', line, flush=True)

    def all_of(self, name, part):
        """Plays a part to its end."""
        try:
            part(self)
        except Exception:
            self.tell(False, f'{name}: {traceback.format_exc()}')

    def sum(self):
        print(f'{self.passed} passed, {len(self.failed)} failed')
        return 1 if self.failed else 0


def same(found, wanted, what):
    """Fails with both sides in words."""
    assert found == wanted, f'{what}: found {found!r}, wanted {wanted!r}'
