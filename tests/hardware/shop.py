"""The shop that is played: made here by the register itself, and looked at here afterwards.

Room: tests. May touch: the binary, folders under target/hardware.
"""
import csv
import io
import os
import re
import shutil
import subprocess

from initramfs import HOUSE, REGI, WORK

# The shop that the other tests sell in, too.
SETTINGS = HOUSE / 'tests/contract/shop.toml'

SCANNERS = '''
[[scanner]]
vendor = "0c2e"
product = "0b61"
[[scanner]]
vendor = "05e0"
product = "1200"
uniq = "S2"
'''


def code(number):
    """Returns the JAN code of an item: 49, its number, the check digit."""
    body = f'49{number:010d}'
    odd, even = (sum(int(digit) for digit in body[start::2]) for start in (0, 1))
    return body + str(-(odd + 3 * even) % 10)


CODES = [code(number) for number in range(1, 201)]
PRICES = {code(number): 100 + number for number in range(1, 201)}
# The first goods have names that people know, for the pictures.
NAMES = ['電池 単3 4本', '歯ブラシ', '台所用洗剤', 'ティッシュ 5箱', '傘']
# Short numbers for the hand at the keyboard.
HAND = {str(number): 1000 + number for number in range(101, 121)}


def regi(shop, *words, given=None, environment=None):
    """Runs the register on a shop; returns what it printed, and fails with what it said."""
    done = subprocess.run(
        [REGI, '--shop', shop, '--lang', 'en', *words], input=given, capture_output=True, text=True,
        env={**os.environ, 'TZ': 'UTC', **(environment or {})})
    assert done.returncode == 0, f"regi {' '.join(map(str, words))}: exit {done.returncode}, {done.stderr.strip()}"
    return done.stdout


def lane(printer, profile, more=SCANNERS):
    """Returns a shop.toml."""
    return f'language = "en"\n{more}\n[printer]\naddress = "{printer}"\nprofile = "{profile}"\n'


def make(name):
    """Makes the shop anew and returns its folder."""
    folder = WORK / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    items = folder / 'items.csv'
    rows = [
        f"{item},{NAMES[number] if number < len(NAMES) else f'品物{number}'},シナモノ {number},{price}"
        for number, (item, price) in enumerate([*PRICES.items(), *HAND.items()])]
    items.write_text('\n'.join(['code,name,kana,price', *rows, '']))
    shop = folder / 'shop'
    regi(shop, 'init', '--settings', SETTINGS)
    regi(shop, 'import', 'items', items, '--apply')
    return shop


def export(shop, what):
    return list(csv.DictReader(io.StringIO(regi(shop, 'export', what))))


def receipt_bytes(shop, number, profile):
    """Returns a receipt as this printer model gets it, made once more from the journal's entry."""
    copy = WORK / 'reprint'
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(shop, copy)
    (copy / 'shop.toml').write_text(lane('file:', profile, more=''))
    regi(copy, 'run', '-', given=f'reprint {number}\n')
    again, = (copy / 'print').glob(f'receipt-{number}-r*.bin')
    bytes_ = again.read_bytes()
    marked = re.compile(rb' *\x1bE\x01 *Copy \d+\n\x1bE\x00')
    assert len(marked.findall(bytes_)) == 1, f'{number}: a second paper is marked once'
    return marked.sub(b'', bytes_)


# What is said to a printer beside the papers: how are you, tell every change, say when it is done.
TALK = re.compile(rb'\x10\x04[\x01-\x04]|\x1da\xff|\x1dr\x01|\x1d\(H\x06\x00\x30\x30.{4}', re.DOTALL)


def papers_of(stream):
    """Returns a printer's bytes without the talk."""
    return TALK.sub(b'', stream)
