"""Runs the parts of the bench that are asked for.

Room: tests.
"""
import sys
import time

import counter
import power
from checks import Checks
from guest import accelerator

PARTS = {'counter': counter.play, 'power': power.cut}


def main(words):
    begun = time.monotonic()
    checks = Checks()
    print(f'a guest with {accelerator()}', flush=True)
    for name, part in PARTS.items():
        if not words or name in words:
            part(checks)
    print(f'{time.monotonic() - begun:.0f} s in all')
    return checks.sum()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
