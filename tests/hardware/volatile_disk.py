"""A disk that forgets what was not flushed, served to QEMU (NBD on a Unix socket), every write on record.

    volatile_disk.py IMAGE SOCKET --log FILE --acks SOCKET      `cut` on standard input ends it

Room: tests. May touch: the image, its record, two sockets.
Invariant: the record has every write, flush and answer in the order in which they came; the image
stays as it was, and unflushed writes live in memory alone.
"""
import argparse
import os
import re
import socket
import struct
import sys
import threading
import time

from cuts import HEAD, SECTOR

READ, WRITE, LEAVE, FLUSH, TRIM = range(5)
PAST_THE_CACHE = 1
INVALID = 22


class Disk:
    def __init__(self, image, log):
        self.file = os.open(image, os.O_RDONLY)
        self.size = os.fstat(self.file).st_size
        self.log, self.lock, self.written = open(log, 'wb'), threading.Lock(), {}

    def note(self, kind, place=0, data=b''):
        with self.lock:
            if not self.log.closed:
                self.log.write(HEAD.pack(kind, place, len(data)) + data)

    def read(self, place, length):
        data = bytearray(os.pread(self.file, length, place))
        for sector in range(place // SECTOR, (place + length) // SECTOR):
            if sector in self.written:
                at = sector * SECTOR - place
                data[at:at + SECTOR] = self.written[sector]
        return bytes(data)

    def write(self, place, data, kind):
        assert place % SECTOR == 0 and len(data) % SECTOR == 0
        for at in range(0, len(data), SECTOR):
            self.written[(place + at) // SECTOR] = data[at:at + SECTOR]
        self.note(kind, place, data)

    def cut(self):
        with self.lock:
            self.log.close()


def take(caller, length):
    data = bytearray()
    while len(data) < length:
        more = caller.recv(length - len(data))
        if not more:
            raise EOFError
        data += more
    return bytes(data)


def agree(caller, disk):
    """The handshake: one disk, whatever its name, that has a cache and can be told to flush it."""
    caller.sendall(b'NBDMAGIC' + b'IHAVEOPT' + struct.pack('>H', 3))
    take(caller, 4)
    able = struct.pack('>H', 1 | 4 | 8 | 32)
    while True:
        _, option, length = struct.unpack('>8sII', take(caller, 16))
        take(caller, length)
        reply = lambda kind, data=b'': caller.sendall(struct.pack('>QIII', 0x3e889045565a9, option, kind, len(data)) + data)
        if option in (6, 7):
            reply(3, struct.pack('>HQ', 0, disk.size) + able)
            reply(3, struct.pack('>HIII', 3, SECTOR, 4096, 32 << 20))
            reply(1)
            if option == 7:
                return
        else:
            reply(0x80000001)


def serve(caller, disk):
    agree(caller, disk)
    while True:
        _, flags, kind, handle, place, length = struct.unpack('>IHHQQI', take(caller, 28))
        data, error = b'', 0
        if kind == READ:
            data = disk.read(place, length)
        elif kind == WRITE:
            disk.write(place, take(caller, length), b'U' if flags & PAST_THE_CACHE else b'W')
        elif kind == FLUSH:
            disk.note(b'F')
        elif kind == LEAVE:
            return
        elif kind != TRIM:
            error = INVALID
        caller.sendall(struct.pack('>IIQ', 0x67446698, error, handle) + data)


def hear_acks(path, disk):
    """Notes each line `ack N` of the guest's serial port."""
    port = socket.socket(socket.AF_UNIX)
    while True:
        try:
            port.connect(path)
            break
        except OSError:
            time.sleep(0.05)
    for line in port.makefile('r', errors='replace'):
        if answered := re.match(r'ack (\d+)', line):
            disk.note(b'A', int(answered[1]))


def main():
    words = argparse.ArgumentParser()
    words.add_argument('image')
    words.add_argument('socket')
    words.add_argument('--log', required=True)
    words.add_argument('--acks', required=True)
    given = words.parse_args()
    disk = Disk(given.image, given.log)
    if os.path.exists(given.socket):
        os.unlink(given.socket)
    door = socket.socket(socket.AF_UNIX)
    door.bind(given.socket)
    door.listen()
    start = lambda *call: threading.Thread(target=call[0], args=call[1:], daemon=True).start()

    def callers():
        while True:
            start(lambda caller: serve_quietly(caller, disk), door.accept()[0])

    start(callers)
    start(hear_acks, given.acks, disk)
    print('listening', flush=True)
    for line in sys.stdin:
        if line.strip() == 'cut':
            break
    disk.cut()
    os._exit(0)


def serve_quietly(caller, disk):
    try:
        serve(caller, disk)
    except (EOFError, OSError):
        pass
    caller.close()


if __name__ == '__main__':
    main()
