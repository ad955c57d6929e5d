"""Disks as a power cut leaves them, made out of a recorded run.

Room: tests. May touch: images under target/hardware.
Invariant: what was flushed before the cut is there; of the rest each sector may or may not be.
"""
import os
import random
import struct
import subprocess

SECTOR = 512
HEAD = struct.Struct('<cQI')


def events(log):
    """Yields (kind, place, data): W a write, U one past the cache, F a flush, A an answer numbered `place`."""
    with open(log, 'rb') as file:
        while head := file.read(HEAD.size):
            kind, place, length = HEAD.unpack(head)
            yield kind, place, file.read(length)


class Volatile:
    """A disk whose unflushed sectors are kept apart."""

    def __init__(self, before, path, obeys=True):
        self.path, self.obeys, self.unflushed = path, obeys, {}
        subprocess.run(['cp', '--sparse=always', before, path], check=True)
        self.file = os.open(path, os.O_RDWR)

    def happens(self, kind, place, data):
        if kind == b'W':
            for at in range(0, len(data), SECTOR):
                self.unflushed[(place + at) // SECTOR] = data[at:at + SECTOR]
        elif kind == b'U' and self.obeys:
            os.pwrite(self.file, data, place)
            for at in range(0, len(data), SECTOR):
                self.unflushed.pop((place + at) // SECTOR, None)
        elif kind == b'F' and self.obeys:
            for sector, old in self.unflushed.items():
                os.pwrite(self.file, old, sector * SECTOR)
            self.unflushed.clear()

    def after_a_cut(self, image, keep, chance):
        """Writes the disk as the cut leaves it: each unflushed sector survives with probability `keep`."""
        subprocess.run(['cp', '--sparse=always', self.path, image], check=True)
        with open(image, 'r+b') as file:
            for sector, data in self.unflushed.items():
                if chance.random() < keep:
                    file.seek(sector * SECTOR)
                    file.write(data)
        repaired = subprocess.run(['e2fsck', '-p', image], capture_output=True, text=True)
        assert repaired.returncode <= 1, f'the file system: {repaired.stdout[-200:]}'


def make(log, before, count, seed, look, obeys=True):
    """Cuts at `count` random events after the first answer; returns the last answer."""
    chance = random.Random(seed)
    happened = list(events(log))
    first = next(at for at, (kind, _, _) in enumerate(happened) if kind == b'A')
    points = set(chance.sample(range(first, len(happened)), count))
    disk, image = Volatile(before, f'{before}.now', obeys), f'{before}.cut'
    told = 0
    for at, (kind, place, data) in enumerate(happened):
        if kind == b'A':
            told = place
        else:
            disk.happens(kind, place, data)
        if at in points:
            keep = chance.choice((0, 0.5, 1)) if obeys else 0
            disk.after_a_cut(image, keep, chance)
            try:
                look(image, told)
            except Exception as error:
                raise AssertionError(f'cut at event {at}, {keep} of the rest survives: {error}') from error
    os.close(disk.file)
    return told


def must_lose(log, before, count, seed, look):
    """Every cut of a disk that ignores flushes must be found out."""
    try:
        make(log, before, count, seed, look, obeys=False)
    except AssertionError as loss:
        return str(loss)[:120]
    raise AssertionError('nothing was lost on a disk that never flushed')
