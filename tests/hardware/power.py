"""The power goes at any write: one day's selling is recorded, and sixty disks are made out of it.

Room: tests. May touch: one guest, folders under target/hardware.
Invariant: a sale that was answered is on every disk made after its answer.
"""
import shutil
import subprocess
import sys

import cuts
import shop as the_shop
from guest import Guest
from initramfs import DISK, HERE, WORK, build

CUTS, SEED = 60, 2026
SALES = 150
DISK_MB = 64
# Each answer that names a receipt is told through a serial port, to be written into the record.
TELL = '''awk '/"receipt":"01-0/ { sales++; print "ack " sales; fflush() }' '''


def total(number):
    return 100 + number


def script():
    """Sales of one line, each of another sum."""
    return ''.join(f'department 2 {total(number)}\ntender_cash {total(number)}\n' for number in range(1, SALES + 1))


def record():
    """Sells on a disk whose cache forgets; returns the record and the disk as it was before."""
    shop = the_shop.make('power')
    (shop / 'shop.toml').write_text(the_shop.lane('file:', 'generic-80', more=''))
    disk, before, log, socket = (WORK / f'power.{end}' for end in ('disk', 'before', 'log', 'socket'))
    disk.unlink(missing_ok=True)
    with open(disk, 'wb') as file:
        file.truncate(DISK_MB << 20)
    made = ['mke2fs', '-q', '-F', '-t', 'ext4', '-E', 'lazy_itable_init=0,lazy_journal_init=0', '-d', shop.parent, disk]
    subprocess.run(made, check=True)
    shutil.copy(disk, before)
    acks = WORK / 'power.acks'
    acks.unlink(missing_ok=True)
    server = subprocess.Popen(
        [sys.executable, HERE / 'volatile_disk.py', disk, socket, '--log', log, '--acks', acks],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout.readline() == 'listening\n'
        with Guest(build('power', DISK), arguments=[
                '-drive', f'driver=nbd,server.type=unix,server.path={socket},if=none,id=disk', '-device', 'virtio-blk-pci,drive=disk',
                '-chardev', f'socket,id=acks,path={acks},server=on,wait=off', '-device', 'isa-serial,chardev=acks,index=1']) as guest:
            guest.ready()
            with open(f'{guest.shared}/day', 'w') as day:
                day.write(script())
            guest.sh('stty -F /dev/ttyS1 raw -echo; mount -t ext4 -o noatime /dev/vda /mnt')
            guest.sh(f'regi --shop /mnt/shop run --json /host/day | {TELL} >/dev/ttyS1', patience=200)
            server.communicate('cut\n')
    finally:
        server.kill()
        server.wait()
    return log, before


def look(image, told):
    """Stands the shop of a cut disk up again, and holds it against what was told."""
    folder = WORK / 'cut'
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    subprocess.run(['debugfs', '-R', f'rdump /shop {folder}', image], check=True, capture_output=True)
    shop = folder / 'shop'
    the_shop.regi(shop, 'verify')
    totals = [int(sale['total']) for sale in the_shop.export(shop, 'sales')]
    assert totals == [total(number) for number in range(1, len(totals) + 1)], 'a sale that was never made'
    assert len(totals) >= told, f'told {told}, found {len(totals)}'
    the_shop.regi(shop, 'run', '-', given='department 2 100\ntender_cash\n')


def cut(checks):
    taken = []
    checks.claim('a day is sold on a disk with a volatile cache', lambda: taken.append(record()))
    if not taken:
        return
    log, before = taken[0]
    checks.claim(
        f'{CUTS} power cuts: no answered sale is lost',
        lambda: f'{cuts.make(log, before, CUTS, SEED, look)} answered in all, seed {SEED}')
    checks.claim('the bench can tell: a disk that lies about its flushes does lose', cuts.must_lose, log, before, 5, SEED, look)
