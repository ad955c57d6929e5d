"""Runs the parts of the bench that are asked for, beside one another: each has a machine of its own.

Room: tests.
"""
import sys
import threading
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
    playing = [
        threading.Thread(target=checks.all_of, args=(name, part)) for name, part in PARTS.items() if not words or name in words]
    for part in playing:
        part.start()
    for part in playing:
        part.join()
    print(f'{time.monotonic() - begun:.0f} s in all')
    return checks.sum()


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
