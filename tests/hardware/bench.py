"""Runs the parts of the bench that are asked for, beside one another: each has a machine of its own.

Room: tests.
"""
import os
import sys
import threading
import time

import counter
import power
from checks import Checks
from guest import accelerator

# Seconds for all parts.
BUDGET = 240
REQUIRED = bool(os.environ.get('BENCH_REQUIRED'))
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
    took = time.monotonic() - begun
    print(f'{took:.0f} s in all')
    if took > BUDGET and not words:
        print(f"{'FAIL' if REQUIRED else 'slow'}: {BUDGET} s are promised on a machine that does nothing else")
    return checks.sum() or int(REQUIRED and took > BUDGET and not words)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
